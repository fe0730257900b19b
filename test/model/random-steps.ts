// Random steps of a history, as often as each command's weight says.

import fc from 'fast-check';
import type { Step } from './step.ts';

/** Up to `maxLength` steps with the commands of `weights`; `bytes` gives offsets and lengths in files. */
export function randomSteps<Command extends string>(
  weights: Partial<Record<Command, number>>,
  bytes: fc.Arbitrary<number>,
  maxLength: number,
): fc.Arbitrary<(Step & { readonly command: Command })[]> {
  const commands = Object.entries<number | undefined>(weights).map(([name, weight]) => {
    return { weight: weight!, arbitrary: fc.constant(name as Command) };
  });
  const step = fc.record({
    command: fc.oneof(...commands),
    volume: fc.nat(7),
    which: fc.nat(59),
    other: fc.nat(59),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    at: bytes,
    length: bytes,
  });
  // Without it most histories would be short, and most numbers small: `bytes` has what is special about numbers here.
  return fc.noBias(fc.array(step, { maxLength, size: 'max' }));
}
