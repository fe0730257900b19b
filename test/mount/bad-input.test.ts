/** What is wrong gets status 1 (2 for wrong usage), one clear message on standard error, and no stack trace. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseObject } from '../support/json-fields.ts';
import { isMounted } from '../support/mount-table.ts';
import { openMounted, runAmberfs, type Mounted } from '../support/mounted.ts';
import { type CommandResult, waitUntil } from '../support/run-command.ts';

function expectMessage(result: CommandResult, status: number, message: RegExp): void {
  const all = `status ${result.status}\n${result.stdout}\n${result.stderr}`;
  expect(result.timedOut, all).toBe(false);
  expect(result.status, all).toBe(status);
  expect(result.stderr, all).toMatch(message);
  expect(result.stderr, all).not.toMatch(/^\s+at |node:internal|Error:\s.*\n\s+at/m);
  if (status === 1) expect(result.stderr.trim().split('\n').length, all).toBeLessThanOrEqual(3);
}

describe('bad input', () => {
  let mounted: Mounted;
  const inTemp = (name: string): string => path.join(mounted.temp, name);
  const refused = async (message: RegExp, ...args: string[]): Promise<void> =>
    expectMessage(await mounted.tryAmberfs(...args), 1, message);

  beforeAll(async () => {
    mounted = await openMounted();
    await mounted.sh('echo x > f; mkdir .snapshots/before');
    await mounted.amberfs('clone', `${mounted.dir}@before`, 'experiment');
    for (const name of ['empty', 'not-a-store']) fs.mkdirSync(inTemp(name));
    fs.writeFileSync(inTemp('not-a-store/file'), 'x');
    fs.writeFileSync(inTemp('file'), 'x');
  });

  afterAll(() => mounted.close());

  test('what is not a store', async () => {
    for (const name of ['missing', 'empty', 'not-a-store', 'file']) {
      await refused(new RegExp(name), 'mount', inTemp(name), inTemp('empty'));
      expect(isMounted(inTemp('empty'))).toBe(false);
    }
    await refused(/missing/, 'volume', 'list', inTemp('missing'));
    await refused(/missing/, 'status', inTemp('missing'));
  });

  test('init where there is something already', async () => {
    await refused(/store/, 'init', mounted.store);
    await refused(/not-a-store/, 'init', inTemp('not-a-store'));
    await refused(/file/, 'init', inTemp('file'));
    expect(fs.readdirSync(inTemp('not-a-store'))).toEqual(['file']);
  });

  test('a store of a newer format', async () => {
    const newer = inTemp('newer');
    expect((await runAmberfs(['init', newer])).status).toBe(0);
    const file = path.join(newer, 'format.json');
    const format = fs.readFileSync(file, 'utf8');
    const raised = JSON.stringify({ ...parseObject(format), format: 999 });
    fs.writeFileSync(file, raised);
    await refused(/format|version|newer/i, 'mount', newer, inTemp('empty'));
    await refused(/format|version|newer/i, 'volume', 'list', newer);
    expect(fs.readFileSync(file, 'utf8')).toBe(raised);
  });

  test('a store that another process has open', async () => {
    // Without its socket the daemon can't be asked, and only the lock of the database tells that it is there.
    const copy = inTemp('held');
    expect((await runAmberfs(['init', copy])).status).toBe(0);
    await mounted.amberfs('mount', copy, inTemp('empty'));
    try {
      fs.renameSync(path.join(copy, 'control.sock'), path.join(copy, 'control.gone'));
      await refused(/in use|held|lock/i, 'volume', 'list', copy);
    } finally {
      fs.renameSync(path.join(copy, 'control.gone'), path.join(copy, 'control.sock'));
      await mounted.umount(inTemp('empty'));
    }
  });

  test('mount points: missing, a file, taken, not empty of mounts', async () => {
    const target = `${mounted.store}:experiment`;
    await refused(/nowhere/, 'mount', target, inTemp('nowhere'));
    await refused(/directory/i, 'mount', target, inTemp('file'));
    await refused(/mounted|busy|mount point/i, 'mount', target, mounted.dir);
    expect(await mounted.sh('cat f')).toBe('x\n');
    await refused(/not mounted|no mount|mount point/i, 'umount', inTemp('empty'));
    await refused(/nowhere/, 'umount', inTemp('nowhere'));
  });

  test('a mount that is in use is not unmounted', async () => {
    const held = inTemp('in-use');
    const script = 'exec 3< f; : > "$0"; while test -e "$0"; do sleep 0.05; done';
    const holder = mounted.attempt('sh', ['-c', script, held], { cwd: mounted.dir });
    await waitUntil('the mount is in use', 10_000, () => fs.existsSync(held));
    await refused(/busy|in use/i, 'umount', mounted.dir);
    expect(await mounted.sh('cat f')).toBe('x\n');
    fs.rmSync(held);
    await holder;
  });

  test('volumes and snapshots that are not there', async () => {
    await refused(/nothing/, 'mount', `${mounted.store}:nothing`, inTemp('empty'));
    await refused(/nothing/, 'mount', `${mounted.store}:main@nothing`, inTemp('empty'));
    await refused(/nothing/, 'snapshot', 'info', `${mounted.dir}@nothing`);
    await refused(/nothing/, 'snapshot', 'delete', `${mounted.dir}@nothing`, '--yes');
    await refused(/nothing/, 'clone', `${mounted.dir}@nothing`, 'x');
    await refused(/nothing/, 'volume', 'delete', `${mounted.store}:nothing`, '--yes');
    await refused(/amberfs|store|mount/i, 'snapshot', 'list', '/');
  });

  test('names that are taken or not allowed', async () => {
    await refused(/before/, 'snapshot', 'create', mounted.dir, 'before');
    await refused(/experiment/, 'clone', `${mounted.dir}@before`, 'experiment');
    await refused(/main/, 'volume', 'create', `${mounted.store}:main`);
    for (const name of ['.', '..', 'with/slash', 'n'.repeat(256), '']) {
      const result = await mounted.tryAmberfs('snapshot', 'create', mounted.dir, name);
      expect([1, 2], name).toContain(result.status);
      expectMessage(result, result.status!, /name/i);
    }
    for (const name of ['with/slash', 'with@sign', 'with:colon', 'n'.repeat(256)]) {
      const result = await mounted.tryAmberfs('clone', `${mounted.dir}@before`, name);
      expect([1, 2], name).toContain(result.status);
      expectMessage(result, result.status!, /name/i);
    }
    expect(await mounted.sh('ls .snapshots')).toBe('before\nlatest\n');
    expect(await mounted.amberfs('volume', 'list', mounted.store, '-H', '-o', 'name')).toBe('experiment\nmain\n');
  });

  test('a clone that is mounted is not deleted', async () => {
    const dir = await mounted.mount('experiment');
    await refused(/mounted/, 'volume', 'delete', `${mounted.store}:experiment`, '--yes');
    expect(await mounted.run('cat', [`${dir}/f`])).toBe('x\n');
    await mounted.umount(dir);
    await mounted.amberfs('volume', 'delete', `${mounted.store}:experiment`, '--yes');
  });

  test('wrong usage: status 2', async () => {
    for (const args of [
      [],
      ['no-such-command'],
      ['mount'],
      ['mount', mounted.store],
      ['snapshot', 'create'],
      ['init', 'a', 'b'],
      ['snapshot', 'list', mounted.dir, '--no-such-option'],
      ['snapshot', 'list', mounted.dir, '-o', 'no-such-column'],
      ['mount', mounted.store, inTemp('empty'), '-o', 'no-such-option'],
    ]) {
      expectMessage(await mounted.tryAmberfs(...args), 2, /./);
    }
  });

  test('with --json the reason of an error is for machines too', async () => {
    const result = await mounted.tryAmberfs('snapshot', 'info', `${mounted.dir}@nothing`, '--json');
    expect(result.status).toBe(1);
    expect(result.stdout + result.stderr).toMatch(/"reason"\s*:\s*"[a-z]+(-[a-z]+)+"/);
  });

  test('a mount point whose daemon died is cleared by umount, and can be mounted again', async () => {
    await mounted.killDaemon();
    expect((await mounted.attempt('ls', [mounted.dir])).stderr).toMatch(/not connected|connection abort/);
    await mounted.umount();
    await mounted.remountDead();
    expect(await mounted.sh('cat f')).toBe('x\n');
  });

  test('what a killed daemon left in the store keeps nobody out', async () => {
    const owner = path.join(mounted.store, 'owner.pid');
    const socket = path.join(mounted.store, 'control.sock');
    const pid = await mounted.daemonPid();
    await mounted.killDaemon();
    expect(fs.readFileSync(owner, 'utf8')).toBe(`${pid}\n`);
    expect(fs.statSync(socket).isSocket()).toBe(true);
    // The number may belong to another process by now.
    fs.writeFileSync(owner, `${process.pid}\n`);
    await mounted.remountDead();
    expect(await mounted.sh('cat f; mkdir .snapshots/after; rmdir .snapshots/after')).toBe('x\n');
    expect(fs.readFileSync(owner, 'utf8')).toBe(`${await mounted.daemonPid()}\n`);
    // A command that opens the store by itself is not kept out either, and after it nothing is left.
    await mounted.killDaemon();
    expect(await mounted.amberfs('volume', 'list', mounted.store, '-H', '-o', 'name')).toContain('main\n');
    expect(fs.existsSync(owner)).toBe(false);
    await mounted.remountDead();
    expect(await mounted.sh('cat f')).toBe('x\n');
  });
});
