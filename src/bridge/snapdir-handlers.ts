// Requests about `.snapshots` itself. What is below it are ordinary nodes of snapshots and goes to the other handlers.
//
// Whatever is no look-up, listing, mkdir, rmdir or rename is refused with EPERM: nobody can make or change files here.
// So are moves across the border, for which EXDEV would lead mv to copy, beginning with a mkdir that takes a snapshot.

import { ERRNO, FsError } from '../errors/index.ts';
import type { FuseHandlers, Reply } from '../fuse/index.ts';
import {
  LATEST_INO,
  LATEST_PLACE,
  ROOT_INO,
  S_IFDIR,
  SNAPDIR_INO,
  SNAPDIR_LATEST,
  type Snapshot,
  findInode,
  fillSnapdirInode,
  latestTarget,
  lookupSnapshot,
  makeSnapshot,
  removeSnapshot,
  renameSnapshot,
  snapshotPlace,
  snapshotsBehind,
} from '../vfs/index.ts';
import { type Bridge, TRUST_MS } from './bridge.ts';
import { fillAttr, fillStatx, fillUncounted } from './fill.ts';
import { fillLatestEntry, isLatest } from './latest-handlers.ts';
import { isSnapdirNode, taggedHi } from './node-ids.ts';
import { syntheticHandlers } from './synthetic-handlers.ts';

const DT_LNK = 10;
const BEHIND_DOT = 1;
const BEHIND_DOT_DOT = 2;
const DOT = Buffer.from('.');
const DOT_DOT = Buffer.from('..');

export function snapdirHandlers(bridge: Bridge): FuseHandlers {
  return {
    ...syntheticHandlers(bridge),
    ...refusals(),
    ...attributes(bridge),
    ...snapshots(bridge),
    ...listings(bridge),
  };
}

function refusals(): FuseHandlers {
  const eperm = (_request: unknown, _body: unknown, reply: Reply): void => {
    reply.error(ERRNO.EPERM);
  };
  const eisdir = (_request: unknown, _body: unknown, reply: Reply): void => {
    reply.error(ERRNO.EISDIR);
  };
  return {
    ...{ create: eperm, mknod: eperm, symlink: eperm, tmpfile: eperm, unlink: eperm, link: eperm },
    ...{ open: eisdir, read: eisdir, write: eisdir, fallocate: eisdir, copyFileRange: eisdir, lseek: eisdir },
    release: (_request, _body, reply) => {
      reply.ok();
    },
    readlink: (_request, reply) => {
      reply.error(ERRNO.EINVAL);
    },
  };
}

function attributes(bridge: Bridge): FuseHandlers {
  const { view, inode, entry, statxOut } = bridge;
  return {
    getattr(_request, _body, reply) {
      fillSnapdirInode(view.volume, inode);
      fillAttr(entry.attr, inode, 0);
      reply.attr(entry.attr, TRUST_MS);
    },

    statx(_request, _body, reply) {
      fillSnapdirInode(view.volume, inode);
      fillStatx(statxOut, inode, 0);
      reply.statx(statxOut, TRUST_MS);
    },

    fsync(_request, _body, reply) {
      bridge.answerDurable(reply);
    },

    fsyncdir(_request, _body, reply) {
      bridge.answerDurable(reply);
    },

    syncfs(_request, reply) {
      bridge.answerDurable(reply);
    },
  };
}

function snapshots(bridge: Bridge): FuseHandlers {
  const { view, log } = bridge;
  return {
    lookup(_request, { name }, reply) {
      if (isLatest(name)) {
        const link = fillLatestEntry(bridge);
        // Trusted for no time: whether there is a snapshot may change through this very mount.
        if (link === undefined) reply.negativeEntry(0);
        else reply.entry(link);
        return;
      }
      const snapshot = lookupSnapshot(view.volume, name);
      if (snapshot === undefined) reply.negativeEntry(TRUST_MS);
      else answerRoot(bridge, snapshot, reply);
    },

    mkdir(request, { name }, reply) {
      // A copy: the next request comes into the same buffer.
      takeLater(bridge, Buffer.from(name), request.uid, reply);
    },

    rmdir(_request, { name }, reply) {
      const snapshot = removeSnapshot(view, name, bridge.checkRemovable);
      log.info(`snapshot ${view.volume.name}@${snapshot.label.name} was deleted with rmdir`);
      reply.ok();
    },

    rename(_request, { oldName, newDirHi, newDirLo, newName, flags }, reply) {
      if (!isSnapdirNode(newDirHi, newDirLo)) {
        throw new FsError('EPERM', 'snapdir-rename-out', 'a snapshot is not moved out of .snapshots; copy it');
      }
      renameSnapshot(view, oldName, newName, flags);
      reply.ok();
    },
  };
}

