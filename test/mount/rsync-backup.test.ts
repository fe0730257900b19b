/** A backup out of `.snapshots` with rsync, complete at the first run and with nothing to do at the second. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { openMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';
import { sampleTreeCommands, sampleTreeScript } from '../support/sample-tree.ts';

const rsync = ['-aHAX', '--numeric-ids'];
const report = ['--dry-run', '--itemize-changes', '--delete'];

describe('rsync from a snapshot', () => {
  let mounted: Mounted;
  let target = '';
  const from = (name: string): string => `${mounted.dir}/.snapshots/${name}/`;

  beforeAll(async () => {
    requireCommands({ rsync: 'rsync', ...sampleTreeCommands });
    mounted = await openMounted();
    target = path.join(mounted.temp, 'elsewhere/');
    await mounted.sh(sampleTreeScript);
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'before');
  });

  afterAll(() => mounted.close());

  test('copies everything, and a second run with checksums finds nothing', async () => {
    await mounted.run('rsync', [...rsync, from('before'), target]);
    expect(await mounted.run('rsync', [...rsync, ...report, '--checksum', from('before'), target])).toBe('');
    expect(await mounted.run('stat', ['-c', '%h', `${target}file`])).toBe('3\n');
    expect(
      await mounted.run('getfattr', ['--only-values', '-n', 'user.kept', '--absolute-names', `${target}file`]),
    ).toBe('value');
    await mounted.run('diff', [
      '-r',
      '--no-dereference',
      '-x',
      'fifo',
      '-x',
      'null',
      '-x',
      'disk',
      from('before'),
      target,
    ]);
  });

  test('finds nothing while the live tree changes, and nothing after a remount', async () => {
    const writer = startProgram('busy-writer', [mounted.dir]);
    try {
      await writer.nextLine();
      expect(await mounted.run('rsync', [...rsync, ...report, '--checksum', from('before'), target])).toBe('');
      await writer.finish();
    } finally {
      await writer.dispose();
    }
    await mounted.remount();
    expect(await mounted.run('rsync', [...rsync, ...report, from('before'), target])).toBe('');
  });

  test('the next snapshot transfers the differences only', async () => {
    await mounted.sh('rm -rf busy keep-*; printf changed > file; rm size-1; mv many/f7 many/f7-moved');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'after');
    const changes = await mounted.run('rsync', [...rsync, ...report, from('after'), target]);
    // The first column tells what happens: `>f` a transfer, `*deleting` a removal, a dot or `c` no data.
    const lines = changes
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s+/) as [string, string]);
    const named = (kind: RegExp): string[] => lines.flatMap(([how, name]) => (kind.test(how) ? [name] : [])).sort();
    expect(named(/^>f/)).toEqual(['file', 'many/f7-moved']);
    expect(named(/^\*deleting/)).toEqual(['many/f7', 'size-1']);
    await mounted.run('rsync', [...rsync, '--delete', from('after'), target]);
    expect(await mounted.run('rsync', [...rsync, ...report, '--checksum', from('after'), target])).toBe('');
  });

  test('tar and cp -a out of the snapshot agree with rsync', async () => {
    const copies = path.join(mounted.temp, 'copies');
    await mounted.run('sh', [
      '-ec',
      'mkdir "$2"; tar -C "$1" --xattrs --acls -cf - . | tar -C "$2" --xattrs --acls -xpf -',
      'sh',
      from('after'),
      copies,
    ]);
    expect(
      await mounted.run('rsync', ['-aH', '--numeric-ids', ...report, '--checksum', from('after'), `${copies}/`]),
    ).toBe('');
    await mounted.run('cp', ['-a', from('after'), `${mounted.temp}/cp-copy`]);
    expect(
      await mounted.run('rsync', [
        '-aHAX',
        '--numeric-ids',
        ...report,
        '--checksum',
        from('after'),
        `${mounted.temp}/cp-copy/`,
      ]),
    ).toBe('');
  });
});
