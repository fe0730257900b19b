/** The command line as a whole, in this process, on a store that nothing has mounted. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import tmp from 'tmp-promise';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';

interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

async function amberfs(...args: string[]): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    return { status: await runProgram(args), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

let temp: string;
let cleanup: () => Promise<void>;
let store: string;

beforeAll(async () => {
  const dir = await tmp.dir({ unsafeCleanup: true });
  temp = dir.path;
  cleanup = dir.cleanup;
});

afterAll(() => cleanup());

let made = 0;
beforeEach(async () => {
  store = join(temp, `store${made++}`);
  expect(await amberfs('init', store)).toMatchObject({ status: 0, stderr: '' });
});

describe('wrong usage is status 2, with one message and no stack', () => {
  test.each([
    [[]],
    [['no-such-command']],
    [['snapshot']],
    [['init']],
    [['init', 'a', 'b']],
    [['mount', '/nowhere']],
    [['snapshot', 'list', '/nowhere', '--no-such-option']],
    [['snapshot', 'create', '']],
    [['snapshot', 'info', '/nowhere@']],
    [['volume', 'set', '/nowhere', 'snapdir']],
  ])('%j', async (args) => {
    const { status, stdout, stderr } = await amberfs(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('columns and mount options are checked too', async () => {
    expect(await amberfs('snapshot', 'list', store, '-o', 'nothing')).toMatchObject({ status: 2 });
    expect(await amberfs('mount', store, temp, '-o', 'writeback')).toMatchObject({ status: 2 });
    expect(await amberfs('volume', 'create', store)).toMatchObject({ status: 2 });
    expect(await amberfs('clone', store, 'copy')).toMatchObject({ status: 2 });
  });
});

test('help and version are status 0', async () => {
  for (const args of [['--help'], ['snapshot', '--help'], ['mount', '--help'], ['help', 'clone']]) {
    expect(await amberfs(...args)).toMatchObject({ status: 0, stderr: '' });
  }
  expect((await amberfs('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('errors', () => {
  test('are one line with the path; for machines an object with the reason', async () => {
    const missing = join(temp, 'missing');
    const said = await amberfs('volume', 'list', missing);
    expect(said).toMatchObject({ status: 1, stdout: '' });
    expect(said.stderr).toMatch(/^amberfs: .*missing.*\n$/);
    const forMachines = await amberfs('volume', 'list', missing, '--json');
    expect(forMachines.status).toBe(1);
    expect(JSON.parse(forMachines.stderr)).toMatchObject({
      output_version: 1,
      error: { reason: 'store-missing', code: 'ENOENT' },
    });
  });

  test('a store is not made twice, and what is no store is left alone', async () => {
    expect(await amberfs('init', store)).toMatchObject({ status: 1 });
    expect(await amberfs('init', temp)).toMatchObject({ status: 1 });
    expect(await amberfs('mount', temp, temp)).toMatchObject({ status: 1 });
    expect(existsSync(join(temp, 'daemon.log'))).toBe(false);
  });
});

test("the store is its owner's alone", () => {
  expect(statSync(store).mode & 0o777).toBe(0o700);
});

test('snapshots and clones without a daemon', async () => {
  expect(await amberfs('snapshot', 'create', store, 'one', '-m', 'the first')).toMatchObject({ status: 0, stderr: '' });
  expect(await amberfs('snapshot', 'create', `${store}@two`)).toMatchObject({ status: 0, stderr: '' });
  expect(await amberfs('snapshot', 'create', store, 'one')).toMatchObject({ status: 1 });
  expect((await amberfs('snapshot', 'list', store, '-H', '-o', 'name,comment')).stdout).toBe(
    'one\tthe first\ntwo\t-\n',
  );
  const info = JSON.parse((await amberfs('snapshot', 'info', `${store}@one`, '--json')).stdout) as object;
  expect(info).toMatchObject({
    output_version: 1,
    volume: 'main',
    name: 'one',
    access_point: 'one',
    comment: 'the first',
  });
  expect(await amberfs('clone', `${store}@one`, 'copy')).toMatchObject({ status: 0, stderr: '' });
  expect((await amberfs('volume', 'list', store, '-H', '-o', 'name,origin,snapshots')).stdout).toBe(
    'copy\tmain@one\t0\nmain\t-\t2\n',
  );
  expect(await amberfs('snapshot', 'rename', `${store}@one`, 'first')).toMatchObject({ status: 0 });
  expect(await amberfs('snapshot', 'rename', `${store}@two`, 'first')).toMatchObject({ status: 1 });
  const status = JSON.parse((await amberfs('status', store, '--json')).stdout) as object;
  expect(status).toMatchObject({ store, pid: null, mounts: [], volumes: 2, snapshots: 2 });
  expect(
    (await amberfs('snapshot', 'list', store, `${store}:copy`, '-H', '-o', 'volume,name', '-S', 'name')).stdout,
  ).toBe('main\ttwo\nmain\tfirst\n');
});

test('deleting asks for --yes, -n only tells, and one failure does not stop the others', async () => {
  for (const name of ['a', 'b', 'c']) await amberfs('snapshot', 'create', store, name);
  const names = async (): Promise<string> => (await amberfs('snapshot', 'list', store, '-H', '-o', 'name')).stdout;
  const refused = await amberfs('snapshot', 'delete', `${store}@a`);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('--yes');
  expect((await amberfs('snapshot', 'delete', '-n', `${store}@a`)).stdout).toMatch(/^would delete snapshot main@a /);
  expect(await names()).toBe('a\nb\nc\n');
  const some = await amberfs('snapshot', 'delete', '-y', `${store}@a`, `${store}@nothing`, `${store}@c`);
  expect(some.status).toBe(1);
  expect(some.stderr).toContain('"nothing"');
  expect(await names()).toBe('b\n');
  const json = await amberfs('volume', 'delete', '--json', '--yes', `${store}:main`);
  expect(JSON.parse(json.stdout)).toMatchObject({ output_version: 1, dry_run: false, volumes: [{ name: 'main' }] });
});

test('restoring without a daemon keeps what was there, or gives it up', async () => {
  for (const name of ['one', 'two']) await amberfs('snapshot', 'create', store, name);
  const names = async (): Promise<string> => (await amberfs('snapshot', 'list', store, '-H', '-o', 'name')).stdout;
  const restore = (...args: string[]): Promise<Outcome> => amberfs('snapshot', 'restore', ...args);
  expect((await restore(`${store}@one`, '-n', '--preserve', 'kept')).stdout).toMatch(/^would restore .*main@kept/);
  expect(await names()).toBe('one\ntwo\n');
  expect((await restore(`${store}@one`, '--preserve', 'kept')).stdout).toMatch(
    /^restored main to main@one; .*main@kept/,
  );
  expect(await names()).toBe('one\ntwo\nkept\n');
  expect(await restore(`${store}@two`, '--discard')).toMatchObject({ status: 2, stdout: '' });
  const given = await restore(`${store}@two`, '--discard', '--yes', '--json');
  expect(JSON.parse(given.stdout)).toMatchObject({
    output_version: 1,
    dry_run: false,
    snapshot: 'two',
    preserved: null,
  });
  expect(await names()).toBe('one\ntwo\nkept\n');
  expect(await restore(`${store}@three`)).toMatchObject({ status: 1 });
  expect((await amberfs('snapshot', 'list', store, '-H', '-o', 'comment', '-S', 'created')).stdout).toContain(
    'Before restoring one',
  );
});

test('properties of a volume', async () => {
  const value = async (): Promise<string> =>
    (await amberfs('volume', 'get', store, 'snapdir', '-H', '-o', 'value,source')).stdout;
  expect(await value()).toBe('hidden\tdefault\n');
  expect(await amberfs('volume', 'set', store, 'snapdir=visible', 'snapdir-control=off')).toMatchObject({ status: 0 });
  expect(await value()).toBe('visible\tset\n');
  expect(await amberfs('volume', 'set', store, 'snapdir=maybe')).toMatchObject({ status: 1 });
  expect(await amberfs('volume', 'set', store, 'color=red')).toMatchObject({ status: 1 });
  expect(await amberfs('volume', 'get', store, 'color')).toMatchObject({ status: 2 });
  expect(await value()).toBe('visible\tset\n');
});
