// amberfs clone

import type { Command } from 'commander';

export function addCloneCommand(program: Command): void {
  program
    .command('clone')
    .description('make a new, writable volume that starts as a snapshot')
    .argument('<snapshot>', 'TARGET@NAME')
    .argument('<volume>', 'the name of the new volume')
    .option('--json', 'print JSON')
    .action(async (target: string, volume: string, options: { json?: boolean }) => {
      const { runClone } = await import('../run/volume.ts');
      await runClone(target, volume, options.json === true);
    });
}
