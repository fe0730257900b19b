import { expect, test } from 'vitest';
import type { SnapshotInfo } from '../../../src/daemon/control/index.ts';
import { treeLines } from '../../../src/cli/run/snapshot-tree.ts';

const snapshot = (name: string, parent: string | null, children: string[], more: object = {}): SnapshotInfo => ({
  ...{ volume: 'main', name, accessPoint: name, createdMs: 0, referencedBytes: 0, uniqueBytes: 0, writtenBytes: 0 },
  ...{ parent, children, clones: [], current: false, holds: [], comment: null, by: null, mountedOn: null },
  ...more,
});
const texts = (snapshots: SnapshotInfo[]): string[] => treeLines(snapshots).map(({ text }) => text);

test('one follower stands below, several branch off; clones and the live files are among them', () => {
  expect(
    texts([
      snapshot('a', null, ['b']),
      snapshot('b', 'a', ['c', 'before-restore'], { clones: ['copy'] }),
      snapshot('c', 'b', ['d']),
      snapshot('d', 'c', [], { clones: ['one', 'two'] }),
      snapshot('before-restore', 'b', [], { current: true }),
    ]),
  ).toEqual([
    'a',
    'b',
    '|-- copy (clone)',
    '|-- c',
    '|   d',
    '|   |-- one (clone)',
    '|   `-- two (clone)',
    '`-- before-restore',
    '    main (live files)',
  ]);
});

test('a parent of another volume is no part of the tree', () => {
  expect(texts([snapshot('a', 'main@s', []), snapshot('b', 'main@s', [])])).toEqual(['a', 'b']);
});

test('a long line of snapshots stays a list', () => {
  const count = 24_576;
  const names = Array.from({ length: count }, (_, index) => String(index));
  const line = names.map((name, i) => snapshot(name, i === 0 ? null : names[i - 1]!, names.slice(i + 1, i + 2)));
  expect(texts(line)).toEqual(names);
});
