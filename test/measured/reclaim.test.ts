/** The space of deleted snapshots comes back in the background, with progress, and nobody has to wait for it. */
import { expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { numberField } from '../support/json-fields.ts';
import { withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

const MiB = 1 << 20;
/** So many that freeing takes two seconds: after each there is something to commit. */
const SNAPSHOTS = 300;
const FILES_EACH = 50;
const BYTES_EACH = 360_000;
const DATA_BYTES = SNAPSHOTS * BYTES_EACH;
/** What an operation may take beside it, half of them and the slowest; alone they take about 0.1 ms. */
const MEDIAN_MS = 20;
const SLOWEST_MS = 1000;

interface Beside {
  readonly count: number;
  readonly medianMs: number;
  readonly slowestMs: number;
}

const figure = async (mounted: Mounted, name: string): Promise<number> =>
  numberField(await mounted.json('status', mounted.store), name);

test('the space of deleted snapshots comes back in the background, and other work goes on', () =>
  withMounted(async (mounted) => {
    const { store, dir } = mounted;
    await mounted.sh('mkdir work; yes | head -c 100000 > work/kept; sync .');
    const before = await figure(mounted, 'used');
    // Each directory goes after a snapshot that still has it.
    await mounted.sh(`
      mkdir old
      for i in $(seq ${SNAPSHOTS}); do
        mkdir old/$i
        seq ${FILES_EACH} | split -l 1 - old/$i/f
        head -c ${BYTES_EACH} /dev/urandom > old/$i/large
      done
      for i in $(seq ${SNAPSHOTS}); do mkdir .snapshots/$i; rm -r old/$i; done
      sync .`);
    expect(await figure(mounted, 'used')).toBeGreaterThan(before + DATA_BYTES);
    expect(await figure(mounted, 'reclaiming')).toBe(0);

    const worker = startProgram('timed-operations', [`${dir}/work`]);
    let beside: Beside;
    const pending: number[] = [];
    let text = '';
    try {
      await worker.nextLine();
      await mounted.sh('rmdir .snapshots/[0-9]*');
      text = await mounted.amberfs('status', store);
      for (let left = Infinity; left > 0;) {
        left = await figure(mounted, 'reclaiming');
        pending.push(left);
      }
      beside = JSON.parse(await worker.ask('end')) as Beside;
    } finally {
      await worker.dispose();
    }
    expect(text).toMatch(/freeing +space of \d+ deleted versions?/);
    expect(pending[0]).toBeGreaterThan(0);
    expect(pending).toEqual(pending.toSorted((a, b) => b - a));
    expect(beside.count).toBeGreaterThan(100);
    expect(beside.medianMs).toBeLessThan(MEDIAN_MS);
    expect(beside.slowestMs).toBeLessThan(SLOWEST_MS);
    await waitUntil('the space is back', 10_000, async () => (await figure(mounted, 'used')) < before + MiB);
    expect(await mounted.amberfs('check', dir)).toContain('everything is as it should be');
  }));
