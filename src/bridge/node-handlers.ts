// Requests about names: LOOKUP, MKNOD, MKDIR, SYMLINK, LINK, UNLINK, RMDIR, RENAME, RENAME2, READLINK.

import type { FuseHandlers, Request } from '../fuse/index.ts';
import {
  MODE_BITS,
  ROOT_INO,
  S_IFDIR,
  type View,
  createNode,
  createSymlink,
  isSnapdirName,
  link,
  lookup,
  readlink,
  rename,
  rmdir,
  unlink,
} from '../vfs/index.ts';
import { FsError } from '../errors/index.ts';
import { type Bridge, TRUST_MS } from './bridge.ts';

export function nodeHandlers(bridge: Bridge): FuseHandlers {
  const { view, node, other, inode, orphans } = bridge;
  return {
    lookup(request, { name }, reply) {
      if (view.filesystem.halfChanged !== undefined && leadsToSnapshots(view, request, name)) {
        // They can be seen also where the files themselves can't.
        reply.entry(bridge.fillSnapdirEntry());
        return;
      }
      node.resolve(view, request.nodeHi, request.nodeLo);
      const { fs, ino, tag } = node;
      if (lookup(fs, ino, name, inode)) bridge.answerEntry(reply, tag, inode);
      else if (isSnapdirName(fs, ino, name) && view.snapdir !== 'disabled') reply.entry(bridge.fillSnapdirEntry());
      else reply.negativeEntry(TRUST_MS);
    },

    mknod(request, { name, mode, rdev, umask }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      createNode(node.fs, node.ino, name, mode, rdev, umask, request, inode);
      bridge.answerEntry(reply, node.tag, inode);
    },

    mkdir(request, { name, mode, umask }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      createNode(node.fs, node.ino, name, S_IFDIR | (mode & MODE_BITS), 0, umask, request, inode);
      bridge.answerEntry(reply, node.tag, inode);
    },

    symlink(request, { name, target }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      createSymlink(node.fs, node.ino, name, target, request, inode);
      bridge.answerEntry(reply, node.tag, inode);
    },

    link(request, { oldNodeHi, oldNodeLo, newName }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      other.resolve(view, oldNodeHi, oldNodeLo);
      if (node.fs !== other.fs) throw new FsError('EXDEV', 'link-across', 'a link does not cross snapshots');
      link(node.fs, other.ino, node.ino, newName, inode);
      orphans.named(inode.ino);
      bridge.answerEntry(reply, node.tag, inode);
    },

    unlink(request, { name }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      orphans.add(unlink(node.fs, node.ino, name));
      reply.ok();
    },

    rmdir(request, { name }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      orphans.add(rmdir(node.fs, node.ino, name));
      reply.ok();
    },

    rename(request, { oldName, newDirHi, newDirLo, newName, flags }, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      other.resolve(view, newDirHi, newDirLo);
      if (node.fs !== other.fs) throw new FsError('EXDEV', 'rename-across', 'a rename does not cross snapshots');
      orphans.add(rename(node.fs, node.ino, oldName, other.ino, newName, flags, request));
      reply.ok();
    },

    readlink(request, reply) {
      node.resolve(view, request.nodeHi, request.nodeLo);
      reply.data(readlink(node.fs, node.ino, reply.payload, bridge.keepsAtime(node)));
    },
  };
}

/** Whether `name` in the directory of `request` is `.snapshots` in the root of the mount. */
function leadsToSnapshots({ filesystem, snapdir }: View, request: Request, name: Uint8Array): boolean {
  const isRoot = request.nodeHi === 0 && request.nodeLo === ROOT_INO;
  return isRoot && snapdir !== 'disabled' && isSnapdirName(filesystem, ROOT_INO, name);
}
