// Opens the device and mounts it: by mount(2) as root, through fusermount3 otherwise.

import { closeSync, constants, openSync } from 'node:fs';
import { ERRNO, FsError } from '../../errors/index.ts';
import type { MountOptions } from '../session/transport.ts';
import { mountByHelper } from './fusermount.ts';
import { MS_NOATIME, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, mount } from './libc.ts';
import { FS_TYPE } from './mount-point.ts';

const DEVICE = '/dev/fuse';

/** A comma or backslash would start another mount option; both are escaped the way that libfuse and mount(8) read them. */
function escapeOption(value: string): string {
  return value.replace(/[\\,]/g, (character) => `\\${character}`);
}

/**
 * Mounts at `path` (canonical, checked) and resolves with the open device, O_NONBLOCK and O_CLOEXEC set. `maxReadBytes` bounds one READ. Throws
 * FsError with what to do about it.
 */
export async function mountDevice(path: string, options: MountOptions, maxReadBytes: number): Promise<number> {
  return process.geteuid?.() === 0
    ? mountAsRoot(path, options, maxReadBytes)
    : mountByHelper(path, helperOptions(options, maxReadBytes));
}

function helperOptions(options: MountOptions, maxReadBytes: number): string {
  const list = [
    options.readOnly === true ? 'ro' : 'rw',
    `fsname=${escapeOption(options.source)}`,
    'subtype=amberfs',
    `max_read=${maxReadBytes}`,
  ];
  if (options.defaultPermissions !== false) list.push('default_permissions');
  // The helper refuses this unless /etc/fuse.conf says user_allow_other, so it is for the caller to ask.
  if (options.allowOther === true) list.push('allow_other');
  if (options.noatime === true) list.push('noatime');
  if (options.exec === false) list.push('noexec');
  return list.join(',');
}

async function mountAsRoot(path: string, options: MountOptions, maxReadBytes: number): Promise<number> {
  const fd = openDevice();
  let flags = 0;
  if (options.suid !== true) flags |= MS_NOSUID;
  if (options.dev !== true) flags |= MS_NODEV;
  if (options.exec === false) flags |= MS_NOEXEC;
  if (options.readOnly === true) flags |= MS_RDONLY;
  if (options.noatime === true) flags |= MS_NOATIME;
  const data = [
    `fd=${fd}`,
    'rootmode=40000',
    `user_id=${String(process.geteuid?.() ?? 0)}`,
    `group_id=${String(process.getegid?.() ?? 0)}`,
    `max_read=${maxReadBytes}`,
  ];
  if (options.defaultPermissions !== false) data.push('default_permissions');
  if (options.allowOther !== false) data.push('allow_other');
  const errno = await mount(options.source, path, FS_TYPE, flags, data.join(','));
  if (errno === 0) return fd;
  closeSync(fd);
  if (errno === ERRNO.EPERM) {
    throw new FsError(
      'EPERM',
      'mount-not-permitted',
      `${path}: the kernel does not let this process mount; in a container it needs CAP_SYS_ADMIN`,
    );
  }
  if (errno === ERRNO.ENODEV) {
    throw new FsError(
      'ENODEV',
      'fuse-not-in-kernel',
      `${path}: the kernel knows no FUSE; load it with "modprobe fuse"`,
    );
  }
  throw new FsError('EIO', 'mount-failed', `${path}: mounting failed with errno ${errno}`);
}

function openDevice(): number {
  try {
    // Node opens everything with O_CLOEXEC.
    return openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    throw new FsError(
      'ENODEV',
      'device-unavailable',
      `${DEVICE} can't be opened; load the module with "modprobe fuse", in a container pass the device in`,
      { cause },
    );
  }
}
