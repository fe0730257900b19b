/** Each way to ask for a durable write, and for durable names, survives a power cut right after it. */
import { expect, test } from 'vitest';
import { compiledProgram } from '../support/compile-programs.ts';
import { withPowerCutDisk, type PowerCut, type PowerCutDisk } from '../support/power-cut-disk.ts';

const ways = [
  'fsync',
  'fdatasync',
  'O_SYNC',
  'O_DSYNC',
  'O_DIRECT and O_DSYNC',
  'RWF_SYNC',
  'RWF_DSYNC',
  'asynchronous, O_DIRECT and O_DSYNC',
  'fsync of the directory',
];

/** Shell commands by what they make durable, and what is then seen in the directory d. */
const commands: Record<string, readonly [command: string, seen: string]> = {
  'a rename, by fsync of the directory': ['mv d/old d/new; sync d', 'new'],
  'sync of everything': ['touch d/synced; sync', 'synced'],
  'a snapshot by mkdir': ['touch d/in-snapshot; mkdir .snapshots/kept', 'in-snapshot'],
};

/** Does something right after a commit, so that no commit of its own makes it durable, and cuts the power right after it. */
async function cutAfter(disk: PowerCutDisk, act: () => Promise<unknown>): Promise<PowerCut> {
  const { mounted, dir } = disk;
  await mounted.amberfs('snapshot', 'create', dir, 'before');
  await mounted.amberfs('snapshot', 'delete', `${dir}@before`, '--yes');
  await act();
  return disk.cut();
}

test('every way to write a block durably survives a power cut', () =>
  withPowerCutDisk(async (disk) => {
    const { mounted, dir } = disk;
    for (const way of [...ways, 'nothing']) {
      const text = `written by ${way};`;
      await mounted.run('sh', ['-ec', 'head -c 4096 /dev/zero > "$1/f"; sync "$1/f"', 'sh', dir]);
      const cut = await cutAfter(disk, () =>
        mounted.run(process.execPath, [compiledProgram('synchronous-write'), way, `${dir}/f`, text]),
      );
      await disk.examine(cut, async (copy) => {
        const content = await mounted.run('head', ['-c', String(text.length), `${copy}/f`]);
        // Without any of the ways it is lost: so the others made a difference.
        expect(content.replaceAll('\0', ''), way).toBe(way === 'nothing' ? '' : text);
      });
    }
  }));

test('names and snapshots that were made durable survive a power cut', () =>
  withPowerCutDisk(async (disk) => {
    const { mounted, dir } = disk;
    for (const [what, [command, seen]] of Object.entries(commands)) {
      await mounted.sh('cd "$1"; mkdir d; touch d/old; sync d', dir);
      const cut = await cutAfter(disk, () => mounted.sh(`cd "$1"; ${command}`, dir));
      await disk.examine(cut, async (copy) => {
        expect((await mounted.run('ls', [`${copy}/d`])).split('\n'), what).toContain(seen);
        if (command.includes('.snapshots')) {
          expect(await mounted.run('ls', [`${copy}/.snapshots/kept/d`])).toContain(seen);
        }
      });
      await mounted.sh('cd "$1"; rm -r d', dir);
    }
  }));
