// Goal: the thread writes batches in order, says what became of them, fails for one batch only, and is gone when nobody needs it.
// Method: the real thread, compiled as the build does it, writing to a file in place of the device.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { NotificationThread } from '../../../src/fuse/device/notification-thread.ts';
import type { NotificationBatch } from '../../../src/fuse/device/write-batch.ts';
import { waitUntil } from '../../support/run-command.ts';

const IDLE_MS = 150;
const EBADF = 9;
const sources = path.resolve(import.meta.dirname, '../../../src');

let built: string;
let script: URL;
let thread: NotificationThread;
let file: string;
let fd: number;

/** The program of the thread and the rooms that it imports from, since Node 20 does not run TypeScript. */
function build(): string {
  const cache = path.resolve(sources, '../node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(path.join(cache, 'notification-thread-'));
  const parts = ['errors', 'util', 'fuse/device'];
  for (const part of parts) {
    mkdirSync(path.join(dir, part), { recursive: true });
    for (const name of readdirSync(path.join(sources, part))) {
      const { outputText } = ts.transpileModule(readFileSync(path.join(sources, part, name), 'utf8'), {
        fileName: name,
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      });
      writeFileSync(path.join(dir, part, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}\n');
  return dir;
}

beforeAll(() => {
  built = build();
  script = pathToFileURL(path.join(built, 'fuse/device/notification-worker.js'));
});

afterAll(() => rmSync(built, { recursive: true }));

beforeEach(() => {
  thread = new NotificationThread(script, IDLE_MS);
  file = path.join(built, 'written');
  fd = openSync(file, 'w');
});

afterEach(async () => {
  closeSync(fd);
  await ended();
});

function ended(): Promise<void> {
  return waitUntil('the thread is gone', 5000, () => !thread.running);
}

/** `count` messages of 8 bytes: the length, and numbers from `first` on. */
function batch(first: number, count: number, descriptor = fd): NotificationBatch {
  const words = Uint32Array.from({ length: 2 * count }, (_, index) => (index % 2 === 0 ? 8 : first + (index - 1) / 2));
  return { fd: descriptor, messages: new Uint8Array(words.buffer), stop: new Int32Array(new SharedArrayBuffer(4)) };
}

function numbersWritten(): number[] {
  const bytes = readFileSync(file);
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readUInt32LE(8 * index + 4));
}

test('batches are written whole and in order, by one thread', async () => {
  expect(thread.running).toBe(false);
  for (let first = 0; first < 3000; first += 1000) {
    const next = batch(first, 1000);
    const outcome = thread.write(next);
    // The bytes are not copied.
    expect(next.messages).toHaveLength(0);
    expect(await outcome).toBe(0);
  }
  expect(numbersWritten()).toEqual(Array.from({ length: 3000 }, (_, index) => index));
});

test('what the kernel refuses is told by its errno', async () => {
  const reading = openSync(file, 'r');
  try {
    expect(await thread.write(batch(0, 3, reading))).toBe(EBADF);
  } finally {
    closeSync(reading);
  }
  expect(await thread.write(batch(5, 1))).toBe(0);
  expect(numbersWritten()).toEqual([5]);
});

test('a batch that is stopped before its turn is not begun', async () => {
  const stopped = batch(0, 3);
  Atomics.store(stopped.stop, 0, 1);
  expect(await thread.write(stopped)).toBe(EBADF);
  expect(numbersWritten()).toEqual([]);
});

test('without work the thread ends, and starts again with the next batch', async () => {
  expect(await thread.write(batch(0, 1))).toBe(0);
  expect(thread.running).toBe(true);
  await ended();
  expect(await thread.write(batch(1, 1))).toBe(0);
  expect(numbersWritten()).toEqual([0, 1]);
});

test('a thread that fails rejects what it was given; the next batch has a new one', async () => {
  const { stop } = batch(0, 1);
  await expect(thread.write({ fd, messages: new Uint8Array(16), stop })).rejects.toThrow(/whole messages/);
  expect(thread.running).toBe(false);
  expect(await thread.write(batch(4, 1))).toBe(0);
  expect(numbersWritten()).toEqual([4]);
});

test('a thread that can not start rejects', async () => {
  const missing = new NotificationThread(new URL('missing.js', script), IDLE_MS);
  await expect(missing.write(batch(0, 1))).rejects.toThrow(/Cannot find module/);
  expect(missing.running).toBe(false);
});

test('one batch at a time', async () => {
  const first = thread.write(batch(0, 1));
  expect(() => thread.write(batch(1, 1))).toThrow(/one batch at a time/);
  expect(await first).toBe(0);
});
