// The columns of a listing: their names, where their values come from, and how each reader gets them.

import { UsageError } from './failure.ts';
import { formatLocalTime, formatSize, formatUtcTime } from './sizes.ts';

/** A value of a cell. Times are milliseconds since 1970, sizes bytes; null is "there is none". */
export type CellValue = string | number | boolean | null | readonly string[];

export type ColumnKind = 'text' | 'size' | 'time' | 'count' | 'flag' | 'list';

export interface Column<Row> {
  /** As `-o` and JSON call it. */
  readonly name: string;
  readonly kind: ColumnKind;
  readonly value: (row: Row) => CellValue;
}

/** For people: sizes with units, times of the place, "-" for nothing. */
export function formatForPeople(kind: ColumnKind, value: CellValue): string {
  if (isNothing(value)) return '-';
  if (kind === 'size') return formatSize(Number(value));
  if (kind === 'time') return formatLocalTime(Number(value));
  return formatExactly(kind, value);
}

/** For scripts: exact numbers, UTC times, "-" for nothing. */
export function formatExactly(kind: ColumnKind, value: CellValue): string {
  if (isNothing(value)) return '-';
  if (kind === 'time') return formatUtcTime(Number(value));
  if (kind === 'flag') return value === true ? 'yes' : 'no';
  return kind === 'list' ? (value as readonly string[]).join(',') : String(value);
}

function isNothing(value: CellValue): boolean {
  return value === null || value === '' || (typeof value === 'object' && value.length === 0);
}

/** For JSON: as it is, times in UTC. */
function valueForJson(kind: ColumnKind, value: CellValue): CellValue {
  return kind === 'time' && typeof value === 'number' ? formatUtcTime(value) : value;
}

/** One row as an object of JSON, with all columns. */
export function rowForJson<Row>(columns: readonly Column<Row>[], row: Row): Record<string, CellValue> {
  return Object.fromEntries(columns.map((column) => [column.name, valueForJson(column.kind, column.value(row))]));
}

/** The columns that `list` (names between commas) names, in its order. Throws UsageError for a name that is none. */
export function selectColumns<Row>(columns: readonly Column<Row>[], list: string): Column<Row>[] {
  return list.split(',').map((name) => findColumn(columns, name));
}

/** The column `name`. Throws UsageError where there is none. */
export function findColumn<Row>(columns: readonly Column<Row>[], name: string): Column<Row> {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const known = columns.map((column) => column.name).join(', ');
  throw new UsageError('column-unknown', `there is no column "${name}"; the columns are: ${known}`);
}

/** Orders two rows by a column: numbers by size, texts by their characters, nothing first. */
export function compareBy<Row>(column: Column<Row>, a: Row, b: Row): number {
  const left = column.value(a);
  const right = column.value(b);
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  return left < right ? -1 : 1;
}
