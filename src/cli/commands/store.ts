// amberfs init, amberfs status

import type { Command } from 'commander';
import type { ListingOptions } from '../table.ts';
import { addListingOptions } from './listing-options.ts';

export function addStoreCommands(program: Command): void {
  program
    .command('init')
    .description('make a store in a new or empty directory, with an empty volume "main"')
    .argument('<store>', 'the directory')
    .option('--json', 'print JSON')
    .action(async (store: string, options: { json?: boolean }) => {
      const { runInit } = await import('../run/store.ts');
      await runInit(store, options.json === true);
    });
  addListingOptions(
    program
      .command('status')
      .description('show a store, its daemon and its mounts; without STORE all stores that are mounted')
      .argument('[store]', 'the store, or a path in one of its mounts'),
  ).action(async (store: string | undefined, options: ListingOptions) => {
    const { runStatus } = await import('../run/store.ts');
    await runStatus(store, options);
  });
}
