/** What a command prints arrives whole, however slowly it is read: a pipe takes 64 KiB at once. */
import { expect, test } from 'vitest';
import { amberfsCommand, withMounted } from '../support/mounted.ts';

const COUNT = 300;

test('a long list through a pipe', () =>
  withMounted(async (mounted) => {
    await mounted.sh(`cd .snapshots; for i in $(seq ${COUNT}); do mkdir s$i; done`);
    const list = `${amberfsCommand.join(' ')} snapshot list "${mounted.dir}" --json`;
    const whole = await mounted.sh(`${list} | (sleep 1; cat)`);
    expect(whole.length).toBeGreaterThan(65_536);
    expect((JSON.parse(whole) as { snapshots: unknown[] }).snapshots).toHaveLength(COUNT);
    expect(await mounted.sh(`${list} | head -c 5 | wc -c`)).toBe('5\n');
  }));
