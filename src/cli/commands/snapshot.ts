// amberfs snapshot create|list|info|delete|rename|hold|release|restore

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';
import { addListingOptions, type SnapshotListOptions } from './listing-options.ts';
import type { CreateOptions } from './create-options.ts';
import { addDeleteOptions, type SnapshotDeleteOptions } from './delete-options.ts';
import { addHoldCommands } from './holds.ts';
import { addDiffCommand } from './diff.ts';
import { addRunCommand } from './run.ts';
import { addRestoreCommand } from './restore.ts';

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
      .argument('<target...>', 'the volumes: TARGET; one snapshot alone: TARGET@NAME'),
  )
    .option('--tree', 'show which snapshot was taken after which, and the clones')
    .option('--free <size>', 'list only the oldest whose deletion frees so much, as 10G')
    .action(async (targets: string[], options: SnapshotListOptions) => {
      const { runSnapshotList } = await import('../run/snapshot-list.ts');
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
      .argument(
        '<snapshot...>',
        'TARGET@NAME; several as TARGET@A,B, a range by age as TARGET@FIRST%LAST, %LAST or FIRST%',
      ),
  )
    .option('-w, --wait', 'wait until the space is free again, and show how far that is')
    .action(async (targets: string[], options: SnapshotDeleteOptions) => {
      const { runSnapshotDelete } = await import('../run/snapshot-delete.ts');
      outcome.status = await runSnapshotDelete(targets, options);
    });
  snapshot
    .command('rename')
    .description('give a snapshot another name, or another directory in .snapshots')
    .argument('<snapshot>', 'TARGET@NAME')
    .argument('[name]', 'the new name')
    .option('--access-point <dir>', 'its new directory in .snapshots; default: as the name, where it was so before')
    .action(async (target: string, name: string | undefined, options: { accessPoint?: string }) => {
      const { runSnapshotRename } = await import('../run/snapshot.ts');
      await runSnapshotRename(target, name, options);
    });
  addHoldCommands(snapshot);
  addDiffCommand(snapshot);
  addRunCommand(snapshot, outcome);
  addRestoreCommand(snapshot, outcome);
}
