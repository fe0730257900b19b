// What checks and scrubs tell over the control socket. Paths have a character for each byte.

export interface CheckInfo {
  /** In words, one line each, with the path of a file where one is known. */
  readonly problems: readonly { readonly text: string; readonly path: string | null }[];
  readonly records: number;
  readonly versions: number;
  readonly nodes: number;
  readonly blocks: number;
  readonly inodes: number;
  readonly comparedBlocks: number;
  /** Deleted versions that wait to be freed: lost space was not looked for because of them. */
  readonly pending: number;
}

export interface CheckProgress {
  readonly doing: string;
  /** 0 to 1. */
  readonly done: number;
  /** null while the check goes on. */
  readonly report: CheckInfo | null;
}

export interface ScrubInfo {
  readonly phase: 'running' | 'paused' | 'stopped' | 'finished' | 'failed';
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** Bytes a second at most; null: as fast as the disk. */
  readonly rateBytes: number | null;
  readonly readBytes: number;
  readonly totalBytes: number;
  readonly records: number;
  readonly damage: readonly { readonly text: string; readonly places: readonly string[] }[];
  /** Damage beyond that which is listed. */
  readonly unlisted: number;
  readonly failure: string | null;
}

export interface RepairInfo {
  /** What was done, or would be. */
  readonly repairs: readonly string[];
  readonly check: CheckInfo;
  /** The file that holds every changed record as it was before; null where none was changed. */
  readonly kept: string | null;
}
