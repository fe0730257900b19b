// FORMAT.md against the code: every example decodes to what it says and encodes to its bytes, and the tables of bytes are the constants.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CHANGE,
  DEAD_BLOCKS,
  ENTRY,
  JournalRecordWriter,
  Key,
  RECORD,
  type LedgerEntry,
  SPACE,
  createInode,
  deadKey,
  deadSumKey,
  deadTotalKey,
  aliasKey,
  versionKey,
  volumeKey,
  encodeVolume,
  decodeVolume,
  decodeAlias,
  decodeDead,
  decodeDeadSum,
  decodeDeadTotal,
  decodeInode,
  decodeJournalMark,
  decodeLedger,
  decodePage,
  decodeSuper,
  decodeVersion,
  encodeAlias,
  encodeDead,
  encodeDeadSum,
  encodeDeadTotal,
  encodeInode,
  encodeJournalMark,
  encodeLedger,
  encodePage,
  encodeSuper,
  encodeVersion,
  extentBirth,
  extentStart,
  extentSum,
  keyAt,
  keyIno,
  keySuffix48,
  keyType,
  pageCount,
  readJournalRecord,
  valueAt,
  valueLengthAt,
  visitJournalItems,
} from '../../../src/format/index.ts';

const document = readFileSync(new URL('../../../src/format/FORMAT.md', import.meta.url), 'utf8');

/** The bytes of an example: the hexadecimal pairs at the start of each of its lines. */
function example(name: string): Uint8Array {
  const block = new RegExp(`<!-- example: ${name} -->\\s+\`\`\`\\n([^\`]+)\`\`\``).exec(document);
  expect(block, name).not.toBeNull();
  const lines = block![1]!.trimEnd().split('\n');
  return Uint8Array.from(
    lines.flatMap((line) =>
      (/^([0-9a-f]{2} ?)+/.exec(line)?.[0] ?? '')
        .trim()
        .split(' ')
        .map((byte) => Number.parseInt(byte, 16)),
    ),
  );
}

/** Name -> byte of a table whose rows start with `| name | 0x..`. */
function bytesOfTable(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    names.map((name) => [name, Number(new RegExp(`^\\| ${name} +\\| (0x[0-9a-f]{2})`, 'm').exec(document)?.[1])]),
  );
}

const VOLUME = { id: 1, head: 2, nextIno: 256, createdMs: 0, snapshotsChangedMs: 0, properties: {} };

