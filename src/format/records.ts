// Values of the super, version, alias, volume, dead-list, journal and ledger records. Each starts with a type byte, a format byte and a CRC-32 of
// its key, where there may be others of its kind, and of the whole record with the sum's own bytes zero: one that came under another key does not
// pass. Numbers are big-endian; what people name and set is JSON at the end, so that it can grow without a new format.
// FROZEN BYTES: FORMAT.md, "Records".

import { crc32 } from 'node:zlib';
import { CorruptionError } from '../errors/index.ts';
import { get32, get48, put32, put48 } from '../util/index.ts';

const RECORD_FORMAT = 1;
const CRC_AT = 2;
const BODY_AT = 6;

/** Type byte of each record. */
export const RECORD = {
  super: 0x53, // 'S'
  version: 0x56, // 'V'
  alias: 0x41, // 'A'
  dead: 0x44, // 'D'
  deadSum: 0x54, // 'T'
  deadTotal: 0x55, // 'U'
  volume: 0x4c, // 'L'
  journal: 0x4a, // 'J'
  ledger: 0x47, // 'G'
} as const;

/** Counters of the whole store. */
export interface SuperRecord {
  nextNode: number;
  nextVersion: number;
  nextVolume: number;
  nextTag: number;
  /** Seed of the hash that orders directory entries (u32). */
  hashSeed: number;
}

/** What a version is doing. */
export const VERSION_STATE = {
  /** The mutable end of a volume. */
  head: 1,
  /** Never changes again. */
  frozen: 2,
  /** Nameless and without children: its tree is being taken apart. */
  dying: 3,
  /** Merged into its only child: what both no longer need is being freed. */
  merging: 4,
} as const;

/** Who needs a snapshot to stay, until when. */
export interface SnapshotHold {
  tag: string;
  reason?: string;
  /** From this moment on (milliseconds since 1970) it holds no longer. */
  expiresMs?: number;
}

/** What people say of a snapshot. */
export interface SnapshotLabel {
  name: string;
  accessPoint: string;
  comment?: string;
  /** Who made it: a person's name or a schedule's. */
  by?: string;
  /** The properties that were set on the volume when it was made, if any. */
  properties?: Readonly<Record<string, string>>;
  /** While one of them has not expired, the snapshot is not deleted. */
  holds?: SnapshotHold[];
}

export interface VersionRecord {
  state: number;
  /** 0 for none. */
  parent: number;
  /** High part of the nodeids that show this version, 1 to 2^24-1. */
  tag: number;
  /** The volume that it is the head or a snapshot of. */
  volume: number;
  root: number;
  rootBirth: number;
  /** The checksum of the root's record. */
  rootSum: number;
  /** Under which id its dead-list records stand. */
  deadList: number;
  referencedBlocks: number;
  referencedNodes: number;
  bornBlocks: number;
  bornNodes: number;
  /** When it was frozen (or made, for a head), in milliseconds since 1970. */
  createdMs: number;
  label: SnapshotLabel | undefined;
}

const VERSION_FIXED_BYTES = 68;

export function encodeVersion(key: Uint8Array, version: VersionRecord): Uint8Array {
  const label = version.label === undefined ? '' : JSON.stringify(version.label);
  const text = new TextEncoder().encode(label);
  const bytes = new Uint8Array(VERSION_FIXED_BYTES + text.length);
  bytes[6] = version.state;
  put32(bytes, 8, version.parent);
  put32(bytes, 12, version.tag);
  put32(bytes, 16, version.volume);
  put48(bytes, 20, version.root);
  put32(bytes, 26, version.rootBirth);
  put32(bytes, 30, version.rootSum);
  put32(bytes, 34, version.deadList);
  put48(bytes, 38, version.referencedBlocks);
  put48(bytes, 44, version.referencedNodes);
  put48(bytes, 50, version.bornBlocks);
  put48(bytes, 56, version.bornNodes);
  put48(bytes, 62, version.createdMs);
  bytes.set(text, VERSION_FIXED_BYTES);
  return seal(bytes, RECORD.version, key);
}

