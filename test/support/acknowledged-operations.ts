/**
 * What a writer did on a mount, operation by operation, and what the tree below its directory must look like after any
 * number of them. The writer keeps the log outside of the mount; whoever looks at the mount after a crash finds the
 * number of operations that made it.
 *
 * INVARIANT: each operation reaches the daemon as one request, so after a crash it is there or not, never half (checked
 * by test/mount/crash-kill.test.ts). Only of writes the kernel makes two: see {@link requestsOf}.
 */
import { createHash } from 'node:crypto';

/** What one operation does; paths are relative to the writer's directory. */
export type Operation =
  | { do: 'create'; path: string; mode: number }
  | { do: 'mkdir'; path: string }
  | { do: 'symlink'; path: string; target: string }
  | { do: 'link'; from: string; path: string }
  | { do: 'unlink' | 'rmdir'; path: string }
  | { do: 'rename' | 'exchange'; from: string; path: string }
  | { do: 'write'; path: string; offset: number; length: number; fill: string; synced: boolean }
  | { do: 'truncate'; path: string; length: number }
  | { do: 'punch'; path: string; offset: number; length: number }
  | { do: 'chmod'; path: string; mode: number }
  | { do: 'setxattr'; path: string; name: string; value: string }
  | { do: 'removexattr'; path: string; name: string }
  /** A write into a file that has no name any more: seen by nobody, but it takes space until the file is closed. */
  | { do: 'write-orphan' }
  | { do: 'fsync' | 'fdatasync' | 'fsyncdir'; path: string }
  /** By mkdir, or by the command line tool. */
  | { do: 'snapshot' | 'snapshot-command'; name: string }
  | { do: 'delete-snapshot'; name: string };

/** An operation in the log of a writer. Times are of CLOCK_MONOTONIC, in microseconds: all processes share them. */
export interface LogEntry {
  operation: Operation;
  startedUs: number;
  /** Undefined where no answer came: it may have happened or not. */
  acknowledgedUs?: number;
}

const PAGE_BYTES = 4096;

/**
 * What the kernel makes of an operation. A write that begins within a page that is not cached sends that page by itself
 * (fuse_fill_write_pages in fs/fuse/file.c), and the rest then begins with a page.
 */
export function requestsOf(operation: Operation): Operation[] {
  if (operation.do !== 'write') return [operation];
  const head = PAGE_BYTES - (operation.offset % PAGE_BYTES);
  if (head === PAGE_BYTES || head >= operation.length) return [operation];
  return [{ ...operation, length: head, synced: false }, operation];
}

/** Now, as in the log. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Whether everything acknowledged before `operation` began survives a power cut once it is acknowledged. */
export function makesDurable(operation: Operation): boolean {
  if (operation.do === 'write') return operation.synced;
  return ['fsync', 'fdatasync', 'fsyncdir', 'snapshot', 'snapshot-command'].includes(operation.do);
}

/** The bytes of a write: a text of no round length again and again, so that no two places of a file look alike by accident. */
export function contentOf(fill: string, length: number): Buffer {
  return Buffer.alloc(length, fill);
}

interface ModelNode {
  kind: 'file' | 'directory' | 'symlink';
  mode: number;
  links: number;
  content: Buffer;
  hash: string | undefined;
  target: string;
  attributes: Map<string, string>;
}

/** The tree below the directory of one writer, in memory. */
export class ModelTree {
  readonly #nodes = new Map<string, ModelNode>();
  readonly #snapshots = new Set<string>();

