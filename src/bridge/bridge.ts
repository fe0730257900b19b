// What the handlers of one mount share. Handlers run one at a time and to their end (or until they defer), so one set
// of scratch objects serves all.

import { type DeferredReply, EntryOut, StatfsOut, StatxOut, type Notifier, type Reply } from '../fuse/index.ts';
import { FsError } from '../errors/index.ts';
import { noLog, type Log } from '../util/index.ts';
import {
  type Inode,
  S_ISGID,
  S_ISUID,
  type Snapshot,
  type View,
  createInode,
  fillSnapdirInode,
  isRegular,
} from '../vfs/index.ts';
import { fillAttr } from './fill.ts';
import { LookupCounts } from './lookup-counts.ts';
import { Node, SNAPDIR_NODE_LO, putNodeId, statInoHi, type Halves } from './node-ids.ts';
import { Orphans } from './orphans.ts';

/**
 * How long the kernel may trust names, attributes and the absence of names: a day. The daemon is the only writer, so
 * what the kernel has cached goes stale only by what is done from outside of the mount, and then it is told so
 * (snapdir-changes.ts, restored.ts).
 */
export const TRUST_MS = 24 * 60 * 60 * 1000;

/**
 * How long it may trust the attributes of `inode`. Not at all where a write by somebody else takes power from a program: after a WRITE it reads
 * size and times again, but not the mode (fuse_write_update_attr in fs/fuse/file.c), and would run the changed program with the old power.
 */
export function attrTrustMs(inode: Inode): number {
  return (inode.mode & (S_ISUID | S_ISGID)) !== 0 && isRegular(inode.mode) ? 0 : TRUST_MS;
}

export interface BridgeOptions {
  readonly log?: Log;
  /**
   * Throws FsError EBUSY where `snapshot` must not be deleted with rmdir, for example since it is mounted elsewhere.
   */
  readonly checkRemovable?: (snapshot: Snapshot) => void;
  /** The name of the user with this number, for what shows who did something. Never rejects. Default: the number. */
  readonly userName?: (uid: number) => Promise<string>;
  /** The room on the store's host, as the store tells it; without it there is always enough. */
  readonly room?: HostRoom;
}

/** What the bridge has to know of the room on the host. */
export interface HostRoom {
  mayGrow(uncommittedBytes: number): boolean;
  isTight(uncommittedBytes: number): boolean;
}

const ROOM_ENOUGH: HostRoom = { mayGrow: () => true, isTight: () => false };

/** What the bridge needs of a session once it is mounted. */
export interface BridgeSession {
  readonly notify: Notifier;
  pause(): void;
  resume(): void;
}

export class Bridge {
  readonly view: View;
  readonly log: Log;
  readonly checkRemovable: (snapshot: Snapshot) => void;
  readonly userName: (uid: number) => Promise<string>;
  readonly lookups = new LookupCounts();
  readonly orphans: Orphans;

  /** The node of the request at hand, and the second one where there are two. */
  readonly node: Node;
  readonly other: Node;
  readonly inode: Inode = createInode();
  readonly entry = new EntryOut();
  readonly statxOut = new StatxOut();
  readonly statfsOut = new StatfsOut();

  session: BridgeSession | undefined;
  readonly #room: HostRoom;
  readonly #halves: Halves = { hi: 0, lo: 0 };
  #holding = false;

  constructor(view: View, options: BridgeOptions) {
    this.view = view;
    this.log = options.log ?? noLog;
    this.checkRemovable = options.checkRemovable ?? (() => undefined);
    this.userName = options.userName ?? ((uid) => Promise.resolve(`uid ${uid}`));
    this.orphans = new Orphans(view, this.log);
    this.#room = options.room ?? ROOM_ENOUGH;
    this.node = new Node(view);
    this.other = new Node(view);
    this.entry.entryTimeoutMs = TRUST_MS;
    this.entry.attrTimeoutMs = TRUST_MS;
  }

  /** Whether reading `node` may move its atime. */
  keepsAtime(node: Node): boolean {
    return this.view.atime === 'relatime' && !this.view.readOnly && node.isOwn(this.view);
  }

  /** Throws FsError EROFS where the mount takes no changes. Snapshots refuse them by themselves. */
  checkWritable(): void {
    if (this.view.readOnly) throw new FsError('EROFS', 'mount-read-only', 'this mount is read-only');
  }

  /**
   * Throws FsError ENOSPC where the host has no room for more names and attributes in the directory or file whose nodeid begins with
   * `nodeHi`: the rest is for what makes room again. Snapshots refuse changes by themselves.
   */
  checkRoom(nodeHi: number): void {
    const tag = nodeHi >>> 8;
    if (tag !== 0 && tag !== this.view.tag) return;
    if (this.#room.mayGrow(this.#uncommittedBytes)) return;
    throw new FsError(
      'ENOSPC',
      'host-full-for-growth',
      "the host's filesystem is full but for what deleting needs; delete files or snapshots, or free space on the host",
    );
  }

  get #uncommittedBytes(): number {
    return this.view.volumes.forest.nodes.dirtyBytes;
  }

