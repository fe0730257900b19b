// What the daemon tells the kernel of its own accord. A notification takes locks in the kernel that a request may hold whose answer we
// owe (fs/fuse/dir.c, fuse_reverse_inval_entry takes the parent's lock), so none is ever written from the event loop: they wait in a
// bounded queue and leave one at a time through the channel's `sendLater`, or in groups that stay together through `sendManyLater`.

import { ERRNO } from '../../errors/index.ts';
import type { Log } from '../../util/index.ts';
import { FLAGS2_HAS_EXPIRE_ONLY, INC_EPOCH_MINOR } from '../wire/constants.ts';
import { encodeDelete, encodeIncEpoch, encodeInvalEntry, encodeInvalInode } from '../wire/encode-notify.ts';
import { FUSE_NOTIFY_INVAL_INODE_OUT, FUSE_OUT_HEADER } from '../wire/layout.ts';
import type { Channel, SendOutcome } from './channel.ts';
import type { SessionLimits } from './handlers.ts';

/**
 * What became of a notification. `done`: the kernel took it. `unknown`: it caches nothing of that kind (ENOENT), which is as good.
 * `unsupported`: this kernel has no such notification. `refused`: it could not do it (for example ENOTEMPTY for a mount point below).
 * `dropped`: too many were waiting. `closed`: the session ended.
 */
export type NotifyResult = 'done' | 'unknown' | 'unsupported' | 'refused' | 'dropped' | 'closed';

/** The side of the kernel's caches. No method throws or rejects; each settles when the kernel has answered. */
export interface Notifier {
  /**
   * Cached attributes of a node are stale, and so are its cached data from byte `offset` on for `lengthBytes` (0: to the end). With
   * `offset` -1 the data stay.
   */
  invalInode(nodeHi: number, nodeLo: number, offset: number, lengthBytes: number): Promise<NotifyResult>;
  /**
   * Attributes and all cached data of many nodes are stale: pairs of the lower and the upper half of a nodeid. They are told in order;
   * others may be told of other things in between. Gives `done` if the kernel caches nothing of them any more, else what became of the
   * first that failed.
   */
  invalInodes(nodes: Uint32Array): Promise<NotifyResult>;
  /** What `name` in a directory stands for is stale. The name is copied. */
  invalEntry(parentHi: number, parentLo: number, name: Uint8Array): Promise<NotifyResult>;
  /** The same, but mounts below stay and what is open stays as it is: the name is looked up again. Before 7.38 as `invalEntry`. */
  expireEntry(parentHi: number, parentLo: number, name: Uint8Array): Promise<NotifyResult>;
  /** `name` stood for the child and is gone; people see that at once (inotify too). The name is copied. */
  deleted(
    parentHi: number,
    parentLo: number,
    childHi: number,
    childLo: number,
    name: Uint8Array,
  ): Promise<NotifyResult>;
  /** Every cached name of the mount is looked up again before it is used. `unsupported` before 7.44 (Linux 6.16). */
  incEpoch(): Promise<NotifyResult>;
  /** Whether the kernel has `incEpoch`. */
  readonly hasEpoch: boolean;
  /** Notifications that wait or are under way. */
  readonly pending: number;
}

/** More than this are dropped: whoever has that many stale entries is to use `incEpoch`. A message is at most some 300 bytes. */
const PENDING_MAX = 65_536;

/** So many notifications or more are worth the start of a thread: 30 ms or more, against some 20 us each. */
const MANY = 2048;
/** Notifications in a group at most: some 15 ms, for which those of other mounts wait. */
const GROUP = 4096;

export class SessionNotifier implements Notifier {
  readonly #channel: Channel;
  readonly #log: Log;
  #minor = 0;
  #expireOnly = false;
  #closed = false;
  #pending = 0;
  /** Settles when the last of the queue has left. Only `#enqueue` replaces it. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(channel: Channel, log: Log) {
    this.#channel = channel;
    this.#log = log;
  }

  get pending(): number {
    return this.#pending;
  }

  /** The kernel takes notifications from INIT on. */
  open(limits: SessionLimits): void {
    this.#minor = limits.minor;
    this.#expireOnly = (limits.flags2 & FLAGS2_HAS_EXPIRE_ONLY) !== 0;
  }

  close(): void {
    this.#closed = true;
  }

  invalInode(nodeHi: number, nodeLo: number, offset: number, lengthBytes: number): Promise<NotifyResult> {
    return this.#enqueueOne(encodeInvalInode(nodeHi, nodeLo, offset, lengthBytes));
  }

