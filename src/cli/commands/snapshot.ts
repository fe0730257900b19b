// amberfs snapshot create|list|info|delete|rename

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';
import type { ListingOptions } from '../table.ts';
import { addListingOptions } from './listing-options.ts';
import type { CreateOptions } from './create-options.ts';
import { addDeleteOptions, type DeleteOptions } from './delete-options.ts';

export function addSnapshotCommands(program: Command, outcome: Outcome): void {
  const snapshot = program.command('snapshot').description('snapshots of a volume');
  snapshot
    .command('create')
    .description('keep a volume as it is at this moment')
    .argument('<target>', 'the volume: TARGET')
    .argument('[name]', 'the name of the snapshot; default: the time in UTC')
    .option('-m, --comment <text>', 'what it is for')
    .option('--access-point <dir>', 'its directory in .snapshots; default: its name')
    .option('--json', 'print JSON')
    .action(async (target: string, name: string | undefined, options: CreateOptions) => {
      const { runSnapshotCreate } = await import('../run/snapshot.ts');
      await runSnapshotCreate(target, name, options);
    });
  addListingOptions(
    snapshot
      .command('list')
      .description('list the snapshots of volumes')
      .argument('<target...>', 'the volumes: TARGET'),
  ).action(async (targets: string[], options: ListingOptions) => {
    const { runSnapshotList } = await import('../run/snapshot.ts');
    outcome.status = await runSnapshotList(targets, options);
  });
  snapshot
    .command('info')
    .description('show all about a snapshot')
    .argument('<snapshot>', 'TARGET@NAME')
    .option('--json', 'print JSON')
    .option('-p, --parsable', 'print exact numbers and UTC times')
    .action(async (target: string, options: { json?: boolean; parsable?: boolean }) => {
      const { runSnapshotInfo } = await import('../run/snapshot.ts');
      await runSnapshotInfo(target, options);
    });
  addDeleteOptions(
    snapshot
      .command('delete')
      .description('delete snapshots; their space is freed in the background')
      .argument('<snapshot...>', 'TARGET@NAME'),
  ).action(async (targets: string[], options: DeleteOptions) => {
    const { runSnapshotDelete } = await import('../run/snapshot.ts');
    outcome.status = await runSnapshotDelete(targets, options);
  });
  snapshot
    .command('rename')
    .description('give a snapshot another name')
    .argument('<snapshot>', 'TARGET@NAME')
    .argument('<name>', 'the new name')
    .action(async (target: string, name: string) => {
      const { runSnapshotRename } = await import('../run/snapshot.ts');
      await runSnapshotRename(target, name);
    });
}
