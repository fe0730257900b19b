// READDIR, READDIRPLUS, FSYNCDIR.
//
// OPENDIR has no handler: the ENOSYS is remembered, opening a directory then costs no request, and the kernel keeps
// listings (FOPEN_CACHE_DIR, fuse_file_open in fs/fuse/file.c). They stay right: each change through the mount raises
// the directory's i_version (fuse_dir_changed), which is compared whenever a listing begins (fuse_readdir_cached in
// fs/fuse/readdir.c); changes from outside drop the pages (snapdir-changes.ts).

import type { FuseHandlers, ReadIn, Reply, Request } from '../fuse/index.ts';
import { CorruptionError } from '../errors/index.ts';
import {
  type Inode,
  Listing,
  ROOT_INO,
  S_IFDIR,
  SNAPDIR_INO,
  createInode,
  findInode,
  needDirectory,
  noteAccess,
} from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';
import { fillUncounted } from './fill.ts';
import { statInoHi } from './node-ids.ts';

const listing = new Listing();
const dir: Inode = createInode();

export function directoryHandlers(bridge: Bridge): FuseHandlers {
  return {
    readdir(request, body, reply) {
      begin(bridge, request, body);
      while (listing.next() && addPlain(bridge, reply));
      reply.dirents();
    },

    readdirplus(request, body, reply) {
      begin(bridge, request, body);
      while (listing.next() && addPlus(bridge, reply));
      reply.dirents();
    },

    fsyncdir(_request, _body, reply) {
      bridge.answerDurable(reply);
    },
  };
}

function begin(bridge: Bridge, request: Request, body: ReadIn): void {
  const { view, node } = bridge;
  node.resolve(view, request.nodeHi, request.nodeLo);
  needDirectory(node.fs, node.ino, dir);
  // Before the pass, which a change of the tree would end.
  if (bridge.keepsAtime(node)) noteAccess(node.fs, dir);
  const showsSnapdir = node.ino === ROOT_INO && node.isOwn(view) && view.snapdir === 'visible';
  listing.start(node.fs, dir, body.offset, showsSnapdir);
}

/** Whether the entry at hand is the ".." of a snapshot's root under `.snapshots`, and so stands for that directory. */
function leadsToSnapdir(bridge: Bridge): boolean {
  const { node, view } = bridge;
  return listing.kind === 'snapdir' || (listing.kind === 'parent' && node.ino === ROOT_INO && !node.isOwn(view));
}

function addPlain(bridge: Bridge, reply: Reply): boolean {
  const { nextOffset, type, bytes, nameStart, nameEnd, ino } = listing;
  const toSnapdir = leadsToSnapdir(bridge);
  const hi = toSnapdir ? 0 : statInoHi(bridge.view, bridge.node.tag, ino);
  const lo = toSnapdir ? SNAPDIR_INO : ino >>> 0;
  return reply.dirent(hi, lo, nextOffset, type, bytes, nameStart, nameEnd);
}

function addPlus(bridge: Bridge, reply: Reply): boolean {
  const { entry, node, view, inode } = bridge;
  const { kind, ino, nextOffset, bytes, nameStart, nameEnd } = listing;
  if (kind === 'entry') {
    if (!findInode(node.fs, ino, inode)) {
      throw new CorruptionError(`directory ${node.ino}`, `an entry of it leads to inode ${ino}, which is not there`);
    }
    bridge.fillEntry(node.tag, inode);
    const isAdded = reply.direntPlus(entry, nextOffset, bytes, nameStart, nameEnd);
    if (isAdded) bridge.countLookup(node.tag, ino);
    return isAdded;
  }
  if (kind === 'snapdir') {
    bridge.fillSnapdirEntry();
  } else {
    const toSnapdir = leadsToSnapdir(bridge);
    fillUncounted(entry, toSnapdir ? 0 : statInoHi(view, node.tag, ino), toSnapdir ? SNAPDIR_INO : ino >>> 0, S_IFDIR);
  }
  return reply.direntPlus(entry, nextOffset, bytes, nameStart, nameEnd);
}