  async invalInodes(nodes: Uint32Array): Promise<NotifyResult> {
    const isMany = this.#channel.sendManyLater !== undefined && nodes.length >= 2 * MANY;
    const step = isMany ? 2 * GROUP : 2;
    let overall: NotifyResult = 'done';
    for (let at = 0; at < nodes.length; at += step) {
      const group = nodes.subarray(at, at + step);
      const result = await this.#enqueue(group.length / 2, () =>
        isMany ? this.#sendGroup(group) : this.#sendEach(group),
      );
      if (result === 'closed') return result;
      if (overall === 'done') overall = result;
    }
    return overall;
  }

  invalEntry(parentHi: number, parentLo: number, name: Uint8Array): Promise<NotifyResult> {
    return this.#enqueueOne(encodeInvalEntry(parentHi, parentLo, name, false));
  }

  expireEntry(parentHi: number, parentLo: number, name: Uint8Array): Promise<NotifyResult> {
    return this.#enqueueOne(encodeInvalEntry(parentHi, parentLo, name, this.#expireOnly));
  }

  deleted(
    parentHi: number,
    parentLo: number,
    childHi: number,
    childLo: number,
    name: Uint8Array,
  ): Promise<NotifyResult> {
    return this.#enqueueOne(encodeDelete(parentHi, parentLo, childHi, childLo, name));
  }

  get hasEpoch(): boolean {
    return this.#minor >= INC_EPOCH_MINOR;
  }

  incEpoch(): Promise<NotifyResult> {
    // An older kernel would answer EINVAL; asking the version spares the question.
    if (!this.hasEpoch) return Promise.resolve('unsupported');
    return this.#enqueueOne(encodeIncEpoch());
  }

  #enqueueOne(message: Buffer): Promise<NotifyResult> {
    return this.#enqueue(1, () => this.#channel.sendLater(message));
  }

  #enqueue(count: number, send: () => Promise<SendOutcome>): Promise<NotifyResult> {
    if (this.#closed || this.#minor === 0) return Promise.resolve('closed');
    if (this.#pending >= PENDING_MAX) return Promise.resolve('dropped');
    this.#pending += count;
    const result = this.#tail.then(() => this.#sendNext(count, send));
    this.#tail = result;
    return result;
  }

  /** Never rejects, or the queue behind it would never move. */
  async #sendNext(count: number, send: () => Promise<SendOutcome>): Promise<NotifyResult> {
    try {
      if (this.#closed) return 'closed';
      return resultOf(await send());
    } catch (error) {
      this.#log.error(`a notification could not be sent: ${String(error)}`);
      return 'refused';
    } finally {
      this.#pending -= count;
    }
  }

  async #sendGroup(nodes: Uint32Array): Promise<SendOutcome> {
    try {
      return await this.#channel.sendManyLater!(encodeInvalInodes(nodes));
    } catch (error) {
      // To tell the kernel twice of what is stale does no harm.
      this.#log.warn(`notifications leave one by one, which takes longer: ${String(error)}`);
      return this.#sendEach(nodes);
    }
  }

  async #sendEach(nodes: Uint32Array): Promise<SendOutcome> {
    let outcome = 0;
    for (let at = 0; at < nodes.length; at += 2) {
      if (this.#closed) return outcome || ERRNO.EBADF;
      const errno = await this.#channel.sendLater(encodeInvalInode(nodes[at + 1]!, nodes[at]!, 0, 0));
      if (errno !== ERRNO.ENOENT) outcome ||= errno;
    }
    return outcome;
  }
}

/** FUSE_NOTIFY_INVAL_INODE for each node, one message behind the other. */
function encodeInvalInodes(nodes: Uint32Array): Buffer<ArrayBuffer> {
  const message = encodeInvalInode(0, 0, 0, 0);
  const messages = Buffer.alloc((nodes.length / 2) * message.length, message);
  let at = FUSE_OUT_HEADER.SIZE + FUSE_NOTIFY_INVAL_INODE_OUT.ino;
  for (let i = 0; i < nodes.length; i += 2, at += message.length) {
    messages.writeUInt32LE(nodes[i]!, at);
    messages.writeUInt32LE(nodes[i + 1]!, at + 4);
  }
  return messages;
}

function resultOf(errno: number): NotifyResult {
  switch (errno) {
    case 0:
      return 'done';
    case ERRNO.ENOENT:
      return 'unknown';
    // A code that this kernel does not have is EINVAL (fs/fuse/dev.c, fuse_notify).
    case ERRNO.EINVAL:
    case ERRNO.ENOSYS:
      return 'unsupported';
    case ERRNO.ENODEV:
    case ERRNO.ENOTCONN:
    case ERRNO.EBADF:
      return 'closed';
    default:
      return 'refused';
  }
}
