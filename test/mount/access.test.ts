/** Who may get at what: a store is its owner's alone, a mount shows no more than it was asked to. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMounted, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands, type CommandResult } from '../support/run-command.ts';

describe('access, as another user', () => {
  let mounted: Mounted;
  /** Runs a command as a user who owns nothing. */
  const other = (...command: string[]): Promise<CommandResult> =>
    mounted.attempt('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...command]);
  const modeOf = (file: string): string => (fs.statSync(file).mode & 0o7777).toString(8);
  const optionsOf = async (dir: string): Promise<string[]> =>
    (await mounted.run('findmnt', ['-n', '-o', 'OPTIONS', dir])).trim().split(',');

  beforeAll(async () => {
    requireCommands({ setpriv: 'util-linux', findmnt: 'mount' });
    mounted = await openMounted();
    await mounted.sh(`
      echo all > open; echo mine > secret; chmod 600 secret
      cp "$(command -v id)" id; chmod 4755 id; mknod null c 1 3; chmod 666 null; mkdir .snapshots/s`);
  });

  afterAll(() => mounted.close());

  test('nothing of a store can be reached', async () => {
    expect(modeOf(mounted.store)).toBe('700');
    for (const name of fs.readdirSync(mounted.store)) {
      expect([name, modeOf(path.join(mounted.store, name))]).toEqual([name, name === 'db' ? '700' : '600']);
    }
    for (const name of ['data', 'format.json', 'control.sock', 'daemon.log']) {
      expect((await other('cat', path.join(mounted.store, name))).stderr, name).toMatch(/Permission denied/);
    }
    const connect = `require('net').connect(${JSON.stringify(path.join(mounted.store, 'control.sock'))}).on('error', (e) => console.log(e.code))`;
    expect((await other(process.execPath, '-e', connect)).stdout).toBe('EACCES\n');
  });

  test('a mount by root lets others in by permissions; with noallow_other it lets nobody in', async () => {
    const read = (dir: string, name: string): Promise<CommandResult> => other('cat', path.join(dir, name));
    expect((await read(mounted.dir, 'open')).stdout).toBe('all\n');
    for (const secret of ['secret', '.snapshots/s/secret']) {
      expect((await read(mounted.dir, secret)).stderr).toMatch(/Permission denied/);
    }
    const closed = await mounted.mount('main@s', '-o', 'noallow_other');
    expect((await read(closed, 'open')).stderr).toMatch(/Permission denied/);
    expect(await mounted.run('cat', [path.join(closed, 'open')])).toBe('all\n');
    await mounted.umount(closed);
  });

  test('setuid programs and devices have no power, in snapshots neither, unless root asks for it', async () => {
    expect(await optionsOf(mounted.dir)).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
    for (const dir of [mounted.dir, `${mounted.dir}/.snapshots/s`]) {
      expect((await other(`${dir}/id`, '-u')).stdout).toBe('65534\n');
      expect((await other('cat', `${dir}/null`)).stderr).toMatch(/Permission denied/);
    }
    const powerful = await mounted.mount('main@s', '-o', 'suid,dev');
    expect(await optionsOf(powerful)).not.toEqual(expect.arrayContaining(['nosuid']));
    expect((await other(`${powerful}/id`, '-u')).stdout).toBe('0\n');
    expect((await other('cat', `${powerful}/null`)).status).toBe(0);
    await mounted.umount(powerful);
  });
});

test('where setuid programs have power, one that somebody else changed has none', () =>
  withMounted(
    async (mounted) => {
      requireCommands({ setpriv: 'util-linux' });
      const other = (script: string): Promise<CommandResult> =>
        mounted.attempt('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', script]);
      await mounted.sh('cp "$(command -v id)" id; chmod 4777 id');
      const id = path.join(mounted.dir, 'id');
      expect((await other(`${id} -u`)).stdout).toBe('0\n');
      expect((await other(`printf x >> ${id}; stat -c %a ${id}; ${id} -u`)).stdout).toBe('777\n65534\n');
    },
    { mountOptions: ['-o', 'suid'] },
  ));
