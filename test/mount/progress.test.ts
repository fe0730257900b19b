/** How far `snapshot delete --wait` is: a bar on a terminal, here a pseudo terminal of util-linux, and plain lines elsewhere. */
import { expect, test } from 'vitest';
import { amberfsCommand, withMounted } from '../support/mounted.ts';
import { requireCommands } from '../support/run-command.ts';

const fill = 'i=0; while [ $i -lt 3000 ]; do echo "$1 $i" > "$1-$i"; i=$((i+1)); done';

test('a bar on a terminal that ends at 100 % and leaves a clean line; no control characters elsewhere', () =>
  withMounted(async (mounted) => {
    requireCommands({ script: 'bsdutils' });
    for (const name of ['one', 'two']) {
      await mounted.sh(fill, name);
      await mounted.amberfs('snapshot', 'create', mounted.dir, name);
      await mounted.sh('find . -type f -delete');
    }
    const words = [...amberfsCommand, 'snapshot', 'delete', '--yes', '--wait', `${mounted.dir}@one`];
    const shown = await mounted.run('script', ['-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null']);
    const drawn = shown.split('\r\x1b[K');
    expect(drawn[1]).toMatch(/^\[[#.]{30}\] \d+ % freed, .* of .*, \d+ versions? left$/);
    expect(drawn.at(-2)).toMatch(/^\[#{30}\] 100 % freed, .*, 0 versions left$/);
    expect(drawn.at(-1)).toMatch(/^deleted snapshot main@one .*\r\n$/);

    const args = ['snapshot', 'delete', '--yes', '--wait', `${mounted.dir}@two`];
    const plain = await mounted.tryAmberfs(...args);
    expect(plain.stdout).toMatch(/^deleted snapshot main@two .*\n$/);
    expect(plain.stderr).toMatch(/^(amberfs: \d+ % freed, .*\n)*$/);
  }));
