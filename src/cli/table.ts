// A listing as text: a table for people, or lines with tabs for scripts.

import {
  compareBy,
  findColumn,
  formatExactly,
  formatForPeople,
  rowForJson,
  selectColumns,
  type Column,
} from './columns.ts';
import { OUTPUT_VERSION } from './failure.ts';

/** The options that every listing has. */
export interface ListingOptions {
  readonly json?: boolean;
  /** -H: tabs, no header. */
  readonly scripted?: boolean;
  /** -p: exact numbers. */
  readonly parsable?: boolean;
  /** -o: the columns. */
  readonly columns?: string;
  /** -s: by this column. */
  readonly sort?: string;
  /** -S: by this column, the other way round. */
  readonly sortDescending?: string;
}

export interface Listing<Row> {
  /** The name of the list in JSON. */
  readonly name: string;
  /** All that there are; JSON has them all. */
  readonly columns: readonly Column<Row>[];
  /** Those that are shown unless -o says otherwise. */
  readonly shown: string;
  /** What people are told where there is nothing to list. */
  readonly empty: string;
}

/** The whole output of a listing. Throws UsageError where an option names no column. */
export function renderListing<Row>(listing: Listing<Row>, rows: readonly Row[], options: ListingOptions): string {
  const sorted = sortRows(listing, rows, options);
  const columns = selectColumns(listing.columns, options.columns ?? listing.shown);
  if (options.json === true) {
    const list = sorted.map((row) => rowForJson(listing.columns, row));
    return `${JSON.stringify({ output_version: OUTPUT_VERSION, [listing.name]: list }, null, 2)}\n`;
  }
  const exact = options.parsable === true;
  const cells = sorted.map((row) =>
    columns.map((column) => printable((exact ? formatExactly : formatForPeople)(column.kind, column.value(row)))),
  );
  if (options.scripted === true) return cells.map((row) => `${row.join('\t')}\n`).join('');
  if (cells.length === 0) return `${listing.empty}\n`;
  const header = columns.map((column) => column.name.replaceAll('_', ' ').toUpperCase());
  const right = columns.map((column) => column.kind === 'size' || column.kind === 'count');
  return renderTable([header, ...cells], right);
}

function sortRows<Row>(listing: Listing<Row>, rows: readonly Row[], options: ListingOptions): Row[] {
  const sorted = [...rows];
  if (options.sort !== undefined) {
    const column = findColumn(listing.columns, options.sort);
    sorted.sort((a, b) => compareBy(column, a, b));
  } else if (options.sortDescending !== undefined) {
    const column = findColumn(listing.columns, options.sortDescending);
    sorted.sort((a, b) => compareBy(column, b, a));
  }
  return sorted;
}

/** Rows of cells under each other; `right` says which columns are numbers, to be aligned at their end. */
function renderTable(rows: readonly (readonly string[])[], right: readonly boolean[]): string {
  const widths = right.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, index) => (right[index] === true ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Facts under each other, as `name  value`. */
export function renderFacts(facts: readonly (readonly [string, string])[]): string {
  return renderTable(
    facts.map(([name, value]) => [name, printable(value)]),
    [false, false],
  );
}

/** A comment can hold anything; what would break a line or move a terminal's cursor is shown as "?". */
function printable(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '?');
}