  paths(kind: ModelNode['kind']): string[] {
    return [...this.#nodes].filter(([, node]) => node.kind === kind).map(([path]) => path);
  }

  get snapshots(): string[] {
    return [...this.#snapshots];
  }

  has(path: string): boolean {
    return this.#nodes.has(path);
  }

  isEmpty(directory: string): boolean {
    return ![...this.#nodes.keys()].some((path) => path.startsWith(`${directory}/`));
  }

  sizeOf(path: string): number {
    return this.#node(path).content.length;
  }

  linksOf(path: string): number {
    return this.#node(path).links;
  }

  attributesOf(path: string): string[] {
    return [...this.#node(path).attributes.keys()];
  }

  /** Which file a path leads to: the same for all its hard links. */
  identity(path: string): object {
    return this.#node(path);
  }

  apply(operation: Operation): void {
    switch (operation.do) {
      case 'create':
        this.#nodes.set(operation.path, newNode('file', operation.mode));
        break;
      case 'mkdir':
        this.#nodes.set(operation.path, newNode('directory', 0o755));
        break;
      case 'symlink':
        this.#nodes.set(operation.path, { ...newNode('symlink', 0o777), target: operation.target });
        break;
      case 'link': {
        const node = this.#node(operation.from);
        node.links++;
        this.#nodes.set(operation.path, node);
        break;
      }
      case 'unlink':
      case 'rmdir':
        this.#remove(operation.path);
        break;
      case 'rename':
        this.#rename(operation.from, operation.path);
        break;
      case 'exchange': {
        const [one, other] = [this.#node(operation.from), this.#node(operation.path)];
        this.#nodes.set(operation.from, other).set(operation.path, one);
        break;
      }
      case 'write':
        this.#change(operation.path, operation.offset + operation.length, (content) => {
          contentOf(operation.fill, operation.length).copy(content, operation.offset);
        });
        break;
      case 'truncate': {
        const node = this.#node(operation.path);
        node.content = node.content.subarray(0, operation.length);
        this.#change(operation.path, operation.length, () => undefined);
        break;
      }
      case 'punch':
        this.#change(operation.path, 0, (content) => {
          content.subarray(operation.offset, operation.offset + operation.length).fill(0);
        });
        break;
      case 'chmod':
        this.#node(operation.path).mode = operation.mode;
        break;
      case 'setxattr':
        this.#node(operation.path).attributes.set(operation.name, operation.value);
        break;
      case 'removexattr':
        this.#node(operation.path).attributes.delete(operation.name);
        break;
      case 'snapshot':
      case 'snapshot-command':
        this.#snapshots.add(operation.name);
        break;
      case 'delete-snapshot':
        this.#snapshots.delete(operation.name);
        break;
      case 'write-orphan':
      case 'fsync':
      case 'fdatasync':
      case 'fsyncdir':
        break;
    }
  }

  /** One line an object and a snapshot, sorted: what the program tree-state prints of the real tree. */
  lines(): string[] {
    const lines = [...this.#nodes].map(([path, node]) => lineOf(path, node));
    for (const name of this.#snapshots) lines.push(snapshotLine(name));
    return lines.sort();
  }

  #node(path: string): ModelNode {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new Error(`the log speaks of ${path}, which is not there`);
    return node;
  }

  #remove(path: string): void {
    this.#node(path).links--;
    this.#nodes.delete(path);
  }

  #rename(from: string, to: string): void {
    const moved = this.#node(from);
    // POSIX: a rename between two links of one file does nothing.
    if (this.#nodes.get(to) === moved) return;
    if (this.has(to)) this.#remove(to);
    for (const [path, node] of [...this.#nodes]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#nodes.delete(path);
      this.#nodes.set(to + path.slice(from.length), node);
    }
  }

  #change(path: string, atLeast: number, edit: (content: Buffer) => void): void {
    const node = this.#node(path);
    const content = Buffer.alloc(Math.max(node.content.length, atLeast));
    node.content.copy(content);
    edit(content);
    node.content = content;
    node.hash = undefined;
  }
}

function newNode(kind: ModelNode['kind'], mode: number): ModelNode {
  return { kind, mode, links: 1, content: Buffer.alloc(0), hash: undefined, target: '', attributes: new Map() };
}

function lineOf(path: string, node: ModelNode): string {
  const attributes = [...node.attributes].map(([name, value]) => `${name}=${value}`);
  if (node.kind !== 'file') return objectLine(path, node.kind, node.mode, node.target, attributes);
  node.hash ??= contentHash(node.content);
  return objectLine(path, node.kind, node.mode, `${node.links} ${node.content.length} ${node.hash}`, attributes);
}

export function contentHash(content: Buffer): string {
  return createHash('sha1').update(content).digest('base64');
}

/** One object, as the model and the program tree-state say it. `what`: links, size and hash of a file, target of a link. */
export function objectLine(path: string, kind: string, mode: number, what: string, attributes: string[]): string {
  return [path, kind, mode.toString(8), what, ...attributes.sort()].join(' ');
}

export function snapshotLine(name: string): string {
  return `@${name}`;
}