  /**
   * What to wait for before an operation that failed with `error` is tried once more: where there was no space, on the host or of the quota, but
   * some is on its way back, or a commit makes some, as what was freed can be used again after it. Undefined where that does not help.
   */
  retryAfter(error: unknown): Promise<void> | undefined {
    const { filesystem, volumes } = this.view;
    const { background, store } = volumes;
    if (!(error instanceof FsError)) return undefined;
    if (error.code === 'EDQUOT') return background.isReaping(filesystem) ? background.reaped() : undefined;
    if (error.code !== 'ENOSPC') return undefined;
    const isFreed = store.allocator.pendingBlocks > 0 || this.#uncommittedBytes > 0;
    return isFreed || background.findSpace() ? this.#makeRoom() : undefined;
  }

  async #makeRoom(): Promise<void> {
    const { volumes } = this.view;
    await volumes.background.settled();
    try {
      await volumes.commit();
      volumes.store.giveBack();
    } catch {
      // Nothing has become free: the operation fails as it did.
    }
  }

  /** Fills `entry` for `inode` of the version with `tag`, without counting a look-up. */
  fillEntry(tag: number, inode: Inode): EntryOut {
    const { entry, view } = this;
    putNodeId(view, tag, inode.ino, this.#halves);
    entry.nodeHi = this.#halves.hi;
    entry.nodeLo = this.#halves.lo;
    entry.entryTimeoutMs = TRUST_MS;
    entry.attrTimeoutMs = attrTrustMs(inode);
    fillAttr(entry.attr, inode, statInoHi(view, tag, inode.ino));
    return entry;
  }

  /** Fills `entry` for `.snapshots`. */
  fillSnapdirEntry(): EntryOut {
    const { entry } = this;
    fillSnapdirInode(this.view.volume, this.inode);
    entry.nodeHi = 0;
    entry.nodeLo = SNAPDIR_NODE_LO;
    entry.entryTimeoutMs = TRUST_MS;
    entry.attrTimeoutMs = TRUST_MS;
    fillAttr(entry.attr, this.inode, 0);
    return entry;
  }

  /**
   * The kernel was sent an entry for inode `ino` of the version with `tag`. Only live inodes can lose their names, so
   * only they are counted.
   */
  countLookup(tag: number, ino: number): void {
    if (tag === this.view.tag) this.lookups.add(ino);
  }

  /** Answers with the entry of `inode` of the version with `tag`. */
  answerEntry(reply: Reply, tag: number, inode: Inode): void {
    this.countLookup(tag, inode.ino);
    reply.entry(this.fillEntry(tag, inode));
  }

  /**
   * Answers later, as all requests are that have to wait: `answer` does so, in one stretch, when `wait` has resolved. What either of them
   * throws is the answer, unless the request was interrupted and has its answer. Damage is noted in the very stretch in which `answer` meets
   * it: a commit may be waiting for the end of that, and what was done by half must not be in it.
   */
  answerLater<Found>(
    reply: Reply,
    wait: (later: DeferredReply) => Promise<Found>,
    answer: (later: DeferredReply, found: Found) => void,
  ): void {
    void this.#answerLater(reply.defer(), wait, answer);
  }

  async #answerLater<Found>(
    later: DeferredReply,
    wait: (later: DeferredReply) => Promise<Found>,
    answer: (later: DeferredReply, found: Found) => void,
  ): Promise<void> {
    try {
      const found = await wait(later);
      const room = later.done ? undefined : this.#attempt(() => answer(later, found));
      if (room === undefined) return;
      await room;
      if (!later.done) answer(later, found);
    } catch (error) {
      this.view.volumes.noteDamage(error);
      if (!later.done || !later.interrupted) later.fail(error);
    }
  }

  /** What to wait for before what `answer` does is tried once more, as the session does for requests that are answered at once. */
  #attempt(answer: () => void): Promise<void> | undefined {
    try {
      answer();
      return undefined;
    } catch (error) {
      const room = this.retryAfter(error);
      if (room === undefined) throw error;
      return room;
    }
  }

  /** Answers when everything that was done so far is durable. */
  answerDurable(reply: Reply): void {
    const { volumes } = this.view;
    if (volumes.flushNow()) reply.ok();
    else this.answerWhenDurable(reply, (later) => later.ok());
  }

  /** Answers with `answer` when everything that was done so far is durable, which is not looked at before. */
  answerWhenDurable(reply: Reply, answer: (later: DeferredReply) => void): void {
    this.answerLater(reply, () => this.view.volumes.flush(), answer);
  }

  /**
   * To be called after each change: while more waits to be written than memory should hold, or than a host that is
   * nearly full can take at once, no further requests are taken in. They wait in the kernel, and with them whoever
   * writes faster than the disk does.
   */
  easePressure(): void {
    const { session, view } = this;
    if (this.#holding || session === undefined) return;
    if (!view.volumes.overloaded && !this.#room.isTight(this.#uncommittedBytes)) return;
    this.#holding = true;
    session.pause();
    const goOn = (): void => {
      this.#holding = false;
      session.resume();
    };
    // Whether the commit succeeded those hear who wait for one.
    view.volumes.commit().then(goOn, goOn);
  }
}
