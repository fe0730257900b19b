import { UsageError } from '../failure.ts';
import type { Target } from '../target.ts';

export type SnapshotTarget = Target & { readonly snapshot: string };

/** The snapshot of a target. Throws UsageError where it names none. */
export function requireSnapshot(text: string, target: Target): SnapshotTarget {
  const { snapshot } = target;
  if (snapshot === undefined) {
    throw new UsageError('target-not-a-snapshot', `"${text}" names no snapshot; write ${text}@NAME`);
  }
  return { ...target, snapshot };
}
