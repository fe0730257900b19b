// One step of a random history, and how the numbers in it choose among what there is.

import { expect } from 'vitest';
import type { Volume, Volumes } from '../../src/volume/index.ts';
import { codeOf } from '../unit/vfs/tree-of.ts';
import type { NaiveVolume, NaiveVolumes } from './naive-volumes.ts';

export interface Step {
  /** The volume that it is about. */
  readonly volume: number;
  readonly which: number;
  readonly other: number;
  readonly name: string;
  readonly at: number;
  readonly length: number;
}

/** What a command works on. */
export interface Scene {
  readonly volumes: Volumes;
  readonly volume: Volume;
  readonly all: NaiveVolumes;
  readonly naive: NaiveVolume;
  readonly nowMs: number;
  /** Another one for each step. */
  readonly serial: number;
}

/**
 * One kind of step: does the same to the volumes and to the naive ones, in one synchronous stretch (a commit may take what there is at any
 * other moment), and expects the same answers.
 */
export type Command = (scene: Scene, step: Step) => void;

/** One of `all`, or undefined where there is none. */
export function pick<T>(all: readonly T[], number: number): T | undefined {
  return all[number % all.length];
}

/** Does both and expects the same of them: a result, which it gives, or an error of the same code. */
export function both<T>(naive: () => T, real: () => T): T | undefined {
  let expected: T | undefined;
  let result: T | undefined;
  const code = codeOf(() => (expected = naive()));
  expect(codeOf(() => (result = real()))).toBe(code);
  expect(result).toEqual(expected);
  return result;
}