/** Answers a MKDIR of `uid`: the name of the user is read first, then the snapshot is taken as the volume is at that moment. */
function takeLater(bridge: Bridge, name: Uint8Array, uid: number, reply: Reply): void {
  bridge.answerLater(
    reply,
    () => takeDurably(bridge, name, uid),
    (later, snapshot) => {
      if (fillRoot(bridge, snapshot)) later.entry(bridge.entry);
      else later.error(ERRNO.ENOENT);
    },
  );
}

async function takeDurably(bridge: Bridge, name: Uint8Array, uid: number): Promise<Snapshot> {
  const { view, log } = bridge;
  const by = await bridge.userName(uid);
  const snapshot = await takeWithRoom(bridge, name, by);
  bridge.easePressure();
  // Where this fails the store takes no changes from then on, so the snapshot can't be taken back; whether it is there at the next start is open.
  await view.volumes.flush();
  log.info(`snapshot ${view.volume.name}@${snapshot.label.name} was taken with mkdir by ${by}`);
  return snapshot;
}

/** Where there is no space it tries once more after what may make some, as the session does for requests that are answered at once. */
async function takeWithRoom(bridge: Bridge, name: Uint8Array, by: string): Promise<Snapshot> {
  try {
    return makeSnapshot(bridge.view, name, by);
  } catch (error) {
    const wait = bridge.retryAfter(error);
    if (wait === undefined) throw error;
    await wait;
    return makeSnapshot(bridge.view, name, by);
  }
}

/** Fills the entry of the root of `snapshot`; false where it was deleted meanwhile. */
function fillRoot(bridge: Bridge, snapshot: Snapshot): boolean {
  if (!snapshot.filesystem.alive || !findInode(snapshot.filesystem, ROOT_INO, bridge.inode)) return false;
  bridge.fillEntry(snapshot.version.tag, bridge.inode);
  return true;
}

function answerRoot(bridge: Bridge, snapshot: Snapshot, reply: Reply): void {
  if (fillRoot(bridge, snapshot)) reply.entry(bridge.entry);
  else reply.error(ERRNO.EIO);
}

function listings(bridge: Bridge): FuseHandlers {
  const { view, entry } = bridge;
  return {
    readdir(_request, { offset }, reply) {
      const type = S_IFDIR >>> 12;
      const dots =
        (offset >= BEHIND_DOT || reply.dirent(0, SNAPDIR_INO, BEHIND_DOT, type, DOT)) &&
        (offset >= BEHIND_DOT_DOT || reply.dirent(0, ROOT_INO, BEHIND_DOT_DOT, type, DOT_DOT));
      let fits = dots;
      for (const snapshot of dots ? snapshotsBehind(view.volume, Math.max(offset, BEHIND_DOT_DOT)) : []) {
        const { version, label } = snapshot;
        const hi = taggedHi(version.tag, ROOT_INO);
        fits = reply.dirent(hi, ROOT_INO, snapshotPlace(snapshot), type, Buffer.from(label.accessPoint));
        if (!fits) break;
      }
      if (fits && offset < LATEST_PLACE && latestTarget(view.volume) !== undefined) {
        reply.dirent(0, LATEST_INO, LATEST_PLACE, DT_LNK, SNAPDIR_LATEST);
      }
      reply.dirents();
    },

    readdirplus(_request, { offset }, reply) {
      let fits = addDots(bridge, offset, reply);
      for (const snapshot of fits ? snapshotsBehind(view.volume, Math.max(offset, BEHIND_DOT_DOT)) : []) {
        if (!fillRoot(bridge, snapshot)) continue;
        fits = reply.direntPlus(entry, snapshotPlace(snapshot), Buffer.from(snapshot.label.accessPoint));
        if (!fits) break;
      }
      if (fits && offset < LATEST_PLACE) {
        const link = fillLatestEntry(bridge);
        if (link !== undefined) reply.direntPlus(link, LATEST_PLACE, SNAPDIR_LATEST);
      }
      reply.dirents();
    },
  };
}

function addDots({ entry }: Bridge, offset: number, reply: Reply): boolean {
  if (offset < BEHIND_DOT) {
    fillUncounted(entry, 0, SNAPDIR_INO, S_IFDIR);
    if (!reply.direntPlus(entry, BEHIND_DOT, DOT)) return false;
  }
  if (offset < BEHIND_DOT_DOT) {
    fillUncounted(entry, 0, ROOT_INO, S_IFDIR);
    if (!reply.direntPlus(entry, BEHIND_DOT_DOT, DOT_DOT)) return false;
  }
  return true;
}
