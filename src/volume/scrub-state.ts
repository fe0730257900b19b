// What is kept of a scrub over the end of the process: how far it is, and what it found.

/** A damaged stretch of data, a table of the engine that is damaged, or a record that can't be read. */
export interface ScrubDamage {
  /** In words. */
  readonly text: string;
  /** The files that it is part of: `VOLUME:/path` or `VOLUME@SNAPSHOT:/path`; a character for each byte. */
  readonly places: readonly string[];
}

export type ScrubPhase = 'running' | 'paused' | 'stopped' | 'finished' | 'failed';

export interface ScrubState {
  readonly phase: ScrubPhase;
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** Bytes a second at most; null: as fast as the disk. */
  readonly rateBytes: number | null;
  /** Tables of the engine and data read so far, and how much there was when it began. */
  readonly readBytes: number;
  readonly totalBytes: number;
  /** Records of the engine looked at. */
  readonly records: number;
  /** Where it goes on: at the tables where it is empty, else the next record, and then a version and a key in its tree; in hex. */
  readonly record: string | null;
  readonly version: number;
  readonly key: string;
  readonly damage: readonly ScrubDamage[];
  /** Damage beyond that which is listed. */
  readonly unlisted: number;
  /** Why it failed. */
  readonly failure: string | null;
}

/** A new scrub. */
export function newScrub(nowMs: number, totalBytes: number, rateBytes: number | null): ScrubState {
  return {
    phase: 'running',
    startedMs: nowMs,
    endedMs: null,
    rateBytes,
    readBytes: 0,
    totalBytes,
    records: 0,
    record: '',
    version: 0,
    key: '',
    damage: [],
    unlisted: 0,
    failure: null,
  };
}

/** What was written with JSON.stringify; undefined where it is not a whole state: then there is none. */
export function parseScrub(text: string): ScrubState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const model = newScrub(0, 0, 0) as unknown as Record<string, unknown>;
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const nullable = ['endedMs', 'rateBytes', 'record', 'failure'];
  const isWhole = Object.keys(model).every(
    (name) => name in fields && (nullable.includes(name) || typeof fields[name] === typeof model[name]),
  );
  return isWhole && Array.isArray(fields['damage']) ? (value as ScrubState) : undefined;
}
