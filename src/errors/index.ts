// What can go wrong, in one closed vocabulary.
export { ERRNO, type ErrnoName } from './errno.ts';
export { CorruptionError, DamagedDataError, FsError, ProtocolError, StoreError } from './errors.ts';
