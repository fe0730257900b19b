// A host whose power can fail and whose processes can be killed, at any moment: what a store has on it, in memory. Of each part it is known
// what is on stable storage. A test is told of every event (a write, the start and the end of a flush) and takes there what a crash would leave.

import { CorruptionError, FsError } from '../../src/errors/index.ts';
import { BLOCK_BYTES } from '../../src/format/index.ts';
import {
  type Batch,
  BlockAllocator,
  type BlockFile,
  Blocks,
  Journal,
  type JournalFile,
  type Lane,
  type KeyValue,
  type KeyValuePair,
  type OpenStore,
  type ReadView,
  openLedger,
} from '../../src/store/index.ts';
import { assert } from '../../src/util/index.ts';
import { HostFile, type Random } from './host-file.ts';
import { MemoryKeyValue } from './memory-key-value.ts';

/** What happens on a host, as far as it matters where a crash comes. */
export type HostEvent =
  | 'data'
  | 'data-flush'
  | 'data-flushed'
  | 'journal'
  | 'journal-flush'
  | 'journal-flushed'
  | 'emptied'
  | 'batch'
  | 'batch-written';

interface Parts {
  kv: MemoryKeyValue;
  /** A batch that was whole on stable storage when the power failed, though nobody had been told. */
  late: HostBatch | undefined;
  data: HostFile;
  /** Its lanes. */
  journal: [HostFile, HostFile];
}

export class FailingHost {
  /** Is told of each event, in the midst of what a process does: a crash may come here. */
  onEvent: (event: HostEvent) => void = () => undefined;
  /** How many turns of the event loop the next wait for the disk takes. */
  delay: () => number = () => 0;
  /** Commits find no room. */
  isFull = false;
  /** The process that used it was killed: nothing it waits for ever comes. */
  #isDead = false;
  readonly #parts: Parts;
  /** The batch that LevelDB is writing. */
  #batch: HostBatch | undefined;

  constructor(
    parts: Parts = {
      kv: new MemoryKeyValue(),
      late: undefined,
      data: new HostFile(),
      journal: [new HostFile(), new HostFile()],
    },
  ) {
    this.#parts = parts;
  }

  /** The host as the next process finds it when this one is killed now. */
  afterKill(random: Random): FailingHost {
    const { data, journal } = this.#parts;
    return this.#next(random, data.copy(), [journal[0].copy(), journal[1].copy()]);
  }

