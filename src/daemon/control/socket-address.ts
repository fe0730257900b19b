// Where the control socket is. The kernel takes addresses of up to 107 bytes (sockaddr_un, unix(7)), stores may lie deeper: then the way
// leads through a descriptor of the store's directory.

import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_SOCKET } from './protocol.ts';

/** `sun_path` has 108 bytes, the last of them for the zero. */
const ADDRESS_BYTES_MAX = 107;

export interface SocketAddress {
  /** To bind or connect to. Good until `release`. */
  readonly path: string;
  release(): void;
}

/** The address of the control socket of the store in `directory`. Throws the host's error where the directory can't be opened. */
export function socketAddress(directory: string): SocketAddress {
  const path = join(directory, CONTROL_SOCKET);
  if (Buffer.byteLength(path) <= ADDRESS_BYTES_MAX) return { path, release: () => undefined };
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${fd}/${CONTROL_SOCKET}`,
    release: () => closeSync(fd),
  };
}
