// LevelDB maps its tables into memory (util/env_posix.cc there), and a page that the host's disk can't read then ends the process: SIGBUS. A
// read that fails is an error instead, so mapping is turned off, by what LevelDB's own tests use for that. It has to be done before the first
// database is opened, in the copy of LevelDB that `classic-level` has brought into this process.

import { readFileSync } from 'node:fs';
import { findSetter } from '../libc.ts';

/** void leveldb::EnvPosixTestHelper::SetReadOnlyMMapLimit(int limit) */
const SET_LIMIT = '_ZN7leveldb18EnvPosixTestHelper20SetReadOnlyMMapLimitEi';
const LIBRARY = /\/classic-level\/.*\.node$/;

/** A build of LevelDB without that function maps its tables as before. */
export function readWithoutMaps(): void {
  const library = readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .map((line) => line.slice(line.indexOf('/')))
    .find((file) => LIBRARY.test(file));
  if (library !== undefined) findSetter(library, SET_LIMIT)?.(0);
}