describe('FORMAT.md', () => {
  it('lists the key spaces, the kinds of entries and the record types as they are in the code', () => {
    expect(bytesOfTable(Object.keys(SPACE))).toEqual(SPACE);
    expect(bytesOfTable(Object.keys(ENTRY))).toEqual(ENTRY);
    expect(bytesOfTable(Object.keys(CHANGE))).toMatchObject({
      put: 2,
      remove: 3,
      map: 4,
      unmap: 5,
      block: 6,
      patch: 7,
    });
    for (const [name, type] of Object.entries(RECORD)) {
      expect(document).toMatch(
        new RegExp(`^\\| ${name} +\\| 0x${type.toString(16)} \`${String.fromCharCode(type)}\``, 'm'),
      );
    }
  });

  it('shows a super record', () => {
    const fields = { nextNode: 300, nextVersion: 7, nextVolume: 3, nextTag: 9, hashSeed: 0xcafe1234 };
    expect(decodeSuper(example('super record'))).toEqual(fields);
    expect(encodeSuper(fields)).toEqual(example('super record'));
  });

  it('shows a version record', () => {
    const fields = {
      ...{ state: 2, parent: 4, tag: 6, volume: 1, root: 291, rootBirth: 5, deadList: 5 },
      rootSum: 0xaabbccdd,
      ...{ referencedBlocks: 1000, referencedNodes: 40, bornBlocks: 12, bornNodes: 4 },
      createdMs: Date.parse('2026-01-31T12:00:00Z'),
      label: { name: 'a', accessPoint: 'a' },
    };
    expect(decodeVersion(versionKey(6), example('version record'), 'example')).toEqual(fields);
    expect(encodeVersion(versionKey(6), fields)).toEqual(example('version record'));
  });

  it('shows dead-list records, sums and aliases', () => {
    const dead = deadKey(6, 5, DEAD_BLOCKS, 4096);
    expect(example('dead record')).toEqual(Uint8Array.of(...dead, ...encodeDead(dead, 3)));
    expect(decodeDead(dead, encodeDead(dead, 3), 'example')).toBe(3);
    const ofBirth = deadSumKey(6, 5);
    const sum = { nodes: 2, blocks: 3, records: 0x0123456789ab };
    expect(example('dead sum')).toEqual(Uint8Array.of(...ofBirth, ...encodeDeadSum(ofBirth, sum)));
    expect(decodeDeadSum(ofBirth, encodeDeadSum(ofBirth, sum), 'example')).toEqual(sum);
    const total = deadTotalKey(6);
    expect(example('dead total')).toEqual(Uint8Array.of(...total, ...encodeDeadTotal(total, 0x1112)));
    expect(decodeDeadTotal(total, encodeDeadTotal(total, 0x1112), 'example')).toBe(0x1112);
    expect(example('alias record')).toEqual(Uint8Array.of(...aliasKey(4), ...encodeAlias(aliasKey(4), 5)));
    expect(decodeAlias(aliasKey(4), encodeAlias(aliasKey(4), 5), 'example')).toBe(5);
  });

  it('takes a record under another key for damage', () => {
    expect(() => decodeAlias(aliasKey(3), encodeAlias(aliasKey(4), 5), 'example')).toThrow(/checksum does not match/);
    const volume = encodeVolume(volumeKey('other'), VOLUME);
    expect(decodeVolume(volumeKey('other'), volume, 'example')).toEqual(VOLUME);
    expect(() => decodeVolume(volumeKey('nther'), volume, 'example')).toThrow(/checksum does not match/);
  });

  it('shows a node with a directory entry and an extent', () => {
    const page = decodePage(example('node record'), 'example');
    expect(encodePage(page)).toEqual(example('node record'));
    expect(pageCount(page)).toBe(2);
    expect([keyIno(page, keyAt(page, 0)), keyType(page, keyAt(page, 0))]).toEqual([1, ENTRY.dirent]);
    expect(keySuffix48(page, keyAt(page, 0))).toBe(0x112233445566);
    const name = valueAt(page, 0) + 7;
    expect(Buffer.from(page.subarray(name, valueAt(page, 0) + valueLengthAt(page, 0))).toString()).toBe('hi');
    expect([keyIno(page, keyAt(page, 1)), keyType(page, keyAt(page, 1))]).toEqual([257, ENTRY.extent]);
    const at = valueAt(page, 1);
    expect([extentStart(page, at), extentBirth(page, at)]).toEqual([4096, 6]);
    expect([extentSum(page, at, 0), extentSum(page, at, 1)]).toEqual([0xaabbccdd, 0x01020304]);
  });

  it('shows an inode', () => {
    const inode = createInode();
    decodeInode(example('inode'), 0, 257, inode);
    expect(inode).toMatchObject({
      ino: 257,
      mode: 0o100644,
      nlink: 1,
      uid: 1000,
      gid: 1000,
      sizeBytes: 5000,
      blocks: 2,
    });
    expect(inode.mtime).toEqual({ sec: Date.parse('2026-01-31T12:00:00Z') / 1000, nsec: 5 });
    expect(inode.btime).toEqual({ sec: -1, nsec: 5 });
    const bytes = new Uint8Array(90);
    encodeInode(inode, bytes, 0);
    expect(bytes).toEqual(example('inode'));
  });

  it('shows a journal record', () => {
    const bytes = example('journal record');
    const record = readJournalRecord(bytes, 0)!;
    expect([record.sequence, record.durable]).toEqual([7, 5]);
    const writer = new JournalRecordWriter();
    const key = new Key();
    const keyOf = (found: Uint8Array): Key => key.copy(found, 0, found.length);
    visitJournalItems(record.items, {
      put: (volume, found, value) => {
        expect([...found]).toEqual([...key.orphan(3, 257).bytes.subarray(0, key.length)]);
        writer.put(volume, keyOf(found).bytes, 0, key.length, value, 0, value.length);
      },
      remove: (volume, found) => {
        expect([...found]).toEqual([...key.dirent(1, 5).bytes.subarray(0, key.length)]);
        writer.remove(volume, keyOf(found).bytes, 0, key.length);
      },
      map: (volume, ino, fileBlock, start, sums) => {
        expect([ino, fileBlock, start, sums[0]]).toEqual([257, 2, 4096, 0xaabbccdd]);
        writer.map(volume, ino, fileBlock, start, sums.length, sums);
      },
      unmap: (volume, ino, from, to) => {
        writer.unmap(volume, ino, from, to);
      },
      block: (volume, ino, fileBlock, start, contents) => {
        writer.block(volume, ino, fileBlock, start, contents, contents.length);
      },
      patch: (volume, ino, fileBlock, within, contents) => {
        writer.patch(volume, ino, fileBlock, within, contents, 0, contents.length);
      },
      structure: (json) => {
        expect(JSON.parse(json)).toEqual({ do: 'delete-volume', volume: 'a' });
        writer.structure(json);
      },
    });
    writer.seal(7, 5);
    expect(Buffer.from(writer.bytes.subarray(0, writer.length)).equals(bytes)).toBe(true);
  });

  it('shows a journal mark', () => {
    expect(decodeJournalMark(example('journal mark'))).toBe(7);
    expect(encodeJournalMark(7)).toEqual(example('journal mark'));
  });

  it('shows a ledger', () => {
    const entries: [number, LedgerEntry][] = [
      [SPACE.super, { records: 1, sum: 0xfeedbeef }],
      [SPACE.version, { records: 4, sum: 0x0001faceb00c }],
    ];
    expect(decodeLedger(example('ledger'))).toEqual(new Map(entries));
    expect(encodeLedger(entries.toReversed())).toEqual(example('ledger'));
  });
});
