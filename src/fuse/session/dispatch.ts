// The table from an opcode to what is done about it: decode the body into an object that is reused, then call the handler. Built once per
// session; a request costs two calls and no allocation, names and values (views into the request) excepted.

import type { ErrnoName } from '../../errors/index.ts';
import { ERRNO } from '../../errors/index.ts';
import {
  AccessIn,
  CopyFileRangeIn,
  CreateIn,
  FallocateIn,
  FlushIn,
  FsyncIn,
  GetattrIn,
  GetxattrIn,
  IoctlIn,
  LinkIn,
  LseekIn,
  MknodIn,
  NameIn,
  OpenIn,
  ReadIn,
  ReleaseIn,
  RenameIn,
  SetattrIn,
  SetxattrIn,
  StatxIn,
  SymlinkIn,
  WriteIn,
} from '../wire/bodies.ts';
import { decodeAccess, decodeGetattr, decodeSetattr, decodeStatx } from '../wire/decode-attr.ts';
import {
  decodeCreate,
  decodeFlush,
  decodeFsync,
  decodeOpen,
  decodeRead,
  decodeRelease,
  decodeWrite,
} from '../wire/decode-file.ts';
import {
  decodeLink,
  decodeMkdir,
  decodeMknod,
  decodeName,
  decodeRename,
  decodeRename2,
  decodeSymlink,
} from '../wire/decode-node.ts';
import { decodeCopyFileRange, decodeFallocate, decodeIoctl, decodeLseek } from '../wire/decode-range.ts';
import { decodeGetxattr, decodeListxattr, decodeSetxattr, decodeSetxattrExt } from '../wire/decode-xattr.ts';
import { OPCODE, OPCODE_SPAN, type OpcodeName } from '../wire/opcodes.ts';
import type { RequestBuffer } from '../wire/request-buffer.ts';
import type { CurrentReply } from './current-reply.ts';
import type { FuseHandlers, Reply, Request } from './handlers.ts';
import { REFUSED } from './refused.ts';

/** Serves one request whose header is decoded. */
export type Step = (request: Request, buffer: RequestBuffer, reply: CurrentReply) => void;

type Decode<Body> = (body: Body, buffer: RequestBuffer) => void;
type Handler<Body> = ((request: Request, body: Body, reply: Reply) => void) | undefined;

/** Steps by opcode; where there is none, the opcode is unknown or belongs to the session itself. */
export class Dispatch {
  readonly #steps: (Step | undefined)[] = new Array<Step | undefined>(OPCODE_SPAN).fill(undefined);
  readonly #handlers: FuseHandlers;

  /** `setxattrExt` says whether INIT agreed on `FUSE_SETXATTR_EXT`, which lengthens SETXATTR. */
  constructor(handlers: FuseHandlers, setxattrExt: boolean) {
    this.#handlers = handlers;
    this.#addNodes(handlers);
    this.#addAttributes(handlers, setxattrExt);
    this.#addFiles(handlers);
    this.#addDirectories(handlers);
    for (const [name, refusal] of Object.entries(REFUSED)) this.#refuse(name as OpcodeName, refusal.errno);
  }

  /** What to do about `opcode`, or undefined. */
  step(opcode: number): Step | undefined {
    return opcode < OPCODE_SPAN ? this.#steps[opcode] : undefined;
  }

