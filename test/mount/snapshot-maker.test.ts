/** Who made a snapshot, by each way to make one, wherever it is shown. */
import { expect, test } from 'vitest';
import { stringField } from '../support/json-fields.ts';
import { amberfsCommand, rowsOf, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';

/** The command line tool as root that `sudo` made of user `caller`, or of nobody. */
const asRoot = (mounted: Mounted, caller: string, ...args: string[]): Promise<string> =>
  mounted.run('env', [`SUDO_USER=${caller}`, ...amberfsCommand, ...args]);

/** A command as user `uid`, who may write to all directories. */
const asUser = (mounted: Mounted, uid: number, ...command: string[]): Promise<string> => {
  const rights = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return mounted.run('setpriv', [`--reuid=${uid}`, '--clear-groups', ...rights, ...command]);
};

const makers = async (mounted: Mounted): Promise<unknown[][]> =>
  (await rowsOf(mounted, 'snapshots', 'snapshot', 'list', mounted.dir)).map((row) => [row['name'], row['by']]);

test('the user, through sudo the one who called it, in every place that tells of it', () =>
  withMounted(async (mounted) => {
    requireCommands({ setpriv: 'util-linux', getfattr: 'attr' });
    const { dir, store } = mounted;
    await asRoot(mounted, '', 'snapshot', 'create', dir, 'command');
    await asRoot(mounted, 'ann', 'snapshot', 'create', dir, 'sudo');
    await mounted.run('mkdir', [`${dir}/.snapshots/mkdir`]);
    await asUser(mounted, 1, 'mkdir', `${dir}/.snapshots/other`);
    await asUser(mounted, 54_321, 'mkdir', `${dir}/.snapshots/nameless`);
    const name = (await mounted.run('id', ['-un', '1'])).trim();
    const wanted = [
      ['command', 'root'],
      ['sudo', 'ann'],
      ['mkdir', 'root'],
      ['other', name],
      ['nameless', 'uid 54321'],
    ];
    expect(await makers(mounted)).toEqual(wanted);
    const column = await mounted.amberfs('snapshot', 'list', dir, '-H', '-o', 'by');
    expect(column.trimEnd().split('\n')).toEqual(wanted.map(([, by]) => by));
    expect(await mounted.amberfs('snapshot', 'info', `${dir}@sudo`)).toMatch(/^by +ann$/m);
    const attribute = ['--only-values', '-n', 'user.amberfs.by', `${dir}/.snapshots/other`];
    expect(await mounted.run('getfattr', ['--absolute-names', ...attribute])).toBe(name);
    await mounted.umount();
    await asRoot(mounted, 'ann', 'snapshot', 'create', store, 'unmounted');
    await mounted.remountDead();
    expect(await makers(mounted)).toEqual([...wanted, ['unmounted', 'ann']]);
  }));

test('what run and restore make, too; a user without a name runs the command', () =>
  withMounted(async (mounted) => {
    const { dir, store } = mounted;
    await asRoot(mounted, 'ann', 'snapshot', 'run', dir, '--', 'touch', `${dir}/f`);
    const [before] = await makers(mounted);
    await asRoot(mounted, 'bob', 'snapshot', 'restore', `${dir}@${String(before![0])}`);
    expect((await makers(mounted)).map(([, by]) => by)).toEqual(['ann', 'ann', 'bob']);
    await mounted.umount();
    await mounted.run('chown', ['-R', '54321', store, dir]);
    await asUser(mounted, 54_321, ...amberfsCommand, 'snapshot', 'create', store, 'nameless');
    const nameless = await mounted.json('snapshot', 'info', `${store}@nameless`);
    expect(stringField(nameless, 'by')).toBe('uid 54321');
  }));
