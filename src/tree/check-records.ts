// Whether each record of the engine can be read: its checksum, its form. What records mean together is looked at elsewhere.

import { CorruptionError } from '../errors/index.ts';
import {
  REGION_WORDS,
  SPACE,
  decodeAlias,
  decodeDead,
  decodeDeadSum,
  decodeDeadTotal,
  decodeJournalMark,
  decodeLedger,
  decodePage,
  decodeRegion,
  decodeSuper,
  decodeVersion,
  decodeVolume,
  idOfKey,
  idOfNodeKey,
  nameOfVolumeKey,
  parseDeadKey,
  parseDeadSumKey,
} from '../format/index.ts';

type Decode = (key: Uint8Array, value: Uint8Array) => unknown;

const words = new Int32Array(REGION_WORDS);

const DECODE: ReadonlyMap<number, Decode> = new Map<number, Decode>([
  [SPACE.super, (_key, value) => decodeSuper(value)],
  [SPACE.volume, (key, value) => decodeVolume(key, value, `volume ${nameOfVolumeKey(key)}`)],
  [SPACE.version, (key, value) => decodeVersion(key, value, `version ${idOfKey(key)}`)],
  [SPACE.alias, (key, value) => decodeAlias(key, value, `alias ${idOfKey(key)}`)],
  [SPACE.node, (key, value) => decodePage(value, `node ${idOfNodeKey(key)}`)],
  [SPACE.dead, (key, value) => decodeDead(key, value, `dead list ${parseDeadKey(key).list}`)],
  [SPACE.deadSum, (key, value) => decodeDeadSum(key, value, `sums of dead list ${parseDeadSumKey(key).list}`)],
  [SPACE.deadTotal, (key, value) => decodeDeadTotal(key, value, `total of dead list ${idOfKey(key)}`)],
  [SPACE.region, (key, value) => decodeRegion(idOfKey(key), value, words)],
  [SPACE.journal, (_key, value) => decodeJournalMark(value)],
  [SPACE.ledger, (_key, value) => decodeLedger(value)],
]);

/** What is wrong with one record of the engine by itself, or undefined. */
export function checkRecord(key: Uint8Array, value: Uint8Array): string | undefined {
  const decode = DECODE.get(key[0] ?? 0);
  if (decode === undefined) return `record ${Buffer.from(key).toString('hex')}: no record of amberfs has such a key`;
  try {
    decode(key, value);
    return undefined;
  } catch (error) {
    if (error instanceof CorruptionError) return error.message;
    throw error;
  }
}
