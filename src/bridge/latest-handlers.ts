// Requests about `.snapshots/latest`, a symlink. The kernel keeps the target of a symlink for as long as it keeps the
// node, so the nodeid has the target in it: with another target it is another node, and the name is trusted for no time
// at all. Nothing has to be told to the kernel then, which matters for changes through the mount itself: what was
// sent after their answer would come too late for whoever looks at once.

import { crc32 } from 'node:zlib';
import { FsError } from '../errors/index.ts';
import type { EntryOut, FuseHandlers } from '../fuse/index.ts';
import { SNAPDIR_LATEST, fillLatestInode, latestTarget } from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';
import { fillAttr, fillStatx } from './fill.ts';
import { LATEST_NODE_HI } from './node-ids.ts';
import { syntheticHandlers } from './synthetic-handlers.ts';

/** The low half of the nodeid of the link with this target. */
function nodeLoOf(target: string): number {
  return crc32(target);
}

/** Whether `name` in `.snapshots` is that of the link. */
export function isLatest(name: Uint8Array): boolean {
  return name.length === SNAPDIR_LATEST.length && SNAPDIR_LATEST.equals(name);
}

/** Fills the entry of the link; undefined where there is no snapshot, and so no link. */
export function fillLatestEntry(bridge: Bridge): EntryOut | undefined {
  const { view, inode, entry } = bridge;
  const target = latestTarget(view.volume);
  if (target === undefined) return undefined;
  fillLatestInode(view.volume, target, inode);
  entry.nodeHi = LATEST_NODE_HI;
  entry.nodeLo = nodeLoOf(target);
  entry.entryTimeoutMs = 0;
  entry.attrTimeoutMs = 0;
  fillAttr(entry.attr, inode, 0);
  return entry;
}

/** The target of the link that the nodeid stands for. Throws FsError ESTALE where it has another by now: the kernel looks it up afresh. */
function targetOf(bridge: Bridge, nodeLo: number): string {
  const target = latestTarget(bridge.view.volume);
  if (target !== undefined && nodeLoOf(target) === nodeLo) return target;
  throw new FsError('ESTALE', 'latest-moved', 'a newer snapshot is the latest by now');
}

/** The handlers for what the kernel asks of a symlink; it asks nothing else. */
export function latestHandlers(bridge: Bridge): FuseHandlers {
  const { view, inode, entry, statxOut } = bridge;
  return {
    ...syntheticHandlers(bridge),

    getattr(request, _body, reply) {
      fillLatestInode(view.volume, targetOf(bridge, request.nodeLo), inode);
      fillAttr(entry.attr, inode, 0);
      reply.attr(entry.attr, 0);
    },

    statx(request, _body, reply) {
      fillLatestInode(view.volume, targetOf(bridge, request.nodeLo), inode);
      fillStatx(statxOut, inode, 0);
      reply.statx(statxOut, 0);
    },

    readlink(request, reply) {
      reply.bytes(Buffer.from(targetOf(bridge, request.nodeLo)));
    },
  };
}
