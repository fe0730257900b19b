// amberfs snapshot run

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';
import type { RunOptions } from './run-options.ts';

export function addRunCommand(snapshot: Command, outcome: Outcome): void {
  snapshot
    .command('run')
    .description('run a command between two snapshots and show what it changed; the exit status is that of the command')
    .argument('<target>', 'the volume: TARGET')
    .argument('<command...>', 'the command and its arguments, after "--"')
    .option('-m, --comment <text>', 'what the snapshots are for; default: the command')
    .option('--lines <n>', 'show so many changes at most', '20')
    .action(async (target: string, command: string[], options: RunOptions) => {
      const { runSnapshotRun } = await import('../run/run.ts');
      outcome.status = await runSnapshotRun(target, command, options);
    });
}
