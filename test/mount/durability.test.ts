/** What is there after an unmount and after the death of the daemon. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { openMounted, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';
import { manifest, sampleTreeCommands, sampleTreeScript, settledManifest } from '../support/sample-tree.ts';

describe('one of everything', () => {
  let mounted: Mounted;
  let before = '';

  beforeAll(async () => {
    requireCommands(sampleTreeCommands);
    mounted = await openMounted();
    await mounted.sh(sampleTreeScript);
    before = await settledManifest(mounted);
    await mounted.sh('mkdir .snapshots/s');
  });

  afterAll(() => mounted.close());

  test('is all there after unmounting and mounting again', async () => {
    for (let pass = 0; pass < 3; pass++) {
      await mounted.remount();
      expect(await manifest(mounted, mounted.dir)).toBe(before);
    }
    expect(await manifest(mounted, `${mounted.dir}/.snapshots/s`)).toBe(before);
  });

  test('is all there after kill -9 of the daemon: what was acknowledged survives it', async () => {
    await mounted.sh('echo late > late; mkdir late-dir; mv outside late-dir/; chmod 600 late');
    await manifest(mounted, mounted.dir);
    const late = await manifest(mounted, mounted.dir);
    await mounted.killDaemon();
    // Reading may go on from the kernel's cache; a change needs the daemon.
    const dead = await mounted.attempt('touch', [`${mounted.dir}/new`]);
    expect(dead.stderr).toMatch(/not connected|connection abort/);
    await mounted.remountDead();
    expect(await manifest(mounted, mounted.dir)).toBe(late);
    expect(await manifest(mounted, `${mounted.dir}/.snapshots/s`)).toBe(before);
  });
});

test('what was synced survives kill -9 in the middle of writing', () =>
  withMounted(async (mounted) => {
    await mounted.sh(`
      mkdir d; seq 1 300000 > d/synced; printf old > d/replaced; sync d/synced d
      printf new > d/tmp; sync d/tmp; mv d/tmp d/replaced; sync d
      truncate -s 5M d/sparse; printf end | dd of=d/sparse bs=1 seek=4000000 conv=notrunc,fsync status=none
      sha256sum d/synced d/sparse d/replaced > d/sums; sync d/sums d; sync .`);
    for (let round = 0; round < 3; round++) {
      const writer = startProgram('busy-writer', [mounted.dir]);
      try {
        await writer.nextLine();
        await mounted.killDaemon();
      } finally {
        await writer.dispose();
      }
      await mounted.remountDead();
      expect(await mounted.sh('sha256sum --quiet -c d/sums; cat d/replaced; ls d')).toBe(
        'newreplaced\nsparse\nsums\nsynced\n',
      );
    }
  }));

test.each([
  ['without any fsync', ''],
  ['after sync', 'sync'],
  ['after an fsync of one of the files', 'sync d/f'],
])('names, links and modes survive kill -9 %s', (_, sync) =>
  withMounted(async (mounted) => {
    await mounted.sh(`mkdir d; seq 1 100000 > d/f; ln d/f d/g; ln -s f d/s; chmod 600 d/f; ${sync}`);
    const before = await mounted.sh('sha256sum d/f d/g; ls -ln d');
    await mounted.killDaemon();
    await mounted.remountDead();
    expect(await mounted.sh('sha256sum d/f d/g; ls -ln d')).toBe(before);
  }),
);

test('each file whose fsync was acknowledged is there after kill -9, with its name', () =>
  withMounted(async (mounted) => {
    for (let round = 0; round < 2; round++) {
      const writer = startProgram('fsync-writer', [mounted.dir, String(round)]);
      const acknowledged: string[] = [];
      try {
        for (let count = 0; count < 40; count++) acknowledged.push(await writer.nextLine());
        await mounted.killDaemon();
      } finally {
        await writer.dispose();
      }
      await mounted.remountDead();
      // Each line is what `sha256sum -c` reads: a hash and a name.
      const sums = acknowledged.map((line) => `${line}\n`).join('');
      const result = await mounted.attempt('sha256sum', ['--quiet', '-c', '-'], { cwd: mounted.dir, input: sums });
      expect(result.stderr + result.stdout).toBe('');
      expect(result.status).toBe(0);
    }
  }));

test('a snapshot that was acknowledged survives kill -9, one being deleted is there or gone', () =>
  withMounted(async (mounted) => {
    await mounted.sh(
      'head -c 20000000 /dev/urandom > f; sha256sum f > sum; mkdir .snapshots/kept; mkdir .snapshots/doomed; rm f',
    );
    await mounted.amberfs('snapshot', 'delete', `${mounted.dir}@doomed`, '--yes');
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'last');
    await mounted.killDaemon();
    await mounted.remountDead();
    expect(await mounted.sh('ls .snapshots; cd .snapshots/kept; sha256sum --quiet -c sum; test ! -e ../last/f')).toBe(
      'kept\nlast\nlatest\n',
    );
  }));
