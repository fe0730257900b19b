// A restore puts other files into a mount that stays where it is. Their nodeids carry a new tag, so what the kernel
// holds of before leads nowhere (ESTALE); here it is told to let go of it. Only the root and `.snapshots` keep their
// nodeids.
//
// Names. NOTIFY_INC_EPOCH has every name looked up again. Before Linux 6.16 each name of the root is invalidated, those
// of before and those of now (the kernel may remember that there is none): with a name goes all that is cached below
// it (d_invalidate in fs/dcache.c), and what is found anew has other nodeids, with nothing cached.
//
// Attributes, pages and listings of before are reached only by whoever had them open or mapped, or works in such a
// directory. The kernel does not say which those are, so it is told of all that it holds. This may take a while, and
// meanwhile they see the files of before, as they did when they opened them; they change nothing, whatever they write.

import { FUSE_ROOT_ID, type Notifier } from '../fuse/index.ts';
import { Listing, ROOT_INO, type View, createInode, needDirectory } from '../vfs/index.ts';
import type { Bridge } from './bridge.ts';
import { SNAPDIR_NODE_LO, taggedHi } from './node-ids.ts';
import { invalidateSnapshots } from './snapdir-changes.ts';
import { U32_SPAN } from '../util/index.ts';

/** Tells of a restore that was done; `names` are the access points of snapshots that it made. */
export type AfterRestore = (names: readonly string[]) => Promise<void>;

/** Names that wait for the kernel at a time. */
const GROUP = 256;

/**
 * To be called right before the volume is restored; what it gives, right after, with nothing in between: the look-ups
 * counted from then on are those of the files of now. That resolves when the kernel has let go of what was before;
 * it never rejects.
 */
export function beforeRestore(bridge: Bridge): AfterRestore {
  const { session, view } = bridge;
  const tagBefore = view.tag;
  const needsNames = session !== undefined && !session.notify.hasEpoch;
  const namesBefore = needsNames ? namesOfRoot(view) : [];
  return async (names) => {
    const held = bridge.lookups.takeAll();
    // They are in a frozen version now, or being taken apart with it: under their numbers there may be other files.
    bridge.orphans.clear();
    if (session === undefined) return;
    const { notify } = session;
    const rootNames = needsNames ? [...namesBefore, ...namesAfter(bridge)] : [];
    await Promise.all([notify.incEpoch(), invalidateRoot(notify), invalidateSnapshots(bridge, names)]);
    for (const group of groupsOf(rootNames)) {
      await Promise.all(group.map((name) => notify.invalEntry(0, FUSE_ROOT_ID, name)));
    }
    await notify.invalInodes(nodesOf(tagBefore, held));
    // Again, for the answer to a request of before that the kernel took in only after the first time.
    await Promise.all([invalidateRoot(notify), notify.invalInode(0, SNAPDIR_NODE_LO, 0, 0)]);
  };
}

/** Attributes and, from byte 0 on, the listing. */
function invalidateRoot(notify: Notifier): Promise<unknown> {
  return notify.invalInode(0, FUSE_ROOT_ID, 0, 0);
}

/** Their nodeids as `invalInodes` takes them. */
function nodesOf(tag: number, inos: readonly number[]): Uint32Array {
  const nodes = new Uint32Array(2 * inos.length);
  for (const [index, ino] of inos.entries()) {
    nodes[2 * index] = ino % U32_SPAN;
    nodes[2 * index + 1] = taggedHi(tag, ino);
  }
  return nodes;
}

/** The names in the root but `.snapshots`, which stays; each a copy. */
function namesOfRoot(view: View): Uint8Array[] {
  const root = createInode();
  needDirectory(view.filesystem, ROOT_INO, root);
  const listing = new Listing();
  listing.start(view.filesystem, root, 0, false);
  const names: Uint8Array[] = [];
  while (listing.next()) {
    if (listing.kind === 'entry') names.push(listing.bytes.slice(listing.nameStart, listing.nameEnd));
  }
  return names;
}

/** The names in the root that was restored; none where they can't be read, as the kernel is to hear at least of those of before. */
function namesAfter({ view, log }: Bridge): Uint8Array[] {
  try {
    return namesOfRoot(view);
  } catch (error) {
    view.volumes.noteDamage(error);
    log.error(`names of the restored root: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function* groupsOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += GROUP) yield items.slice(at, at + GROUP);
}
