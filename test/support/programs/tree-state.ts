/**
 * Prints what a writer's log says of a tree, as found on the mount: one JSON object, for each DIR the sorted lines of
 * everything below it (see acknowledged-operations.ts), or null where it is not there. Usage: tree-state DIR...
 */
import fs from 'node:fs';
import { contentHash, objectLine } from '../acknowledged-operations.ts';
import { errnoNameOf } from '../errno.ts';
import { getxattr, listxattr } from '../syscalls.ts';

function describe(file: string, name: string, lines: string[]): void {
  const status = fs.lstatSync(file);
  const mode = status.mode & 0o7777;
  const attributes = status.isSymbolicLink()
    ? []
    : listxattr(file).map((attribute) => `${attribute}=${getxattr(file, attribute).toString()}`);
  if (status.isSymbolicLink()) {
    lines.push(objectLine(name, 'symlink', mode, fs.readlinkSync(file), attributes));
  } else if (status.isDirectory()) {
    lines.push(objectLine(name, 'directory', mode, '', attributes));
    walk(file, `${name}/`, lines);
  } else {
    const content = fs.readFileSync(file);
    const what = `${status.nlink} ${status.size} ${contentHash(content)}`;
    lines.push(objectLine(name, 'file', mode, what, attributes));
  }
}

function walk(directory: string, prefix: string, lines: string[]): void {
  for (const name of fs.readdirSync(directory)) describe(`${directory}/${name}`, prefix + name, lines);
}

function stateOf(directory: string): string[] | null {
  const lines: string[] = [];
  try {
    fs.lstatSync(directory);
  } catch (error) {
    if (errnoNameOf(error) === 'ENOENT') return null;
    throw error;
  }
  walk(directory, '', lines);
  return lines.sort();
}

const found = Object.fromEntries(process.argv.slice(2).map((directory) => [directory, stateOf(directory)]));
process.stdout.write(`${JSON.stringify(found)}\n`);
