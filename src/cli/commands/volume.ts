// amberfs volume list|create|delete|rename|get|set

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';
import { addDeleteOptions, type DeleteOptions } from './delete-options.ts';
import type { ListingOptions } from '../table.ts';
import { addListingOptions } from './listing-options.ts';

export function addVolumeCommands(program: Command, outcome: Outcome): void {
  const volume = program.command('volume').description('volumes of a store');
  addListingOptions(
    volume
      .command('list')
      .description('list the volumes of a store')
      .argument('<store>', 'STORE, or a path in a mount'),
  ).action(async (store: string, options: ListingOptions) => {
    const { runVolumeList } = await import('../run/volume.ts');
    await runVolumeList(store, options);
  });
  volume
    .command('create')
    .description('make an empty volume')
    .argument('<target...>', 'STORE:VOLUME')
    .option('--json', 'print JSON')
    .action(async (targets: string[], options: { json?: boolean }) => {
      const { runVolumeCreate } = await import('../run/volume.ts');
      outcome.status = await runVolumeCreate(targets, options.json === true);
    });
  addDeleteOptions(
    volume
      .command('delete')
      .description('delete a volume with all its snapshots; clones made of them stay')
      .argument('<target...>', 'STORE:VOLUME'),
  ).action(async (targets: string[], options: DeleteOptions) => {
    const { runVolumeDelete } = await import('../run/volume.ts');
    outcome.status = await runVolumeDelete(targets, options);
  });
  volume
    .command('rename')
    .description('give a volume another name, mounted or not')
    .argument('<target>', 'STORE:VOLUME')
    .argument('<name>', 'the new name')
    .option('--json', 'print JSON')
    .action(async (target: string, name: string, options: { json?: boolean }) => {
      const { runVolumeRename } = await import('../run/volume-rename.ts');
      await runVolumeRename(target, name, options.json === true);
    });
  addListingOptions(
    volume
      .command('get')
      .description('show properties of a volume')
      .argument('<target>', 'STORE[:VOLUME], or a path in a mount')
      .argument('[property...]', 'only these'),
  ).action(async (target: string, properties: string[], options: ListingOptions) => {
    const { runVolumeGet } = await import('../run/volume.ts');
    await runVolumeGet(target, properties, options);
  });
  volume
    .command('set')
    .description('set properties of a volume')
    .argument('<target>', 'STORE[:VOLUME], or a path in a mount')
    .argument('<property=value...>', 'snapdir=hidden|visible|disabled, snapdir-control=on|off')
    .action(async (target: string, settings: string[]) => {
      const { runVolumeSet } = await import('../run/volume.ts');
      outcome.status = await runVolumeSet(target, settings);
    });
}
