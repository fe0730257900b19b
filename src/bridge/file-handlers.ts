// Requests about open files: OPEN, CREATE, TMPFILE, READ, WRITE, RELEASE, FSYNC, SYNCFS.
//
// There is no state per open file (`fh` is 0). FLUSH has no handler: nothing is kept back until close, and the ENOSYS
// is remembered. After a write with O_SYNC, O_DSYNC, RWF_SYNC or RWF_DSYNC the kernel sends FSYNC (generic_write_sync),
// but not after an asynchronous one past the page cache (fuse_cache_write_iter in fs/fuse/file.c leaves at EIOCBQUEUED).

import { constants } from 'node:fs';
import { FsError } from '../errors/index.ts';
import {
  FOPEN_KEEP_CACHE,
  FOPEN_NOFLUSH,
  FUSE_OPEN_KILL_SUIDGID,
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  type FuseHandlers,
} from '../fuse/index.ts';
import {
  MODE_BITS,
  NOT_CACHED,
  S_IFREG,
  createNode,
  createTemporary,
  openFile,
  readFile,
  writeFile,
} from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';
import { readLater } from './late-reads.ts';

/** Cached pages stay: what they show changes through this mount only, and a snapshot never. */
const OPEN_FLAGS = FOPEN_KEEP_CACHE | FOPEN_NOFLUSH;

const O_ACCMODE = 3;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
/** The `flags` of a write that may be asynchronous and has to be durable when it is answered: whether it is one is not told. */
const DIRECT_DURABLE = constants.O_DIRECT | constants.O_DSYNC;

export function fileHandlers(bridge: Bridge): FuseHandlers {
  const { view, node, inode } = bridge;
  return {
    open(request, { flags, openFlags }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      if ((flags & (O_ACCMODE | O_TRUNC)) !== 0) bridge.checkWritable();
      openFile(node.fs, node.ino, flags, (openFlags & FUSE_OPEN_KILL_SUIDGID) !== 0);
      reply.opened(0, OPEN_FLAGS);
    },

    create(request, { name, flags, mode, umask }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      const { fs, ino, tag } = node;
      try {
        createNode(fs, ino, name, S_IFREG | (mode & MODE_BITS), 0, umask, request, inode);
      } catch (error) {
        if (isTaken(error) && (flags & O_EXCL) === 0) throw staleName(error);
        throw error;
      }
      bridge.countLookup(tag, inode.ino);
      reply.created(bridge.fillEntry(tag, inode), 0, OPEN_FLAGS);
    },

    tmpfile(request, { mode, umask }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      createTemporary(node.fs, node.ino, mode, umask, request, inode);
      bridge.orphans.add(inode.ino);
      bridge.countLookup(node.tag, inode.ino);
      reply.created(bridge.fillEntry(node.tag, inode), 0, OPEN_FLAGS);
    },

    read(request, { offset, size, flags }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      const relatime = bridge.keepsAtime(node);
      const count = readFile(node.fs, node.ino, offset, size, reply.payload, 0, flags, relatime);
      if (count === NOT_CACHED) readLater(bridge, { fs: node.fs, ino: node.ino, offset }, size, flags, relatime, reply);
      else reply.data(count);
    },

    write(request, { offset, bytes, start, size, writeFlags, flags }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      const kill = (writeFlags & FUSE_WRITE_KILL_SUIDGID) !== 0;
      let count = writeFile(node.fs, node.ino, offset, bytes, start, size, kill);
      // Nobody looks at the count when a map is written back (fuse_writepage_end in fs/fuse/file.c): what the rest fails with has to be the answer.
      while (count < size && (writeFlags & FUSE_WRITE_CACHE) !== 0)
        count += writeFile(node.fs, node.ino, offset + count, bytes, start + count, size - count, kill);
      if ((flags & DIRECT_DURABLE) !== DIRECT_DURABLE) reply.written(count);
      else bridge.answerWhenDurable(reply, (later) => later.written(count));
    },

    release(_request, _body, reply) {
      reply.ok();
    },

    fsync(request, _body, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      node.fs.noteSync(node.ino);
      bridge.answerDurable(reply);
    },

    syncfs(_request, reply) {
      bridge.answerDurable(reply);
    },
  };
}

function isTaken(error: unknown): boolean {
  return error instanceof FsError && error.code === 'EEXIST';
}

/**
 * The kernel sends CREATE where it knows of no such name. If there is one after all, and O_CREAT without O_EXCL should
 * open it: at ESTALE the kernel looks the name up afresh and tries again (do_filp_open in fs/namei.c).
 */
function staleName(cause: unknown): FsError {
  return new FsError('ESTALE', 'create-of-existing', 'the name exists by now', { cause });
}
