/** The tar archive of a real tree, from what the machine has, for `untar` and `find`. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const CANDIDATES = [
  '/usr/include',
  fileURLToPath(new URL('../../node_modules', import.meta.url)),
  '/usr/share/doc',
  '/usr/lib/python3',
  '/usr/share/perl',
  '/usr/share/man',
  '/usr/share/zoneinfo',
  '/usr/share/locale',
];

/**
 * Makes an archive NAME.tar of at least `fileCount` files below `temp`; resolves to its path, its size, and the numbers of files and of
 * all entries in it. Throws when the machine has fewer.
 */
export async function archiveRealTree(temp, fileCount, name) {
  const archive = path.join(temp, `${name}.tar`);
  const chosen = [];
  let files = 0;
  for (const candidate of CANDIDATES) {
    if (files >= fileCount || !fs.existsSync(candidate)) continue;
    chosen.push(candidate);
    files += (await run('find', [candidate, '-name', '.cache', '-prune', '-o', '-type', 'f', '-printf', 'x'])).output
      .length;
  }
  if (files < fileCount)
    throw new Error(`this machine has no tree of ${fileCount} files below ${CANDIDATES.join(', ')}`);
  await run('tar', ['-cf', archive, '--exclude=.cache', '-C', '/', ...chosen.map((dir) => dir.slice(1))]);
  const entries = (await run('tar', ['-tf', archive])).output.split('\n').length;
  return { archive, files, entries, bytes: fs.statSync(archive).size };
}
