import { describe, expect, test } from 'vitest';
import { type Column } from '../../../src/cli/columns.ts';
import { UsageError } from '../../../src/cli/failure.ts';
import { renderListing, type Listing, type ListingOptions } from '../../../src/cli/table.ts';

interface Thing {
  name: string;
  bytes: number;
  madeMs: number;
  comment: string | null;
}

const COLUMNS: readonly Column<Thing>[] = [
  { name: 'name', kind: 'text', value: (thing) => thing.name },
  { name: 'space_used', kind: 'size', value: (thing) => thing.bytes },
  { name: 'made', kind: 'time', value: (thing) => thing.madeMs },
  { name: 'comment', kind: 'text', value: (thing) => thing.comment },
];
const THINGS: Listing<Thing> = { name: 'things', columns: COLUMNS, shown: 'name,space_used,comment', empty: 'none' };
const ROWS: Thing[] = [
  { name: 'long-name', bytes: 2048, madeMs: 1_000, comment: null },
  { name: 'b', bytes: 10, madeMs: 2_000, comment: 'two\nlines\x1b[2J' },
];

const render = (options: ListingOptions, rows = ROWS): string => renderListing(THINGS, rows, options);

describe('a listing', () => {
  test('is a table for people: headers, numbers at the right, a dash for nothing, nothing that moves a cursor', () => {
    expect(render({})).toBe(
      ['NAME       SPACE USED  COMMENT', 'long-name    2.00 KiB  -', 'b                10 B  two?lines?[2J', ''].join(
        '\n',
      ),
    );
  });

  test('says that there is nothing, but not to scripts', () => {
    expect(render({}, [])).toBe('none\n');
    expect(render({ scripted: true }, [])).toBe('');
    expect(JSON.parse(render({ json: true }, []))).toEqual({ output_version: 1, things: [] });
  });

  test('-H has tabs and no header, -p exact numbers and UTC', () => {
    expect(render({ scripted: true })).toBe('long-name\t2.00 KiB\t-\nb\t10 B\ttwo?lines?[2J\n');
    expect(render({ scripted: true, parsable: true, columns: 'made,space_used' })).toBe(
      '1970-01-01T00:00:01.000Z\t2048\n1970-01-01T00:00:02.000Z\t10\n',
    );
  });

  test('--json has all columns as they are', () => {
    expect(JSON.parse(render({ json: true, columns: 'name' }))).toEqual({
      output_version: 1,
      things: [
        { name: 'long-name', space_used: 2048, made: '1970-01-01T00:00:01.000Z', comment: null },
        { name: 'b', space_used: 10, made: '1970-01-01T00:00:02.000Z', comment: 'two\nlines\x1b[2J' },
      ],
    });
  });

  test('is sorted as asked: numbers by size, nothing first', () => {
    const names = (options: ListingOptions): string => render({ scripted: true, columns: 'name', ...options });
    expect(names({ sort: 'space_used' })).toBe('b\nlong-name\n');
    expect(names({ sortDescending: 'space_used' })).toBe('long-name\nb\n');
    expect(names({ sort: 'comment' })).toBe('long-name\nb\n');
  });

  test('knows its columns', () => {
    for (const options of [{ columns: 'name,nothing' }, { columns: '' }, { sort: 'x' }, { sortDescending: 'x' }]) {
      expect(() => render(options)).toThrow(UsageError);
    }
    expect(() => render({ columns: 'nothing' })).toThrow('the columns are: name, space_used, made, comment');
  });
});
