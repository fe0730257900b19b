/** The host's disk is full: writes say so, nothing of what was there is harmed, and deleting makes room again. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

/** Runs `body` with a store on a small filesystem of its own, mounted on `dir`. */
async function withSmallHost(body: (mounted: Mounted, dir: string, host: string) => Promise<void>): Promise<void> {
  await withMounted(async (mounted) => {
    const host = path.join(mounted.temp, 'host');
    const dir = path.join(mounted.temp, 'small');
    fs.mkdirSync(host);
    fs.mkdirSync(dir);
    await mounted.run('mount', ['-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', host]);
    try {
      await mounted.amberfs('init', path.join(host, 'store'));
      await mounted.amberfs('mount', path.join(host, 'store'), dir);
      await body(mounted, dir, host);
    } finally {
      await mounted.attempt('umount', [dir]);
      await waitUntil('the host lets go', 15_000, async () => (await mounted.attempt('umount', [host])).status === 0);
    }
  });
}

const refused = /No space left on device/;

test('a full host refuses writes, keeps what is there, and takes more after a delete', () =>
  withSmallHost(async (mounted, dir) => {
    const sh = (script: string): Promise<string> => mounted.sh(`cd "$1"; ${script}`, dir);
    await sh('mkdir keep; seq 1 200000 > keep/numbers; cp -r /etc/default keep/; sync keep/numbers');
    const before = await sh('find keep -type f -exec sha256sum {} + | sort');
    for (let round = 0; round < 3; round++) {
      const fill = await mounted.attempt('dd', ['if=/dev/urandom', `of=${dir}/fill`, 'bs=1M', 'conv=fsync']);
      expect(fill.stderr).toMatch(refused);
      const more = await mounted.attempt('dd', [
        'if=/dev/urandom',
        `of=${dir}/more`,
        'bs=1M',
        'count=64',
        'conv=fsync',
      ]);
      expect(more.stderr).toMatch(refused);
      expect(await sh('find keep -type f -exec sha256sum {} + | sort')).toBe(before);
      // Names, attributes and deletes need no data blocks and go on.
      await sh(
        'mkdir d; mv keep/numbers d/; mv d/numbers keep/; rmdir d; chmod 600 keep/numbers; rm fill more; sync keep',
      );
      await waitUntil('there is room again', 20_000, async () => {
        return (
          (await mounted.attempt('dd', ['if=/dev/zero', `of=${dir}/again`, 'bs=1M', 'count=64', 'conv=fsync']))
            .status === 0
        );
      });
      await sh('rm again');
    }
    await mounted.amberfs('umount', dir);
    await mounted.amberfs('mount', path.join(mounted.temp, 'host', 'store'), dir);
    expect(await sh('find keep -type f -exec sha256sum {} + | sort')).toBe(before);
  }));

test('what a snapshot holds comes back when a full host makes somebody delete it', () =>
  withSmallHost(async (mounted, dir) => {
    await mounted.sh(
      'cd "$1"; dd if=/dev/urandom of=big bs=1M count=200 conv=fsync status=none; mkdir .snapshots/held; rm big',
      dir,
    );
    const fill = await mounted.attempt('dd', ['if=/dev/urandom', `of=${dir}/fill`, 'bs=1M', 'conv=fsync']);
    expect(fill.stderr).toMatch(refused);
    await mounted.sh('cd "$1"; rm fill; rmdir .snapshots/held', dir);
    await waitUntil('the snapshot has given its space back', 20_000, async () => {
      const command = ['if=/dev/urandom', `of=${dir}/again`, 'bs=1M', 'count=250', 'conv=fsync'];
      return (await mounted.attempt('dd', command)).status === 0;
    });
  }));
