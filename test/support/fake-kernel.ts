/**
 * The kernel's end of a FUSE session, in process: sends requests, takes answers and judges them as fs/fuse/dev.c does. For an answer that the
 * real kernel would refuse or misread it throws in the test that waits for it, so wrong answers can't pass. What a mount looks like from
 * above it, with files and directories, is fake-mount.ts.
 */
import { OPCODE, opcodeName, type Channel, type OpcodeName, type RequestSink } from '../../src/fuse/index.ts';
import { MessageReader, MessageWriter } from './fuse-message.ts';

const ENOENT = 2;
const EINVAL = 22;
const ENODEV = 19;

/** Who asks. */
export interface Credentials {
  uid: number;
  gid: number;
  pid: number;
}

/** An answer: `error` is a positive errno or 0. */
export interface KernelReply {
  readonly error: number;
  readonly body: Buffer;
}

/** The error number that a request was answered with. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly errno: number;

  constructor(opcode: string, errno: number) {
    super(`${opcode} was answered with errno ${errno}`);
    this.errno = errno;
  }
}

/** A message that the server sent of its own accord: a FUSE_NOTIFY_ code and what follows the header. */
export interface KernelNotification {
  readonly code: number;
  readonly body: Buffer;
}

interface Pending {
  readonly opcode: number;
  /** What the kernel has room for, where that varies. */
  readonly room: number;
  settle: (reply: KernelReply | Error) => void;
}

/** The length of the body that the kernel insists on; `undefined`: anything up to the room that the request gave. */
const BODY_BYTES: Partial<Record<OpcodeName, number | undefined>> = {
  FUSE_LOOKUP: 128,
  FUSE_SYMLINK: 128,
  FUSE_MKNOD: 128,
  FUSE_MKDIR: 128,
  FUSE_LINK: 128,
  FUSE_GETATTR: 104,
  FUSE_SETATTR: 104,
  FUSE_OPEN: 16,
  FUSE_OPENDIR: 16,
  FUSE_CREATE: 144,
  FUSE_TMPFILE: 144,
  FUSE_WRITE: 8,
  FUSE_COPY_FILE_RANGE: 8,
  FUSE_COPY_FILE_RANGE_64: 8,
  FUSE_STATFS: 80,
  FUSE_LSEEK: 8,
  FUSE_STATX: 288,
  FUSE_READ: undefined,
  FUSE_READDIR: undefined,
  FUSE_READDIRPLUS: undefined,
  FUSE_READLINK: undefined,
  FUSE_GETXATTR: undefined,
  FUSE_LISTXATTR: undefined,
  FUSE_INIT: undefined,
};

const NO_REPLY: readonly number[] = [OPCODE.FUSE_FORGET, OPCODE.FUSE_BATCH_FORGET, OPCODE.FUSE_INTERRUPT];

export class FakeKernel implements Channel {
  /** Whom requests come from. */
  credentials: Credentials = { uid: 1000, gid: 1000, pid: 4242 };
  readonly notifications: KernelNotification[] = [];
  /** What the kernel says to a notification: 0 or an errno. */
  onNotification: (notification: KernelNotification) => number = () => 0;
  #sink: RequestSink | undefined;
  #lastUnique = 0n;
  readonly #pending = new Map<bigint, Pending>();
  #pauses = 0;
  readonly #waiting: Buffer[] = [];
  #closed = false;

  // The channel, as the session sees it.

  start(sink: RequestSink): void {
    this.#sink = sink;
  }

  pause(): void {
    this.#pauses++;
  }

