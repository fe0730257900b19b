// What the daemon tells the kernel of its own accord. A notification takes locks in the kernel that a request may hold whose answer we
// owe (fs/fuse/dir.c, fuse_reverse_inval_entry takes the parent's lock), so none is ever written from the event loop: they wait in a
// bounded queue and leave one at a time through the channel's `sendLater`.

import { ERRNO } from '../../errors/index.ts';
import type { Log } from '../../util/index.ts';
import { FLAGS2_HAS_EXPIRE_ONLY, INC_EPOCH_MINOR } from '../wire/constants.ts';
import { encodeDelete, encodeIncEpoch, encodeInvalEntry, encodeInvalInode } from '../wire/encode-notify.ts';
import type { Channel } from './channel.ts';
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
    return this.#enqueue(encodeInvalInode(nodeHi, nodeLo, offset, lengthBytes));
  }

  invalEntry(parentHi: number, parentLo: number, name: Uint8Array): Promise<NotifyResult> {
    return this.#enqueue(encodeInvalEntry(parentHi, parentLo, name, false));
  }

  expireEntry(parentHi: number, parentLo: number, name: Uint8Array): Promise<NotifyResult> {
    return this.#enqueue(encodeInvalEntry(parentHi, parentLo, name, this.#expireOnly));
  }

  deleted(
    parentHi: number,
    parentLo: number,
    childHi: number,
    childLo: number,
    name: Uint8Array,
  ): Promise<NotifyResult> {
    return this.#enqueue(encodeDelete(parentHi, parentLo, childHi, childLo, name));
  }

  get hasEpoch(): boolean {
    return this.#minor >= INC_EPOCH_MINOR;
  }

  incEpoch(): Promise<NotifyResult> {
    // An older kernel would answer EINVAL; asking the version spares the question.
    if (!this.hasEpoch) return Promise.resolve('unsupported');
    return this.#enqueue(encodeIncEpoch());
  }

  #enqueue(message: Buffer): Promise<NotifyResult> {
    if (this.#closed || this.#minor === 0) return Promise.resolve('closed');
    if (this.#pending >= PENDING_MAX) return Promise.resolve('dropped');
    this.#pending++;
    const result = this.#tail.then(() => this.#sendOne(message));
    this.#tail = result;
    return result;
  }

  /** Never rejects, or the queue behind it would never move. */
  async #sendOne(message: Buffer): Promise<NotifyResult> {
    try {
      if (this.#closed) return 'closed';
      return resultOf(await this.#channel.sendLater(message));
    } catch (error) {
      this.#log.error(`a notification could not be sent: ${String(error)}`);
      return 'refused';
    } finally {
      this.#pending--;
    }
  }
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
