// The system calls that Node has no function for, through koffi. Everything here is raw: numbers in, numbers out, errno beside.
//
// A call that may wait for this very process (mount, umount2 and whatever walks a path through one of our own mounts) has to run off the
// event loop: `callAsync`. The errno of such a call is the one that koffi.errno() gives inside the callback.

import koffi from 'koffi';

const libc = koffi.load(null);

/** `ssize_t read(int, void *, size_t)`: fills `bytes` from 0 on; gives the length, or -1 with {@link errno}. Blocks unless O_NONBLOCK. */
export const read = libc.func('int64_t read(int fd, void *buf, size_t count)') as (
  fd: number,
  bytes: Uint8Array,
  count: number,
) => number;

/** `ssize_t write(int, const void *, size_t)`: the first `count` of `bytes`. */
export const write = libc.func('int64_t write(int fd, const void *buf, size_t count)') as (
  fd: number,
  bytes: Uint8Array,
  count: number,
) => number;

/** The errno that the last call of this file left. */
export function errno(): number {
  return koffi.errno();
}

const mountFunction = libc.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umount2Function = libc.func('int umount2(const char *target, int flags)');
const socketpairFunction = libc.func('int socketpair(int domain, int type, int protocol, _Out_ int *fds)');
const fcntlFunction = libc.func('int fcntl(int fd, int command, ...)');
const iovec = koffi.struct({ base: 'void *', length: 'size_t' });
const msghdr = koffi.struct({
  name: 'void *',
  nameLength: 'uint32_t',
  iov: koffi.pointer(iovec),
  iovLength: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
});
const recvmsgFunction = libc.func('recvmsg', 'int64_t', ['int', koffi.inout(koffi.pointer(msghdr)), 'int']);

/** Runs a call that gives -1 or more on another thread; resolves with its result and errno (0 where it succeeded). */
function callAsync(
  call: { async: (...args: unknown[]) => void },
  ...args: unknown[]
): Promise<{ result: number; errno: number }> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: number) => {
      if (error !== null) reject(error);
      else resolve({ result, errno: result < 0 ? errno() : 0 });
    });
  });
}

export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_NOATIME = 1024;
export const MNT_DETACH = 2;

/** mount(2); resolves with 0 or the errno. */
export async function mount(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): Promise<number> {
  return (await callAsync(mountFunction, source, target, type, flags, data)).errno;
}

/** umount2(2); resolves with 0 or the errno. */
export async function umount2(target: string, flags: number): Promise<number> {
  return (await callAsync(umount2Function, target, flags)).errno;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;

/** Two connected sockets that a child does not inherit by accident; throws nothing, gives undefined on failure with {@link errno}. */
export function socketpair(): readonly [number, number] | undefined {
  const fds: number[] = [-1, -1];
  const result = socketpairFunction(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) as number;
  return result < 0 ? undefined : [fds[0]!, fds[1]!];
}

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Sets O_NONBLOCK; gives whether it could. */
export function setNonBlocking(fd: number): boolean {
  const flags = fcntlFunction(fd, F_GETFL, 'int', 0) as number;
  return flags >= 0 && (fcntlFunction(fd, F_SETFL, 'int', flags | O_NONBLOCK) as number) >= 0;
}

const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** `struct cmsghdr` on a 64-bit host: length (8), level (4), type (4); then the descriptor (4), padded to 8. */
const CONTROL_BYTES = 24;
const CONTROL_FD_AT = 16;
const CONTROL_LENGTH = 20;

/** The descriptor that the next message on `socket` carries, or undefined if there is none. Never waits. */
export function receiveDescriptor(socket: number): number | undefined {
  const control = Buffer.alloc(CONTROL_BYTES);
  const data = Buffer.alloc(8);
  const message = {
    name: null,
    nameLength: 0,
    iov: [{ base: data, length: data.length }],
    iovLength: 1,
    control,
    controlLength: control.length,
    flags: 0,
  };
  const received = recvmsgFunction(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) as number;
  if (received <= 0) return undefined;
  const isDescriptor =
    control.readUInt32LE(0) === CONTROL_LENGTH &&
    control.readInt32LE(8) === SOL_SOCKET &&
    control.readInt32LE(12) === SCM_RIGHTS;
  return isDescriptor ? control.readInt32LE(CONTROL_FD_AT) : undefined;
}
