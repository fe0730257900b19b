// Values of the super, version, alias, dead, dead-sum and volume records. Each starts with a type byte and a format byte; numbers
// are big-endian; what people name and set is JSON at the end, so that it can grow without a new format.
// FROZEN BYTES: FORMAT.md, "Records".

import { CorruptionError } from '../errors/index.ts';
import { get32, get48, put32, put48 } from '../util/index.ts';

const RECORD_FORMAT = 1;

/** Type byte of each record. */
export const RECORD = {
  super: 0x53, // 'S'
  version: 0x56, // 'V'
  alias: 0x41, // 'A'
  dead: 0x44, // 'D'
  deadSum: 0x54, // 'T'
  volume: 0x4c, // 'L'
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

/** What people say of a snapshot. */
export interface SnapshotLabel {
  name: string;
  accessPoint: string;
  comment?: string;
  /** Who made it: a person's name or a schedule's. */
  by?: string;
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

const VERSION_FIXED_BYTES = 60;

export function encodeVersion(version: VersionRecord): Uint8Array {
  const label = version.label === undefined ? '' : JSON.stringify(version.label);
  const text = new TextEncoder().encode(label);
  const bytes = startRecord(RECORD.version, VERSION_FIXED_BYTES + text.length);
  bytes[2] = version.state;
  put32(bytes, 4, version.parent);
  put32(bytes, 8, version.tag);
  put32(bytes, 12, version.volume);
  put48(bytes, 16, version.root);
  put32(bytes, 22, version.rootBirth);
  put32(bytes, 26, version.deadList);
  put48(bytes, 30, version.referencedBlocks);
  put48(bytes, 36, version.referencedNodes);
  put48(bytes, 42, version.bornBlocks);
  put48(bytes, 48, version.bornNodes);
  put48(bytes, 54, version.createdMs);
  bytes.set(text, VERSION_FIXED_BYTES);
  return bytes;
}

export function decodeVersion(bytes: Uint8Array, record: string): VersionRecord {
  checkRecord(bytes, RECORD.version, VERSION_FIXED_BYTES, record);
  const text = new TextDecoder().decode(bytes.subarray(VERSION_FIXED_BYTES));
  return {
    state: bytes[2]!,
    parent: get32(bytes, 4),
    tag: get32(bytes, 8),
    volume: get32(bytes, 12),
    root: get48(bytes, 16),
    rootBirth: get32(bytes, 22),
    deadList: get32(bytes, 26),
    referencedBlocks: get48(bytes, 30),
    referencedNodes: get48(bytes, 36),
    bornBlocks: get48(bytes, 42),
    bornNodes: get48(bytes, 48),
    createdMs: get48(bytes, 54),
    label: text === '' ? undefined : (parseJson(text, record) as SnapshotLabel),
  };
}

export function encodeSuper(fields: SuperRecord): Uint8Array {
  const bytes = startRecord(RECORD.super, 24);
  put48(bytes, 2, fields.nextNode);
  put32(bytes, 8, fields.nextVersion);
  put32(bytes, 12, fields.nextVolume);
  put32(bytes, 16, fields.nextTag);
  put32(bytes, 20, fields.hashSeed);
  return bytes;
}

export function decodeSuper(bytes: Uint8Array): SuperRecord {
  checkRecord(bytes, RECORD.super, 24, 'super record');
  return {
    nextNode: get48(bytes, 2),
    nextVersion: get32(bytes, 8),
    nextVolume: get32(bytes, 12),
    nextTag: get32(bytes, 16),
    hashSeed: get32(bytes, 20),
  };
}

/** `target`: the version that the key's version was merged into. */
export function encodeAlias(target: number): Uint8Array {
  const bytes = startRecord(RECORD.alias, 6);
  put32(bytes, 2, target);
  return bytes;
}

export function decodeAlias(bytes: Uint8Array, record: string): number {
  checkRecord(bytes, RECORD.alias, 6, record);
  return get32(bytes, 2);
}

/** `length`: how many nodes or blocks, from the key's on. */
export function encodeDead(length: number): Uint8Array {
  const bytes = startRecord(RECORD.dead, 6);
  put32(bytes, 2, length);
  return bytes;
}

export function decodeDead(bytes: Uint8Array, record: string): number {
  checkRecord(bytes, RECORD.dead, 6, record);
  return get32(bytes, 2);
}

export function encodeDeadSum(nodes: number, blocks: number): Uint8Array {
  const bytes = startRecord(RECORD.deadSum, 14);
  put48(bytes, 2, nodes);
  put48(bytes, 8, blocks);
  return bytes;
}

export function decodeDeadSum(bytes: Uint8Array, record: string): { nodes: number; blocks: number } {
  checkRecord(bytes, RECORD.deadSum, 14, record);
  return { nodes: get48(bytes, 2), blocks: get48(bytes, 8) };
}

/** Where a clone came from, as it was called then. */
export interface CloneOrigin {
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
  origin?: CloneOrigin;
  /** When the set of its snapshots last changed, in milliseconds since 1970: the time of `.snapshots`. */
  snapshotsChangedMs: number;
  properties: Record<string, string>;
}

export function encodeVolume(volume: VolumeRecord): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(volume));
  const bytes = startRecord(RECORD.volume, 2 + text.length);
  bytes.set(text, 2);
  return bytes;
}

export function decodeVolume(bytes: Uint8Array, record: string): VolumeRecord {
  checkRecord(bytes, RECORD.volume, 2, record);
  return parseJson(new TextDecoder().decode(bytes.subarray(2)), record) as VolumeRecord;
}

function startRecord(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = type;
  bytes[1] = RECORD_FORMAT;
  return bytes;
}

function checkRecord(bytes: Uint8Array, type: number, length: number, record: string): void {
  if (bytes.length < length || bytes[0] !== type) throw new CorruptionError(record, 'not a record of its kind');
  if (bytes[1] !== RECORD_FORMAT) throw new CorruptionError(record, `record format ${bytes[1]!} is unknown`);
}

function parseJson(text: string, record: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorruptionError(record, 'its JSON does not parse', { cause });
  }
}
