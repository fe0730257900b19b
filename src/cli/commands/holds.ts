// amberfs snapshot hold|release

import type { Command } from 'commander';
import type { HoldOptions } from './hold-options.ts';

export function addHoldCommands(snapshot: Command): void {
  snapshot
    .command('hold')
    .description('see to it that a snapshot is not deleted until it is released')
    .argument('<snapshot>', 'TARGET@NAME')
    .argument('<tag>', 'the name of the hold, to release it by')
    .option('--reason <text>', 'why it has to stay')
    .option(
      '--expires <when>',
      'the hold ends by itself: 30m, 12h, 7d, 2w from now, or a date as 2026-12-31 or 2026-12-31T18:00 in UTC',
    )
    .option('--json', 'print JSON')
    .action(async (target: string, tag: string, options: HoldOptions) => {
      const { runSnapshotHold } = await import('../run/snapshot-hold.ts');
      await runSnapshotHold(target, tag, options);
    });
  snapshot
    .command('release')
    .description('take a hold away')
    .argument('<snapshot>', 'TARGET@NAME')
    .argument('<tag>', 'the name of the hold')
    .option('--json', 'print JSON')
    .action(async (target: string, tag: string, options: { json?: boolean }) => {
      const { runSnapshotRelease } = await import('../run/snapshot-hold.ts');
      await runSnapshotRelease(target, tag, options.json === true);
    });
}
