import { rowForJson, type Column } from '../columns.ts';
import { OUTPUT_VERSION } from '../failure.ts';

/** Prints to stdout. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Prints what a command did: a sentence for people, or an object with `fields`. */
export function printResult(json: boolean, sentence: string, fields: object): void {
  print(json ? `${JSON.stringify({ output_version: OUTPUT_VERSION, ...fields }, null, 2)}\n` : `${sentence}\n`);
}

/** The same for something that has columns. */
export function printRow<Row>(json: boolean, sentence: string, columns: readonly Column<Row>[], row: Row): void {
  printResult(json, sentence, rowForJson(columns, row));
}
