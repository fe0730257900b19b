import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm, type Terminal } from '../../../src/cli/confirm.ts';
import { UsageError } from '../../../src/cli/failure.ts';

function terminal(isTTY: boolean, typed: string): { terminal: Terminal; shown: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  input.write(typed);
  return { terminal: { input, output }, shown: () => shown };
}

describe('before something is destroyed', () => {
  test.each([
    ['y\n', true],
    ['Yes\n', true],
    ['\n', false],
    ['n\n', false],
    ['yet\n', false],
  ])('a terminal is asked; %j means %s', async (typed, meant) => {
    const asked = terminal(true, typed);
    expect(await confirm('delete everything', asked.terminal)).toBe(meant);
    expect(asked.shown()).toContain('Delete everything? [y/N]');
  });

  test('elsewhere nothing happens without --yes', async () => {
    await expect(confirm('delete everything', terminal(false, 'y\n').terminal)).rejects.toThrow(UsageError);
    await expect(confirm('delete everything', terminal(false, 'y\n').terminal)).rejects.toThrow('--yes');
  });
});
