/** A store in memory with its volumes, and a clock that stands still unless a test turns it. */
import {
  BlockAllocator,
  Blocks,
  Journal,
  type JournalFile,
  type KeyValue,
  type OpenStore,
  openLedger,
} from '../../src/store/index.ts';
import type { Clock, Timespec } from '../../src/util/index.ts';
import { Volumes, checkVolumes, type VolumesOptions } from '../../src/volume/index.ts';
import { MemoryBlockFile } from './memory-block-file.ts';
import { MemoryJournalFile } from './memory-journal-file.ts';
import { MemoryKeyValue } from './memory-key-value.ts';

export class TestClock implements Clock {
  /** 1,000,000,000 s after 1970 at first. */
  nanoseconds = 1_000_000_000_000_000_000n;

  now(into: Timespec): void {
    into.sec = Number(this.nanoseconds / 1_000_000_000n);
    into.nsec = Number(this.nanoseconds % 1_000_000_000n);
  }

  nowMs(): number {
    return Number(this.nanoseconds / 1_000_000n);
  }

  /** Goes on by so many seconds, a whole number. */
  advance(seconds: number): void {
    this.nanoseconds += BigInt(seconds) * 1_000_000_000n;
  }
}

export interface MemoryVolumes {
  readonly volumes: Volumes;
  readonly clock: TestClock;
  /** What lies below the ledger: the records as they are stored. */
  readonly kv: MemoryKeyValue;
  readonly blocks: MemoryBlockFile;
  readonly journal: MemoryJournalFile;
  /** Commits, waits for reclaiming, and runs the full check: what it complains of, nothing if all is well. */
  check(): Promise<unknown[]>;
}

export interface MemoryVolumesOptions extends VolumesOptions {
  kv?: MemoryKeyValue;
  blocks?: MemoryBlockFile;
  journal?: MemoryJournalFile;
  /** Opens it read-only where the ledger does not match. */
  rewind?: boolean;
}

/** A new store with the volume `main`, whose root belongs to 0:0; commits come only when they are asked for. */
export async function openMemoryVolumes(options: MemoryVolumesOptions = {}): Promise<MemoryVolumes> {
  const { kv = new MemoryKeyValue(), blocks = new MemoryBlockFile(), ...others } = options;
  const { journal = new MemoryJournalFile(), rewind = false, ...rest } = others;
  const clock = new TestClock();
  const engine = await openLedger(kv, { database: 'db', rewind });
  const volumes = await Volumes.open(await memoryStore(engine, blocks, journal), {
    clock,
    commitIntervalMs: 1_000_000,
    uid: 0,
    gid: 0,
    ...rest,
  });
  const check = async (): Promise<unknown[]> => {
    await volumes.reclaimed();
    await volumes.commit();
    await volumes.reclaimed();
    await volumes.commit();
    return checkVolumes(volumes);
  };
  return { volumes, clock, kv, blocks, journal, check };
}

/** An open store of these parts. */
async function memoryStore(kv: KeyValue, file: MemoryBlockFile, journal: JournalFile): Promise<OpenStore> {
  const loadBlocks: OpenStore['loadBlocks'] = async (from) => {
    const allocator = await (from.damage === undefined
      ? BlockAllocator.load(from)
      : BlockAllocator.loadDamaged(from, 1));
    return { allocator, blocks: new Blocks(file, (block) => allocator.isAllocated(block)) };
  };
  return {
    kv,
    ...(await loadBlocks(kv)),
    loadBlocks,
    journal: new Journal(journal),
    format: { format: 1 } as OpenStore['format'],
    path: '',
    recovered: () => undefined,
    giveBack: () => undefined,
    scrubTables: () => Promise.resolve({ totalBytes: 0, tables: [] }),
    close: () => Promise.resolve(),
  };
}

/** How often records of the journal were brought to stable storage. */
export function journalSyncs({ journal }: MemoryVolumes): number {
  return journal.syncs;
}
