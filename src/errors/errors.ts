import { ERRNO, type ErrnoName } from './errno.ts';

/**
 * An expected outcome that a caller must hear about: the name exists, the disk is full, the snapshot is held.
 * `reason` is a kebab-case code that stands at exactly one throw site, so that one log line names one source line.
 * `message` is for people: what is wrong, where, and what to do.
 */
export class FsError extends Error {
  override readonly name = 'FsError';
  readonly code: ErrnoName;
  readonly reason: string;

  constructor(code: ErrnoName, reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.reason = reason;
  }

  /** The positive Linux error number. */
  get errno(): number {
    return ERRNO[this.code];
  }
}

/** Stored bytes break an invariant. Callers get `EIO`; nothing is repaired in silence. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError';
  /** Which record: a key or an address, readable by a person. */
  readonly record: string;
  /** What is wrong with it, and what to do. */
  readonly why: string;

  constructor(record: string, why: string, options?: ErrorOptions) {
    super(`${record}: ${why}`, options);
    this.record = record;
    this.why = why;
  }
}

/** The contents of a file are damaged. What refers to them is not: everything else can be read and changed. */
export class DamagedDataError extends CorruptionError {}

/** The engine or the host failed below us. The store refuses further changes until it is opened again. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** A message from the kernel (or from the control socket) does not have the form that it must have. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
