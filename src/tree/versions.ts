// The version tree: which versions there are, who descends from whom, and which merged version became which.
// Design: every object carries the version in which it was born; `resolve` follows merged versions to the one that stands for them.
// INVARIANT: parents and children agree, and an alias leads to a version that exists (checked by checkVersions).

import { CorruptionError } from '../errors/index.ts';
import {
  SPACE,
  type VersionRecord,
  aliasKey,
  decodeAlias,
  decodeVersion,
  encodeAlias,
  encodeVersion,
  idOfKey,
  versionKey,
} from '../format/index.ts';
import { type Batch, type Reads, eachRecord } from '../store/index.ts';
import { assert } from '../util/index.ts';

/** One version in memory: its record, its id and its children. Change fields only together with {@link Versions.touch}. */
export interface Version extends VersionRecord {
  readonly id: number;
  readonly children: Set<Version>;
}

const LOAD_SLICE = 4096;

export class Versions {
  readonly #versions = new Map<number, Version>();
  readonly #aliases = new Map<number, number>();
  /** The versions that aliases lead to. */
  readonly #targets = new Set<number>();
  readonly #dirty = new Set<number>();
  readonly #newAliases: number[] = [];
  /** Ids of which it is not known whether there is a version, since the store is damaged. */
  unreadable = 0;
  #nextId: number;

  private constructor(nextId: number) {
    this.#nextId = nextId;
  }

  /** Reads all versions of a store. `nextId`: the first version id that was never used. */
  static async load(kv: Reads, nextId: number): Promise<Versions> {
    const versions = new Versions(nextId);
    await eachRecord(kv, SPACE.version, (key, value) => {
      versions.#add(key, value);
    });
    await eachRecord(kv, SPACE.alias, (key, value) => {
      versions.#addAlias(key, value);
    });
    versions.#join();
    return versions;
  }

  /** As {@link load}, of a damaged store: those versions that can be read. */
  static async loadReadable(kv: Reads, nextId: number): Promise<Versions> {
    const versions = new Versions(nextId);
    versions.unreadable = await eachReadable(kv, versionKey, nextId, (key, value) => {
      versions.#add(key, value);
    });
    // One that is not known is missed only by what gives space back.
    await eachReadable(kv, aliasKey, nextId, (key, value) => {
      versions.#addAlias(key, value);
    });
    for (const version of versions.all()) if (!versions.has(version.parent)) version.parent = 0;
    versions.#join();
    return versions;
  }

