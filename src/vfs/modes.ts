// File types and mode bits under the kernel's names (linux/stat.h), and the questions that are asked of them.

export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_IXGRP = 0o0010;

/** Permissions with setuid, setgid and sticky. */
export const MODE_BITS = 0o7777;
/** Read, write and execute of owner, group and others. */
export const PERMISSION_BITS = 0o777;

/** Whether `mode` is a directory's. */
export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** Whether `mode` is a regular file's. */
export function isRegular(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

/** Whether `mode` is a symlink's. */
export function isSymlink(mode: number): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

/** The type as directory entries carry it (`DT_*`). */
export function direntType(mode: number): number {
  return (mode & S_IFMT) >>> 12;
}
