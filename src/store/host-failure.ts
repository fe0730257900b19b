import { FsError, StoreError } from '../errors/index.ts';

/** The error code of a failed system call (`'ENOENT'`), or undefined for anything else that was thrown. */
export function hostCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

/**
 * What a failed system call of Node means to the store; to be thrown. `doing` names the file and what was tried. A host without
 * room, or a quota that is used up, is an outcome that users must hear about (FsError ENOSPC); anything else is a StoreError.
 */
export function hostFailure(cause: unknown, doing: string): Error {
  const code = hostCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new FsError('ENOSPC', 'host-full', `${doing}: the host's filesystem is full; free space on it`, { cause });
  }
  return new StoreError(`${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
