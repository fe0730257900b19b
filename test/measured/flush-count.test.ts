/** How often the device is flushed for callers of fsync: twice each at most, once where the data fits in the journal, and less when they share. */
import { expect, test } from 'vitest';
import { amberfsCommand, withMounted, type Mounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';
import { straced } from '../support/strace.ts';

interface Flushes {
  readonly journal: number;
  readonly data: number;
  /** Of LevelDB. */
  readonly engine: number;
}

/** The flushes of the store's files while `script` runs in the mount; `more` are options of strace. */
async function flushesDuring(mounted: Mounted, script: string, ...more: string[]): Promise<Flushes> {
  const lines = await straced(mounted, ['-e', 'trace=fdatasync,fsync', ...more], async () => {
    await mounted.sh(script);
  });
  const count = (file: string): number =>
    lines.filter((line) => /f(data)?sync\(\d+</.test(line) && line.includes(`${mounted.store}/${file}`)).length;
  return { journal: count('journal>'), data: count('data>'), engine: count('db/') };
}

/** So many writes, each followed by an fsync. */
const synced = (file: string, bytes: string, count: number): string =>
  `dd if=/dev/urandom of=${file} bs=${bytes} count=${count} oflag=sync conv=notrunc status=none`;

/** Commits come at the latest after two seconds, each with a flush of the data file. */
const COMMITS_MAX = 15;
const COMMIT_INTERVAL_MS = 2000;

/** How many commits may begin by themselves in so much time. */
const commitsWithin = (ms: number): number => Math.ceil(ms / COMMIT_INTERVAL_MS) + 1;

test('a small write that is synced takes one flush, a large one two, commits or not', () =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    await mounted.sh('head -c 60000 /dev/zero > small; head -c 20000000 /dev/zero > large; sync .');
    const small = await flushesDuring(mounted, synced('small', '100', 300));
    expect(small.journal).toBeGreaterThan(250);
    expect(small.journal).toBeLessThanOrEqual(301);
    expect(small.data).toBeLessThan(COMMITS_MAX);
    const large = await flushesDuring(mounted, synced('large', '256k', 60));
    expect(large.journal).toBeLessThanOrEqual(61);
    expect(large.data).toBeLessThanOrEqual(60 + COMMITS_MAX);
    // Each `-n` commits, so that many of these come while a commit is under way.
    await mounted.amberfs('snapshot', 'create', mounted.dir, 'one');
    const [busy] = await Promise.all([
      flushesDuring(mounted, synced('small', '100', 300)),
      (async () => {
        for (let i = 0; i < 6; i++) await mounted.amberfs('snapshot', 'delete', '-n', `${mounted.dir}@one`);
      })(),
    ]);
    expect(busy.journal).toBeLessThanOrEqual(301);
  }));

/** A disk of which nobody thinks that it is quick: on one that is, a caller flushes at once, and there is nothing to share. */
const SLOW_DISK = ['-e', 'inject=fdatasync:delay_enter=2000'];

test('callers share flushes', () =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    const writers = Array.from({ length: 16 }, (_, i) => `${synced(`f${i}`, '100', 40)} &`).join('\n');
    const { journal } = await flushesDuring(mounted, `${writers}\nwait`, ...SLOW_DISK);
    expect(journal).toBeGreaterThan(10);
    expect(journal).toBeLessThan((16 * 40) / 2);
  }));

/** Each of them many times, since a commit may come in between. Where there is nothing to sync but names, the journal alone is flushed. */
const DURABLE: readonly [what: string, times: number, change: string, sync: string][] = [
  ['fsync of a directory', 40, 'touch d/$i', 'sync d'],
  ['fsync of a directory with new data beside', 40, 'head -c 1M /dev/zero > d/$i', 'sync d'],
  ['mkdir in .snapshots', 40, 'touch d/$i', 'mkdir .snapshots/$i'],
  ['mkdir in .snapshots, with new data', 40, 'head -c 1M /dev/zero > d/$i', 'mkdir .snapshots/$i'],
  ['amberfs snapshot create', 6, 'touch d/$i', `${amberfsCommand.join(' ')} snapshot create . $i`],
  [
    'amberfs snapshot create, with new data',
    6,
    'head -c 1M /dev/zero > d/$i',
    `${amberfsCommand.join(' ')} snapshot create . $i`,
  ],
];

test.each(DURABLE)('%s takes one flush of the journal, and one of the data if there is any', (_, times, change, sync) =>
  withMounted(async (mounted) => {
    requireCommands({ strace: 'strace' });
    await mounted.sh('mkdir d; sync .');
    const begun = Date.now();
    const { journal, data, engine } = await flushesDuring(
      mounted,
      `for i in $(seq ${times}); do ${change}; ${sync}; done`,
    );
    const commits = commitsWithin(Date.now() - begun);
    // A commit that ends just before the sync leaves nothing to flush. A snapshot is always news.
    expect(journal).toBeGreaterThanOrEqual(sync === 'sync d' ? times - commits : times);
    expect(journal).toBeLessThanOrEqual(times + commits);
    expect(data).toBeLessThanOrEqual((change.startsWith('head') ? times : 0) + commits);
    expect(engine).toBeLessThanOrEqual(commits);
  }),
);