  #add(key: Uint8Array, value: Uint8Array): void {
    const id = idOfKey(key);
    const record = decodeVersion(key, value, `version ${id}`);
    // So there is no way from a version back to itself.
    if (record.parent >= id) throw new CorruptionError(`version ${id}`, `its parent ${record.parent} is no older one`);
    this.#versions.set(id, { id, children: new Set(), ...record });
  }

  #addAlias(key: Uint8Array, value: Uint8Array): void {
    const id = idOfKey(key);
    const target = decodeAlias(key, value, `alias ${id}`);
    if (target <= id) throw new CorruptionError(`alias ${id}`, `it leads to ${target}, which is no newer version`);
    this.#aliases.set(id, target);
    this.#targets.add(target);
  }

  #join(): void {
    for (const version of this.#versions.values()) {
      if (version.parent === 0 || this.#aliases.has(version.id)) continue;
      this.get(version.parent).children.add(version);
    }
  }

  get nextId(): number {
    return this.#nextId;
  }

  all(): IterableIterator<Version> {
    return this.#versions.values();
  }

  /** The version `id`. Throws CorruptionError where there is none: ids come from records only. */
  get(id: number): Version {
    const version = this.#versions.get(id);
    if (version === undefined) throw new CorruptionError(`version ${id}`, 'it is referred to, but not there');
    return version;
  }

  has(id: number): boolean {
    return this.#versions.has(id);
  }

  parentOf(version: Version): Version | undefined {
    return version.parent === 0 ? undefined : this.get(version.parent);
  }

  /** The version that stands for `id` now: itself, or what it was merged into. */
  resolve(id: number): number {
    let target = this.#aliases.get(id);
    if (target === undefined) return id;
    for (;;) {
      const further = this.#aliases.get(target);
      if (further === undefined) return target;
      // Shorten the path for the next time; memory only, the stored aliases stay as they were made.
      this.#aliases.set(id, further);
      target = further;
    }
  }

  /** Whether others were merged into the version, so that what was born in them counts as born in it. */
  standsForOthers(version: Version): boolean {
    return this.#targets.has(version.id);
  }

  /** Adds a version with a new id below `fields.parent`. Its dead list starts empty. */
  create(fields: Omit<VersionRecord, 'deadList'>): Version {
    const id = this.#nextId++;
    const version: Version = { id, children: new Set(), deadList: id, ...fields };
    this.#versions.set(id, version);
    if (version.parent !== 0) this.get(version.parent).children.add(version);
    this.#dirty.add(id);
    return version;
  }

  /** The version's record is to be written with the next commit. */
  touch(version: Version): void {
    this.#dirty.add(version.id);
  }

  /** Forgets a version that has no children. */
  remove(version: Version): void {
    assert(version.children.size === 0, 'only a version without children is removed');
    this.parentOf(version)?.children.delete(version);
    this.#versions.delete(version.id);
    this.#dirty.add(version.id);
  }

  /**
   * Lets the only child of `version` stand for it from now on, take its place below its parent and count what was born in it. The
   * record of `version` stays.
   */
  mergeIntoChild(version: Version): Version {
    assert(version.children.size === 1, 'a version is merged into its only child');
    const child = version.children.values().next().value!;
    const parent = this.parentOf(version);
    parent?.children.delete(version);
    parent?.children.add(child);
    version.children.clear();
    child.parent = version.parent;
    child.bornNodes += version.bornNodes;
    child.bornBlocks += version.bornBlocks;
    version.bornNodes = 0;
    version.bornBlocks = 0;
    this.#aliases.set(version.id, child.id);
    this.#targets.add(child.id);
    this.#newAliases.push(version.id);
    this.touch(version);
    this.touch(child);
    return child;
  }

  /** Forgets the record of a version that was merged; its alias stays. */
  removeMerged(version: Version): void {
    this.#versions.delete(version.id);
    this.#dirty.add(version.id);
  }

  /** `sumOf`: the checksum of a root that the same capture stores. */
  capture(batch: Batch, sumOf: (root: number) => number | undefined): void {
    for (const id of this.#dirty) {
      const key = versionKey(id);
      const version = this.#versions.get(id);
      if (version === undefined) {
        batch.delete(key);
        continue;
      }
      version.rootSum = sumOf(version.root) ?? version.rootSum;
      batch.put(key, encodeVersion(key, version));
    }
    this.#dirty.clear();
    for (const id of this.#newAliases) {
      const key = aliasKey(id);
      batch.put(key, encodeAlias(key, this.#aliases.get(id)!));
    }
    this.#newAliases.length = 0;
  }
}

/** Calls `visit` for each record with a key that `keyOf` makes of an id below `nextId`; gives of how many ids it is not known what they have. */
async function eachReadable(
  kv: Reads,
  keyOf: (id: number) => Uint8Array,
  nextId: number,
  visit: (key: Uint8Array, value: Uint8Array) => void,
): Promise<number> {
  let unreadable = 0;
  for (let from = 1; from < nextId; from += LOAD_SLICE) {
    const to = Math.min(from + LOAD_SLICE, nextId);
    try {
      for (const [key, value] of await kv.range(keyOf(from), keyOf(to))) visit(key, value);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      for (let id = from; id < to; id++) if (!isReadable(kv, keyOf(id), visit)) unreadable++;
    }
  }
  return unreadable;
}

function isReadable(kv: Reads, key: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => void): boolean {
  try {
    const value = kv.get(key);
    if (value !== undefined) visit(key, value);
    return true;
  } catch (error) {
    if (error instanceof CorruptionError) return false;
    throw error;
  }
}