export function decodeVersion(key: Uint8Array, bytes: Uint8Array, record: string): VersionRecord {
  checkRecord(bytes, RECORD.version, VERSION_FIXED_BYTES, record, key);
  const text = new TextDecoder().decode(bytes.subarray(VERSION_FIXED_BYTES));
  return {
    state: bytes[6]!,
    parent: get32(bytes, 8),
    tag: get32(bytes, 12),
    volume: get32(bytes, 16),
    root: get48(bytes, 20),
    rootBirth: get32(bytes, 26),
    rootSum: get32(bytes, 30),
    deadList: get32(bytes, 34),
    referencedBlocks: get48(bytes, 38),
    referencedNodes: get48(bytes, 44),
    bornBlocks: get48(bytes, 50),
    bornNodes: get48(bytes, 56),
    createdMs: get48(bytes, 62),
    label: text === '' ? undefined : (parseJson(text, record) as SnapshotLabel),
  };
}

const SUPER_BYTES = 28;

export function encodeSuper(fields: SuperRecord): Uint8Array {
  const bytes = new Uint8Array(SUPER_BYTES);
  put48(bytes, 6, fields.nextNode);
  put32(bytes, 12, fields.nextVersion);
  put32(bytes, 16, fields.nextVolume);
  put32(bytes, 20, fields.nextTag);
  put32(bytes, 24, fields.hashSeed);
  return seal(bytes, RECORD.super);
}

export function decodeSuper(bytes: Uint8Array): SuperRecord {
  checkRecord(bytes, RECORD.super, SUPER_BYTES, 'super record');
  return {
    nextNode: get48(bytes, 6),
    nextVersion: get32(bytes, 12),
    nextVolume: get32(bytes, 16),
    nextTag: get32(bytes, 20),
    hashSeed: get32(bytes, 24),
  };
}

const ALIAS_BYTES = 10;

/** `target`: the version that the key's version was merged into. */
export function encodeAlias(key: Uint8Array, target: number): Uint8Array {
  const bytes = new Uint8Array(ALIAS_BYTES);
  put32(bytes, 6, target);
  return seal(bytes, RECORD.alias, key);
}

export function decodeAlias(key: Uint8Array, bytes: Uint8Array, record: string): number {
  checkRecord(bytes, RECORD.alias, ALIAS_BYTES, record, key);
  return get32(bytes, 6);
}

const DEAD_BYTES = 10;

/** `length`: how many nodes or blocks, from the key's on. */
export function encodeDead(key: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(DEAD_BYTES);
  put32(bytes, 6, length);
  return seal(bytes, RECORD.dead, key);
}

export function decodeDead(key: Uint8Array, bytes: Uint8Array, record: string): number {
  checkRecord(bytes, RECORD.dead, DEAD_BYTES, record, key);
  return get32(bytes, 6);
}

/** What a dead list holds of one birth. */
export interface DeadSum {
  nodes: number;
  blocks: number;
  /** What its records add up to (record-sum.ts). */
  records: number;
}

const DEAD_SUM_BYTES = 24;

export function encodeDeadSum(key: Uint8Array, { nodes, blocks, records }: DeadSum): Uint8Array {
  const bytes = new Uint8Array(DEAD_SUM_BYTES);
  put48(bytes, 6, nodes);
  put48(bytes, 12, blocks);
  put48(bytes, 18, records);
  return seal(bytes, RECORD.deadSum, key);
}

export function decodeDeadSum(key: Uint8Array, bytes: Uint8Array, record: string): DeadSum {
  checkRecord(bytes, RECORD.deadSum, DEAD_SUM_BYTES, record, key);
  return { nodes: get48(bytes, 6), blocks: get48(bytes, 12), records: get48(bytes, 18) };
}

const DEAD_TOTAL_BYTES = 12;

/** `total`: what the sums of a dead list add up to (record-sum.ts). */
export function encodeDeadTotal(key: Uint8Array, total: number): Uint8Array {
  const bytes = new Uint8Array(DEAD_TOTAL_BYTES);
  put48(bytes, 6, total);
  return seal(bytes, RECORD.deadTotal, key);
}

export function decodeDeadTotal(key: Uint8Array, bytes: Uint8Array, record: string): number {
  checkRecord(bytes, RECORD.deadTotal, DEAD_TOTAL_BYTES, record, key);
  return get48(bytes, 6);
}

const JOURNAL_MARK_BYTES = 12;

/** `sequence`: the last record of the journal whose changes the commit holds. */
export function encodeJournalMark(sequence: number): Uint8Array {
  const bytes = new Uint8Array(JOURNAL_MARK_BYTES);
  put48(bytes, 6, sequence);
  return seal(bytes, RECORD.journal);
}