  /** The host as it starts again when the power fails now. */
  afterPowerCut(random: Random): FailingHost {
    const { data, journal } = this.#parts;
    return this.#next(random, data.afterPowerCut(random), [
      journal[0].afterPowerCut(random),
      journal[1].afterPowerCut(random),
    ]);
  }

  #next(random: Random, data: HostFile, journal: [HostFile, HostFile]): FailingHost {
    const late = this.#batch !== undefined && random(2) === 0 ? this.#batch : this.#parts.late;
    return new FailingHost({ kv: this.#parts.kv.copy(), late, data, journal });
  }

  /** The process on it is gone. */
  abandon(): void {
    this.#isDead = true;
    this.onEvent = () => undefined;
  }

  /** Opens the store that is on it; a host without one has an empty one. */
  async open(): Promise<OpenStore> {
    const { kv: records, late, data, journal } = this.#parts;
    if (late !== undefined) await late.applyTo(records);
    this.#parts.late = undefined;
    const engine = new HostKeyValue(this, records, (batch) => (this.#batch = batch));
    const kv = await openLedger(engine, { database: 'db' });
    const file = new HostBlockFile(this, data);
    const loadBlocks: OpenStore['loadBlocks'] = async (from) => {
      const loaded = await BlockAllocator.load(from);
      return { allocator: loaded, blocks: new Blocks(file, (block) => loaded.isAllocated(block)) };
    };
    const { blocks, allocator } = await loadBlocks(kv);
    assert(allocator.endBlock * BLOCK_BYTES <= file.sizeBytes, 'the data file holds all blocks that are in use');
    return {
      kv,
      blocks,
      allocator,
      loadBlocks,
      journal: new Journal(new HostJournalFile(this, journal)),
      format: { format: 1 } as OpenStore['format'],
      path: '',
      giveBack: () => undefined,
      scrubTables: () => Promise.resolve({ totalBytes: 0, tables: [] }),
      recovered: () => {
        // At the first moment at which it is allowed.
        allocator.onReusable = (start, count) => file.punch(start * BLOCK_BYTES, count * BLOCK_BYTES);
      },
      close: () => Promise.resolve(),
    };
  }

  /** Waits for the disk. */
  async wait(): Promise<void> {
    for (let turns = this.delay(); turns > 0; turns--) await nextTurn();
    if (this.#isDead) await new Promise(() => undefined);
  }
}

/** Lets everything else go on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Brings to stable storage what was written before to a file that consists of these. */
async function flush(
  host: FailingHost,
  parts: readonly HostFile[],
  begins: HostEvent,
  ended: HostEvent,
): Promise<void> {
  const upTo = parts.map((part) => part.changeCount);
  host.onEvent(begins);
  await host.wait();
  for (const [i, part] of parts.entries()) part.settle(upTo[i]!);
  host.onEvent(ended);
}

function full(): FsError {
  return new FsError('ENOSPC', 'test-host-full', 'the host is full');
}

class HostBlockFile implements BlockFile {
  readonly #host: FailingHost;
  readonly #file: HostFile;
  /** The last change that a flush has to bring to stable storage; at first that of a process before. */
  #written: number;

  constructor(host: FailingHost, file: HostFile) {
    this.#host = host;
    this.#file = file;
    this.#written = file.changeCount;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  storedBytes(): number {
    return this.#file.storedBytes;
  }

  readSync(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): void {
    if (byteOffset + length > this.sizeBytes) {
      throw new CorruptionError(`bytes ${byteOffset} to ${byteOffset + length}`, `the file ends at ${this.sizeBytes}`);
    }
    this.#file.read(into.subarray(intoOffset, intoOffset + length), byteOffset);
  }

  readCached(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): boolean {
    this.readSync(into, intoOffset, length, byteOffset);
    return true;
  }

  async read(into: Uint8Array, intoOffset: number, length: number, byteOffset: number): Promise<void> {
    await this.#host.wait();
    this.readSync(into, intoOffset, length, byteOffset);
  }

  writeSync(from: Uint8Array, fromOffset: number, length: number, byteOffset: number): void {
    this.#write(from.subarray(fromOffset, fromOffset + length), byteOffset);
  }

  assertRoom(): void {
    // Commits alone find no room.
  }

  async write(buffers: readonly Uint8Array[], byteOffset: number): Promise<void> {
    for (const [index, buffer] of buffers.entries()) {
      await this.#host.wait();
      if (this.#host.isFull && index === buffers.length - 1) throw full();
      this.#write(buffer, byteOffset + index * BLOCK_BYTES);
    }
  }

  #write(bytes: Uint8Array, byteOffset: number): void {
    this.#file.write(bytes, byteOffset);
    this.#written = this.#file.changeCount;
    this.#host.onEvent('data');
  }

  get isSynced(): boolean {
    return this.#file.isSettled(this.#written);
  }

  sync(): Promise<void> {
    return flush(this.#host, [this.#file], 'data-flush', 'data-flushed');
  }

  punch(byteOffset: number, length: number): void {
    this.#file.write(new Uint8Array(length), byteOffset);
  }

  endReads(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    // Nothing to let go of.
  }
}

class HostJournalFile implements JournalFile {
  readonly #host: FailingHost;
  readonly #lanes: readonly [HostFile, HostFile];
  #flushes = 0;

  constructor(host: FailingHost, lanes: readonly [HostFile, HostFile]) {
    this.#host = host;
    this.#lanes = lanes;
  }

  get sizeBytes(): number {
    return this.#lanes[0].sizeBytes + this.#lanes[1].sizeBytes;
  }

  read(lane: Lane): Uint8Array {
    const bytes = new Uint8Array(this.#lanes[lane].sizeBytes);
    this.#lanes[lane].read(bytes, 0);
    return bytes;
  }

  reserve(end: number): void {
    for (const lane of this.#lanes) lane.extend(end);
  }

  write(lane: Lane, bytes: Uint8Array, length: number, at: number): void {
    this.#lanes[lane].write(bytes.subarray(0, length), at);
    this.#host.onEvent('journal');
  }

  async sync(): Promise<void> {
    this.#flushes++;
    await flush(this.#host, this.#lanes, 'journal-flush', 'journal-flushed');
    this.#flushes--;
  }

  get canSyncNow(): boolean {
    return this.#flushes === 0;
  }

  syncNow(): void {
    assert(this.canSyncNow, 'no flush is under way');
    this.#host.onEvent('journal-flush');
    this.#settle();
    this.#host.onEvent('journal-flushed');
  }

  clear(durable: boolean): void {
    for (const lane of this.#lanes) lane.empty();
    this.#host.onEvent('emptied');
    if (!durable) return;
    this.#settle();
    this.#host.onEvent('emptied');
  }

  #settle(): void {
    for (const lane of this.#lanes) lane.settle(lane.changeCount);
  }

  close(): void {
    // Nothing to let go of.
  }
}

/** LevelDB: a batch is there whole or not at all, and once it is written with `sync` it is on stable storage. */
class HostKeyValue implements KeyValue {
  readonly #host: FailingHost;
  readonly #records: MemoryKeyValue;
  readonly #writing: (batch: HostBatch | undefined) => void;

  constructor(host: FailingHost, records: MemoryKeyValue, writing: (batch: HostBatch | undefined) => void) {
    this.#host = host;
    this.#records = records;
    this.#writing = writing;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(key);
  }

  async range(from: Uint8Array, to: Uint8Array, limit?: number): Promise<KeyValuePair[]> {
    const found = await this.#records.range(from, to, limit);
    await this.#host.wait();
    return found;
  }

  newBatch(): HostBatch {
    return new HostBatch();
  }

  async write(batch: Batch, sync: boolean): Promise<void> {
    assert(batch instanceof HostBatch && sync, 'every batch is one of this engine, and synced');
    if (this.#host.isFull) throw full();
    this.#writing(batch);
    this.#host.onEvent('batch');
    await this.#host.wait();
    await batch.applyTo(this.#records);
    this.#writing(undefined);
    this.#host.onEvent('batch-written');
  }

  readView(): ReadView {
    return this.#records.readView();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class HostBatch implements Batch {
  readonly #changes: [key: Uint8Array, value: Uint8Array | undefined][] = [];
  bytes = 0;

  get operations(): number {
    return this.#changes.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#changes.push([Uint8Array.from(key), Uint8Array.from(value)]);
    this.bytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    this.#changes.push([Uint8Array.from(key), undefined]);
    this.bytes += key.length;
  }

  async applyTo(records: MemoryKeyValue): Promise<void> {
    const batch = records.newBatch();
    for (const [key, value] of this.#changes) {
      if (value === undefined) batch.delete(key);
      else batch.put(key, value);
    }
    await records.write(batch, true);
  }
}