  #add<Body>(
    name: OpcodeName,
    body: Body,
    decode: Decode<Body>,
    handler: Handler<Body>,
    absent: ErrnoName = 'ENOSYS',
  ): void {
    if (handler === undefined) {
      this.#refuse(name, ERRNO[absent]);
      return;
    }
    const bound = handler.bind(this.#handlers);
    this.#steps[OPCODE[name]] = (request, buffer, reply) => {
      decode(body, buffer);
      bound(request, body, reply);
    };
  }

  /** As `#add`, for operations whose answer is no longer than the body's `size` (0 asks for a size and takes no data). */
  #addSized<Body extends { size: number }>(
    name: OpcodeName,
    body: Body,
    decode: Decode<Body>,
    handler: Handler<Body>,
  ): void {
    if (handler === undefined) {
      this.#refuse(name, ERRNO.ENOSYS);
      return;
    }
    const bound = handler.bind(this.#handlers);
    this.#steps[OPCODE[name]] = (request, buffer, reply) => {
      decode(body, buffer);
      // The kernel asks for no more than INIT agreed on; a handler may rely on that.
      if (body.size > reply.payload.length) body.size = reply.payload.length;
      reply.limit(body.size);
      bound(request, body, reply);
    };
  }

  #refuse(name: OpcodeName, errno: number): void {
    this.#steps[OPCODE[name]] = (_request, _buffer, reply) => {
      reply.error(errno);
    };
  }

  /** As `#add`, for operations without a body. */
  #addBare(name: OpcodeName, handler: ((request: Request, reply: Reply) => void) | undefined): void {
    if (handler === undefined) {
      this.#refuse(name, ERRNO.ENOSYS);
      return;
    }
    const bound = handler.bind(this.#handlers);
    this.#steps[OPCODE[name]] = (request, _buffer, reply) => {
      bound(request, reply);
    };
  }

  #addNodes(handlers: FuseHandlers): void {
    this.#add('FUSE_LOOKUP', new NameIn(), decodeName, handlers.lookup);
    this.#add('FUSE_UNLINK', new NameIn(), decodeName, handlers.unlink);
    this.#add('FUSE_RMDIR', new NameIn(), decodeName, handlers.rmdir);
    this.#add('FUSE_SYMLINK', new SymlinkIn(), decodeSymlink, handlers.symlink);
    this.#add('FUSE_LINK', new LinkIn(), decodeLink, handlers.link);
    this.#add('FUSE_MKNOD', new MknodIn(), decodeMknod, handlers.mknod);
    this.#add('FUSE_MKDIR', new MknodIn(), decodeMkdir, handlers.mkdir);
    this.#add('FUSE_RENAME', new RenameIn(), decodeRename, handlers.rename);
    this.#add('FUSE_RENAME2', new RenameIn(), decodeRename2, handlers.rename);
    this.#addBare('FUSE_READLINK', handlers.readlink);
    this.#addBare('FUSE_STATFS', handlers.statfs);
    this.#addBare('FUSE_SYNCFS', handlers.syncfs);
  }

  #addAttributes(handlers: FuseHandlers, setxattrExt: boolean): void {
    this.#add('FUSE_GETATTR', new GetattrIn(), decodeGetattr, handlers.getattr);
    this.#add('FUSE_STATX', new StatxIn(), decodeStatx, handlers.statx);
    this.#add('FUSE_SETATTR', new SetattrIn(), decodeSetattr, handlers.setattr);
    this.#add('FUSE_ACCESS', new AccessIn(), decodeAccess, handlers.access);
    this.#add('FUSE_SETXATTR', new SetxattrIn(), setxattrExt ? decodeSetxattrExt : decodeSetxattr, handlers.setxattr);
    this.#addSized('FUSE_GETXATTR', new GetxattrIn(), decodeGetxattr, handlers.getxattr);
    this.#addSized('FUSE_LISTXATTR', new GetxattrIn(), decodeListxattr, handlers.listxattr);
    this.#add('FUSE_REMOVEXATTR', new NameIn(), decodeName, handlers.removexattr);
  }

  #addFiles(handlers: FuseHandlers): void {
    this.#add('FUSE_OPEN', new OpenIn(), decodeOpen, handlers.open);
    this.#add('FUSE_CREATE', new CreateIn(), decodeCreate, handlers.create);
    this.#add('FUSE_TMPFILE', new CreateIn(), decodeCreate, handlers.tmpfile);
    this.#addSized('FUSE_READ', new ReadIn(), decodeRead, handlers.read);
    this.#add('FUSE_WRITE', new WriteIn(), decodeWrite, handlers.write);
    this.#add('FUSE_FLUSH', new FlushIn(), decodeFlush, handlers.flush);
    this.#add('FUSE_RELEASE', new ReleaseIn(), decodeRelease, handlers.release);
    this.#add('FUSE_FSYNC', new FsyncIn(), decodeFsync, handlers.fsync);
    this.#add('FUSE_FALLOCATE', new FallocateIn(), decodeFallocate, handlers.fallocate);
    this.#add('FUSE_LSEEK', new LseekIn(), decodeLseek, handlers.lseek);
    this.#add('FUSE_COPY_FILE_RANGE', new CopyFileRangeIn(), decodeCopyFileRange, handlers.copyFileRange);
    this.#add('FUSE_COPY_FILE_RANGE_64', new CopyFileRangeIn(), decodeCopyFileRange, handlers.copyFileRange);
    // ENOTTY is what a file that knows no ioctl says; ENOSYS would become ENOTTY in the kernel too, by way of a memory of it.
    this.#add('FUSE_IOCTL', new IoctlIn(), decodeIoctl, handlers.ioctl, 'ENOTTY');
  }

  #addDirectories(handlers: FuseHandlers): void {
    this.#add('FUSE_OPENDIR', new OpenIn(), decodeOpen, handlers.opendir);
    this.#addSized('FUSE_READDIR', new ReadIn(), decodeRead, handlers.readdir);
    this.#addSized('FUSE_READDIRPLUS', new ReadIn(), decodeRead, handlers.readdirplus);
    this.#add('FUSE_RELEASEDIR', new ReleaseIn(), decodeRelease, handlers.releasedir);
    this.#add('FUSE_FSYNCDIR', new FsyncIn(), decodeFsync, handlers.fsyncdir);
  }
}