export function decodeJournalMark(bytes: Uint8Array): number {
  checkRecord(bytes, RECORD.journal, JOURNAL_MARK_BYTES, 'journal mark');
  return get48(bytes, 6);
}

/** What the ledger says of the records of one key space. */
export interface LedgerEntry {
  /** How many there are. */
  readonly records: number;
  /** What they add up to (record-sum.ts). */
  readonly sum: number;
}

const LEDGER_ENTRY_BYTES = 13;

/** `entries`: of each key space that has records. */
export function encodeLedger(entries: readonly (readonly [space: number, entry: LedgerEntry])[]): Uint8Array {
  const bytes = new Uint8Array(BODY_AT + entries.length * LEDGER_ENTRY_BYTES);
  const sorted = entries.toSorted(([a], [b]) => a - b);
  for (const [index, [space, { records, sum }]] of sorted.entries()) {
    const at = BODY_AT + index * LEDGER_ENTRY_BYTES;
    bytes[at] = space;
    put48(bytes, at + 1, records);
    put48(bytes, at + 7, sum);
  }
  return seal(bytes, RECORD.ledger);
}

/** The entries by key space. */
export function decodeLedger(bytes: Uint8Array): Map<number, LedgerEntry> {
  checkRecord(bytes, RECORD.ledger, BODY_AT, 'ledger');
  const entries = new Map<number, LedgerEntry>();
  for (let at = BODY_AT; at + LEDGER_ENTRY_BYTES <= bytes.length; at += LEDGER_ENTRY_BYTES)
    entries.set(bytes[at]!, { records: get48(bytes, at + 1), sum: get48(bytes, at + 7) });
  return entries;
}

/** Where a clone came from. */
export interface CloneOrigin {
  /** The id of the volume. */
  id: number;
  /** The volume as it is called or, once deleted, was last; the snapshot as it was called then. */
  volume: string;
  snapshot: string;
}

export interface VolumeRecord {
  id: number;
  /** The version that is the volume's mutable end. */
  head: number;
  /** The first inode number that was never used in the volume; numbers are never used again. */
  nextIno: number;
  createdMs: number;
  origin?: CloneOrigin | undefined;
  /** When the set of its snapshots last changed, in milliseconds since 1970: the time of `.snapshots`. */
  snapshotsChangedMs: number;
  properties: Readonly<Record<string, string>>;
}

export function encodeVolume(key: Uint8Array, volume: VolumeRecord): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(volume));
  const bytes = new Uint8Array(BODY_AT + text.length);
  bytes.set(text, BODY_AT);
  return seal(bytes, RECORD.volume, key);
}

export function decodeVolume(key: Uint8Array, bytes: Uint8Array, record: string): VolumeRecord {
  checkRecord(bytes, RECORD.volume, BODY_AT, record, key);
  return parseJson(new TextDecoder().decode(bytes.subarray(BODY_AT)), record) as VolumeRecord;
}

const NO_KEY = new Uint8Array(0);

/** Writes type, format and checksum into a record whose body is complete. `key`: the record's, where there may be others of its kind. */
function seal(bytes: Uint8Array, type: number, key: Uint8Array = NO_KEY): Uint8Array {
  bytes[0] = type;
  bytes[1] = RECORD_FORMAT;
  put32(bytes, CRC_AT, crc32(bytes, crc32(key)));
  return bytes;
}

const NO_SUM = new Uint8Array(BODY_AT - CRC_AT);

/** Throws CorruptionError, naming `record`, where `bytes` is not a whole record of `type` with at least `length` bytes, made for `key`. */
function checkRecord(bytes: Uint8Array, type: number, length: number, record: string, key: Uint8Array = NO_KEY): void {
  if (bytes.length < length || bytes[0] !== type) throw new CorruptionError(record, 'not a record of its kind');
  if (bytes[1] !== RECORD_FORMAT) throw new CorruptionError(record, `record format ${bytes[1]!} is unknown`);
  const sum = crc32(bytes.subarray(BODY_AT), crc32(NO_SUM, crc32(bytes.subarray(0, CRC_AT), crc32(key))));
  if (sum !== get32(bytes, CRC_AT)) throw new CorruptionError(record, 'checksum does not match');
}

function parseJson(text: string, record: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorruptionError(record, 'its JSON does not parse', { cause });
  }
}
