/** Calls of src/vfs with text names and a fresh inode each, as tests read best. */
import {
  type Filesystem,
  type Inode,
  ROOT_INO,
  S_IFDIR,
  S_IFREG,
  createInode,
  createNode,
  createSymlink,
  link,
  lookup,
  needInode,
  rename,
  rmdir,
  unlink,
} from '../../../src/vfs/index.ts';

const ROOT_CALLER = { uid: 0, gid: 0 };

/** Text stands for UTF-8. */
type Name = string | Uint8Array;

export class TreeOf {
  readonly fs: Filesystem;
  caller = ROOT_CALLER;
  umask = 0o022;

  constructor(fs: Filesystem) {
    this.fs = fs;
  }

  inode(ino: number): Inode {
    const inode = createInode();
    needInode(this.fs, ino, inode);
    return inode;
  }

  root(): Inode {
    return this.inode(ROOT_INO);
  }

  /** What `name` stands for, or undefined. */
  find(dir: number, name: Name): Inode | undefined {
    const inode = createInode();
    return lookup(this.fs, dir, bytesOf(name), inode) ? inode : undefined;
  }

  node(dir: number, name: Name, mode: number, rdev = 0): Inode {
    const inode = createInode();
    createNode(this.fs, dir, bytesOf(name), mode, rdev, this.umask, this.caller, inode);
    return inode;
  }

  file(dir: number, name: Name, mode = 0o666): Inode {
    return this.node(dir, name, S_IFREG | mode);
  }

  dir(dir: number, name: Name, mode = 0o777): Inode {
    return this.node(dir, name, S_IFDIR | mode);
  }

  symlink(dir: number, name: Name, target: Name): Inode {
    const inode = createInode();
    createSymlink(this.fs, dir, bytesOf(name), bytesOf(target), this.caller, inode);
    return inode;
  }

  link(ino: number, dir: number, name: Name): Inode {
    const inode = createInode();
    link(this.fs, ino, dir, bytesOf(name), inode);
    return inode;
  }

  unlink(dir: number, name: Name): number {
    return unlink(this.fs, dir, bytesOf(name));
  }

  rmdir(dir: number, name: Name): number {
    return rmdir(this.fs, dir, bytesOf(name));
  }

  rename(oldDir: number, oldName: Name, newDir: number, newName: Name, flags = 0): number {
    return rename(this.fs, oldDir, bytesOf(oldName), newDir, bytesOf(newName), flags, this.caller);
  }
}

/** The code of the FsError that `action` throws; rethrows anything else. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  return 'none';
}

function bytesOf(name: Name): Uint8Array {
  return typeof name === 'string' ? Buffer.from(name) : name;
}