  resume(): void {
    this.#pauses--;
    while (this.#waiting.length > 0 && !this.paused) this.#hand(this.#waiting.shift()!);
  }

  send(bytes: Buffer, lengthBytes: number): number {
    if (this.#closed) return ENODEV;
    return this.#judge(Buffer.from(bytes.subarray(0, lengthBytes)));
  }

  sendLater(bytes: Buffer): Promise<number> {
    const from = new MessageReader(Buffer.from(bytes));
    if (from.u32() !== bytes.length) return Promise.resolve(EINVAL);
    const code = from.u32();
    if (from.u64() !== 0n) return Promise.resolve(EINVAL);
    const notification = { code, body: from.take(from.left) };
    this.notifications.push(notification);
    return Promise.resolve(this.#closed ? ENODEV : this.onNotification(notification));
  }

  close(): void {
    this.unmount();
  }

  // The kernel, as a test sees it.

  get paused(): boolean {
    return this.#pauses > 0;
  }

  /** Requests without an answer so far. */
  get unanswered(): number {
    return this.#pending.size;
  }

  /** The unique of the request sent last, for {@link interrupt}. */
  get lastUnique(): bigint {
    return this.#lastUnique;
  }

  /** Ends the session as an unmount does; what is still unanswered fails. */
  unmount(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of this.#pending.values()) pending.settle(new Error('unmounted'));
    this.#pending.clear();
    this.#sink!.ended(error);
  }

  /**
   * Sends a request whose body is `body` and resolves with its answer, error or not. `room` is what the kernel has for an answer of variable
   * length. Rejects if the answer is one that the kernel would not take.
   */
  request(opcode: OpcodeName | number, node: bigint, body: Uint8Array, room = 0): Promise<KernelReply> {
    return new Promise((resolve, reject) => {
      this.#send(opcode, node, body, {
        opcode: typeof opcode === 'number' ? opcode : OPCODE[opcode],
        room,
        settle: (reply) => {
          if (reply instanceof Error) reject(reply);
          else resolve(reply);
        },
      });
    });
  }

  /** As {@link request}, for what must be answered before it returns. Throws KernelError if the answer is an error. */
  requestNow(opcode: OpcodeName, node: bigint, body: Uint8Array, room = 0): Buffer {
    const settled: (KernelReply | Error)[] = [];
    this.#send(opcode, node, body, { opcode: OPCODE[opcode], room, settle: (reply) => settled.push(reply) });
    const [reply] = settled;
    if (reply === undefined) throw new Error(`${opcode} was not answered at once`);
    if (reply instanceof Error) throw reply;
    if (reply.error !== 0) throw new KernelError(opcode, reply.error);
    return reply.body;
  }

  /** Sends a request that gets no answer: FORGET, BATCH_FORGET. */
  tell(opcode: OpcodeName, node: bigint, body: Uint8Array): void {
    this.#send(opcode, node, body, undefined);
  }

  /** Asks to give up on a request (by its unique). */
  interrupt(unique: bigint): void {
    this.#send('FUSE_INTERRUPT', 0n, new MessageWriter().u64(unique).bytes(), undefined);
  }

  /** Sends bytes as they are, well-formed or not. */
  sendRaw(message: Buffer): void {
    this.#hand(message);
  }

  #send(opcode: OpcodeName | number, node: bigint, body: Uint8Array, pending: Pending | undefined): void {
    const { uid, gid, pid } = this.credentials;
    const unique = (this.#lastUnique += 2n);
    if (pending !== undefined) this.#pending.set(unique, pending);
    const message = new MessageWriter()
      .u32(40 + body.length)
      .u32(typeof opcode === 'number' ? opcode : OPCODE[opcode])
      .u64(unique)
      .u64(node)
      .u32(uid)
      .u32(gid)
      .u32(pid)
      .u16(0)
      .u16(0)
      .raw(body)
      .bytes();
    if (this.paused) this.#waiting.push(message);
    else this.#hand(message);
  }

  #hand(message: Buffer): void {
    const { request } = this.#sink!;
    if (message.length > request.bytes.length) throw new Error(`no room for a request of ${message.length} bytes`);
    message.copy(request.bytes);
    this.#sink!.received(message.length);
    // The real buffer is read into again at once; a handler that kept a view of it must see rubbish.
    request.bytes.fill(0xee, 0, message.length);
  }

  /** What fuse_dev_do_write does with an answer. Gives the errno of the write. */
  #judge(message: Buffer): number {
    if (message.length < 16) return EINVAL;
    const from = new MessageReader(message);
    const length = from.u32();
    const error = from.u32() | 0;
    const unique = from.u64();
    const pending = this.#pending.get(unique);
    if (pending === undefined) return ENOENT;
    const name = opcodeName(pending.opcode);
    this.#pending.delete(unique);
    const body = from.take(from.left);
    const fault = faultOf(pending, length === message.length, error, body);
    if (fault !== undefined) {
      pending.settle(new Error(`${name}: the kernel refuses the answer: ${fault}`));
      return EINVAL;
    }
    pending.settle({ error: Math.abs(error), body });
    return 0;
  }
}

function faultOf(pending: Pending, lengthAgrees: boolean, error: number, body: Buffer): string | undefined {
  const name = opcodeName(pending.opcode) as OpcodeName;
  if (!lengthAgrees) return 'its length contradicts the header';
  if (NO_REPLY.includes(pending.opcode)) return 'it must not be answered';
  if (error > 0 || error <= -512) return `its error is ${error}`;
  if (error !== 0) return body.length === 0 ? undefined : 'an error has a body';
  if (name in BODY_BYTES) {
    const exact = BODY_BYTES[name];
    // The question for the size of an attribute is answered with fuse_getxattr_out.
    const wanted = exact ?? (name.endsWith('XATTR') && pending.room === 0 ? 8 : undefined);
    if (wanted !== undefined) return body.length === wanted ? undefined : `its body has ${body.length} bytes`;
    return body.length <= pending.room ? undefined : `its body has ${body.length} bytes where ${pending.room} fit`;
  }
  return body.length === 0 ? undefined : `its body has ${body.length} bytes where none is due`;
}
