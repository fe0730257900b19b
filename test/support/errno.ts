import { constants } from 'node:os';

const numberByName: Record<string, number> = constants.errno;

const nameByNumber = new Map<number, string>();
for (const [name, value] of Object.entries(numberByName)) {
  // Linux gives two names to two numbers; the tests use the POSIX one of each pair.
  if (name !== 'EWOULDBLOCK' && name !== 'ENOTSUP') nameByNumber.set(value, name);
}

/** The symbolic name of a positive error number, or the number as text when it has none. */
function errnoName(errno: number): string {
  return nameByNumber.get(errno) ?? String(errno);
}

/** An error of one of the system calls in `syscalls.ts`; it looks like the errors of node:fs. */
export class SyscallError extends Error {
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    super(`${syscall}: ${errnoName(errno)}`);
    this.name = 'SyscallError';
    // Negative like libuv's, so that both kinds of error compare in the same way.
    this.errno = -errno;
    this.code = errnoName(errno);
    this.syscall = syscall;
  }
}

/**
 * The name of the error number that an error carries, or undefined when it carries none.
 * Goes by number, because libuv has no name for some (ESTALE) and another one for others (ENOTSUP).
 */
export function errnoNameOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return undefined;
  return errnoName(Math.abs(error.errno));
}
