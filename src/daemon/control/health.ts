// What checks and scrubs tell over the control socket. Paths have a character for each byte.

import type { CheckReport, ScrubState } from '../../volume/index.ts';

export interface CheckInfo extends Omit<CheckReport, 'problems'> {
  /** In words, one line each, with the path of a file where one is known. */
  readonly problems: readonly { readonly text: string; readonly path: string | null }[];
}

export interface CheckProgress {
  readonly doing: string;
  /** 0 to 1. */
  readonly done: number;
  /** null while the check goes on. */
  readonly report: CheckInfo | null;
}

/** A scrub without the place where it goes on. */
export type ScrubInfo = Omit<ScrubState, 'record' | 'version' | 'key'>;

export interface RepairInfo {
  /** What was done, or would be. */
  readonly repairs: readonly string[];
  readonly check: CheckInfo;
  /** The file that holds every changed record as it was before; null where nothing was repaired. */
  readonly kept: string | null;
}
