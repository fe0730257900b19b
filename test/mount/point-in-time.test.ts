/**
 * A snapshot is a cut at one moment: of two writers that each keep an order between two files, none is ever seen out of
 * order, in any of 50 snapshots that are taken while they run.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { openMounted, type Mounted } from '../support/mounted.ts';

const snapshotCount = 50;

describe('fifty snapshots under two writers', () => {
  let mounted: Mounted;
  const lastOf: Record<string, number> = {};

  beforeAll(async () => {
    mounted = await openMounted();
    await mounted.sh('mkdir counters appends');
    const writers = ['counters', 'appends'].map((kind) => ({
      kind,
      program: startProgram('ordered-writer', [kind, `${mounted.dir}/${kind}`]),
    }));
    try {
      for (const { program } of writers) expect(await program.nextLine()).toBe('begun');
      for (let index = 0; index < snapshotCount; index++) {
        // Both ways of taking one; the command costs the start of a process, mkdir next to nothing.
        if (index % 5 === 0) await mounted.amberfs('snapshot', 'create', mounted.dir, `s${index}`);
        else await mounted.run('mkdir', [`${mounted.dir}/.snapshots/s${index}`]);
      }
      for (const { kind, program } of writers) {
        await program.finish();
        lastOf[kind] = Number(await program.nextLine());
      }
    } finally {
      for (const { program } of writers) await program.dispose();
    }
  });

  afterAll(() => mounted.close());

  async function contents(kind: string, file: string): Promise<string[]> {
    const script = `for i in $(seq 0 ${snapshotCount - 1}); do cat ".snapshots/s$i/$1/$2"; echo =; done`;
    const parts = (await mounted.sh(script, kind, file)).split('=\n').slice(0, -1);
    expect(parts).toHaveLength(snapshotCount);
    return parts;
  }

  test('the writers were at work between the snapshots', () => {
    expect(lastOf['counters']).toBeGreaterThan(snapshotCount * 2);
    expect(lastOf['appends']).toBeGreaterThan(snapshotCount * 2);
  });

  test('the two counters are equal, or the first is one ahead, and they never go back', async () => {
    const [first, second] = await Promise.all(['first', 'second'].map((file) => contents('counters', file)));
    let before = 0;
    first!.forEach((text, index) => {
      expect(text).toMatch(/^\d{15}\n$/);
      const difference = Number(text) - Number(second![index]);
      expect([0, 1], `snapshot ${index}: ${text.trim()} and ${second![index]!.trim()}`).toContain(difference);
      expect(Number(text)).toBeGreaterThanOrEqual(before);
      before = Number(text);
    });
    expect(before).toBeLessThanOrEqual(lastOf['counters']!);
    expect(new Set(first).size).toBeGreaterThan(10);
  });

  test('both logs hold the same records in order, the first at most one more', async () => {
    const [first, second] = await Promise.all(['first', 'second'].map((file) => contents('appends', file)));
    first!.forEach((text, index) => {
      const [longer, shorter] = [text, second![index]!];
      expect(longer.length % 16).toBe(0);
      expect([0, 16], `snapshot ${index}`).toContain(longer.length - shorter.length);
      expect(longer.startsWith(shorter)).toBe(true);
      const records = longer.split('\n').slice(0, -1);
      expect(records.every((record, at) => Number(record) === at + 1)).toBe(true);
    });
  });

  test('all of them are the same after a remount', async () => {
    const before = await mounted.sh('cd .snapshots; cat */counters/* */appends/* | sha256sum');
    await mounted.remount();
    expect(await mounted.sh('cd .snapshots; cat */counters/* */appends/* | sha256sum')).toBe(before);
  });
});
