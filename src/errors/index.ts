// What can go wrong, in one closed vocabulary.
export { ERRNO, type ErrnoName } from './errno.ts';
export { CorruptionError, FsError, ProtocolError, StoreError } from './errors.ts';
