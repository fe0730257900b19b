// format.json: says that a directory is a store, and which. JSON, so that a person who finds the directory can read it.
// It is written once, last of all when a store is made: where it is missing, making the store was cut short.

import { CorruptionError, FsError } from '../errors/index.ts';
import { BLOCK_BYTES, FORMAT_VERSION, REGION_BLOCKS } from './constants.ts';

/** The contents of format.json. */
export interface StoreFormat {
  /** The version of the on-disk format. */
  format: number;
  /** Tells this store from every other: a version 4 UUID. */
  uuid: string;
  /** When the store was made: UTC, ISO 8601. */
  created: string;
  /** The program that made it. */
  program: string;
  /** Bytes of a data block. */
  blockBytes: number;
  /** Blocks that one allocation bitmap covers. */
  regionBlocks: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a new store of this program says of itself. */
export function createStoreFormat(uuid: string, created: string): StoreFormat {
  return {
    format: FORMAT_VERSION,
    uuid,
    created,
    program: 'amberfs',
    blockBytes: BLOCK_BYTES,
    regionBlocks: REGION_BLOCKS,
  };
}

/** The text of format.json. */
export function encodeStoreFormat(format: StoreFormat): string {
  return `${JSON.stringify(format, null, 2)}\n`;
}

/**
 * Reads the text of a format.json; `where` names it in messages. Fields it does not know are left alone.
 * Throws CorruptionError where it is damaged, FsError EOPNOTSUPP where it is of a format that this program does not read.
 */
export function decodeStoreFormat(text: string, where: string): StoreFormat {
  const fields = parseObject(text, where);
  const format = numberField(fields, 'format', where);
  // First of all: what follows may look different in another format.
  if (format !== FORMAT_VERSION) {
    throw new FsError(
      'EOPNOTSUPP',
      'store-format-unsupported',
      `${where}: the store has format ${format}, this program reads format ${FORMAT_VERSION}; use a ${format > FORMAT_VERSION ? 'newer' : 'different'} amberfs`,
    );
  }
  const uuid = stringField(fields, 'uuid', where);
  if (!UUID.test(uuid)) throw new CorruptionError(where, `uuid ${JSON.stringify(uuid)} is none`);
  const created = stringField(fields, 'created', where);
  if (Number.isNaN(Date.parse(created)))
    throw new CorruptionError(where, `created ${JSON.stringify(created)} is no date`);
  const program = stringField(fields, 'program', where);
  const blockBytes = numberField(fields, 'blockBytes', where);
  const regionBlocks = numberField(fields, 'regionBlocks', where);
  if (blockBytes !== BLOCK_BYTES || regionBlocks !== REGION_BLOCKS) {
    throw new CorruptionError(
      where,
      `blockBytes ${blockBytes} and regionBlocks ${regionBlocks} are not those of format ${FORMAT_VERSION}`,
    );
  }
  return { format, uuid, created, program, blockBytes, regionBlocks };
}

function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CorruptionError(where, 'is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CorruptionError(where, 'is not a JSON object');
  }
  return value as Record<string, unknown>;
}

function numberField(fields: Record<string, unknown>, name: string, where: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value)) throw new CorruptionError(where, `field "${name}" is not a whole number`);
  return value as number;
}

function stringField(fields: Record<string, unknown>, name: string, where: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new CorruptionError(where, `field "${name}" is not a string`);
  return value;
}
