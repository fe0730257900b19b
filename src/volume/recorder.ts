// Records what operations change in the journal: one record for all changes between two calls of `seal`, which comes before each answer.
//
// Of tree entries only the keys are noted, and what became of them is looked up when the record is sealed: an entry that changed many times
// in one operation is recorded once, and nothing that changes a tree can be forgotten. Extents are left out: they follow from what is
// recorded of data. Neither the tree nodes nor the version tree's lists of dead blocks are recorded: doing the changes again makes them.
// INVARIANT: each record leads from a state between two operations to the next (checked by test/crash/crash.test.ts).

import { ENTRY, JournalRecordWriter, Key, encodeJournalMark, keyType, spaceKey, SPACE } from '../format/index.ts';
import type { Batch, CommitParticipant, Journal } from '../store/index.ts';
import { type ChangeListener, Cursor, type Tree } from '../tree/index.ts';
import type { StructuralChange } from './structural-change.ts';

/** How many keys before the last one are looked at, so that a key that changes again and again is noted once. */
const REPEATS_NEAR = 4;

export class Recorder implements ChangeListener, CommitParticipant {
  readonly #journal: Journal;
  readonly #record = new JournalRecordWriter();
  /** The keys of entries that changed since the last seal, one after the other, and to which tree they belong. */
  #keys = new Uint8Array(4096);
  #keysEnd = 0;
  readonly #starts: number[] = [];
  readonly #trees: Tree[] = [];
  /** The trees that the operation at hand has changed, be it in extents alone, and the last of them. */
  readonly #changed = new Set<Tree>();
  #lastChanged: Tree | undefined;
  readonly #key = new Key();
  readonly #at = new Cursor();
  #markedSequence = -1;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  changed(tree: Tree, bytes: Uint8Array, at: number, length: number): void {
    if (!this.#journal.isOpen) return;
    if (tree !== this.#lastChanged) this.#changed.add((this.#lastChanged = tree));
    if (keyType(bytes, at) === ENTRY.extent || this.#isNoted(tree, bytes, at, length)) return;
    if (this.#keysEnd + length > this.#keys.length) this.#growKeys();
    this.#starts.push(this.#keysEnd);
    this.#trees.push(tree);
    for (let i = 0; i < length; i++) this.#keys[this.#keysEnd + i] = bytes[at + i]!;
    this.#keysEnd += length;
  }

  #growKeys(): void {
    const grown = new Uint8Array(2 * this.#keys.length);
    grown.set(this.#keys);
    this.#keys = grown;
  }

  #isNoted(tree: Tree, bytes: Uint8Array, at: number, length: number): boolean {
    const count = this.#starts.length;
    let end = this.#keysEnd;
    for (let i = count - 1; i >= 0 && i >= count - REPEATS_NEAR; i--) {
      const start = this.#starts[i]!;
      if (end - start === length && this.#trees[i] === tree && this.#isKey(start, bytes, at, length)) return true;
      end = start;
    }
    return false;
  }

  #isKey(start: number, bytes: Uint8Array, at: number, length: number): boolean {
    for (let i = length - 1; i >= 0; i--) if (this.#keys[start + i] !== bytes[at + i]) return false;
    return true;
  }

  /** File blocks were mapped to data blocks that have been written; see {@link JournalRecordWriter.map}. */
  mapped(volume: number, ino: number, fileBlock: number, start: number, count: number, sums: Uint32Array): void {
    if (this.#journal.isOpen) this.#record.map(volume, ino, fileBlock, start, count, sums);
  }

  /** File blocks became holes; see {@link JournalRecordWriter.unmap}. */
  unmapped(volume: number, ino: number, from: number, to: number): void {
    if (this.#journal.isOpen) this.#record.unmap(volume, ino, from, to);
  }

  /** A file block was mapped to a kept data block, `bytes[0..length)` and then zeros; see {@link JournalRecordWriter.block}. */
  kept(volume: number, ino: number, fileBlock: number, start: number, bytes: Uint8Array, length: number): void {
    if (this.#journal.isOpen) this.#record.block(volume, ino, fileBlock, start, bytes, length);
  }

  /** A kept block was changed in place; see {@link JournalRecordWriter.patch}. */
  patched(
    volume: number,
    ino: number,
    fileBlock: number,
    within: number,
    bytes: Uint8Array,
    from: number,
    length: number,
  ): void {
    if (this.#journal.isOpen) this.#record.patch(volume, ino, fileBlock, within, bytes, from, length);
  }

  /** Something is about to be done to a volume or a snapshot as a whole. */
  structure(change: StructuralChange): void {
    if (!this.#journal.isOpen) return;
    this.#resolveKeys();
    this.#record.structure(JSON.stringify(change));
  }

  /** Puts what became of the noted entries into the record. */
  #resolveKeys(): void {
    const count = this.#starts.length;
    for (let i = 0; i < count; i++) {
      const start = this.#starts[i]!;
      const length = (i + 1 < count ? this.#starts[i + 1]! : this.#keysEnd) - start;
      const tree = this.#trees[i]!;
      const { volume } = tree.owner;
      const at = this.#at;
      if (tree.find(this.#key.copy(this.#keys, start, length), at)) {
        this.#record.put(volume, this.#keys, start, length, at.page, at.valueAt, at.valueLength);
      } else this.#record.remove(volume, this.#keys, start, length);
    }
    this.#starts.length = 0;
    this.#trees.length = 0;
    this.#keysEnd = 0;
  }

  /**
   * Writes what changed since the last call to the journal: it survives the end of this process when this returns. Costs nothing where nothing
   * changed. Throws what writing to the host fails with.
   */
  seal(): void {
    if (this.#starts.length > 0) this.#resolveKeys();
    this.operationEnded();
    if (this.#record.isEmpty) return;
    try {
      this.#journal.append(this.#record);
    } finally {
      this.#record.clear();
    }
  }

  /** Whether the operation at hand has changed a tree. */
  get hasChanged(): boolean {
    return this.#lastChanged !== undefined;
  }

  /** What was done so far is whole: to be called where an operation ends that is not answered, and so not sealed. */
  operationEnded(): void {
    if (this.#lastChanged !== undefined) this.#forgetChanged();
  }

  /**
   * Forgets what changed since the last seal: it must not become durable, nor anything after it. Gives the trees that the operation at hand has
   * changed.
   */
  discard(): Tree[] {
    const changed = [...this.#changed];
    this.#starts.length = 0;
    this.#trees.length = 0;
    this.#keysEnd = 0;
    this.#forgetChanged();
    this.#record.clear();
    return changed;
  }

  #forgetChanged(): void {
    this.#changed.clear();
    this.#lastChanged = undefined;
  }

  capture(batch: Batch): void {
    this.seal();
    const sequence = this.#journal.turn();
    if (sequence === this.#markedSequence) return;
    batch.put(spaceKey(SPACE.journal), encodeJournalMark(sequence));
    this.#markedSequence = sequence;
  }

  durable(): void {
    this.#journal.release();
  }
}
