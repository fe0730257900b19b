// amberfs check, amberfs scrub

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';
import type { CheckOptions } from './check-options.ts';
import type { ScrubOptions } from './scrub-options.ts';

export function addHealthCommands(program: Command, outcome: Outcome): void {
  program
    .command('check')
    .description('check that a store is sound: records, trees, space, directories, links; mounts may stay in use')
    .argument('<target>', 'the store, or a path in one of its mounts')
    .option('--data', 'also read all file contents and compare their checksums')
    .option('--repair', 'put right what can be put right without losing anything; nothing of the store may be mounted')
    .option('-n, --dry-run', 'with --repair: only show what it would do')
    .option('-y, --yes', 'with --repair: do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit status: 0 nothing is wrong, 1 problems were found, or it could not be checked.')
    .action(async (target: string, options: CheckOptions) => {
      const { runCheck } = await import('../run/check.ts');
      outcome.status = await runCheck(target, options);
    });
  program
    .command('scrub')
    .description(
      'read everything that is stored and name what is damaged; in the background where the store is mounted',
    )
    .argument('<target>', 'the store, or a path in one of its mounts')
    .option(
      '--rate <size>',
      'read at most so much in a second, as 20M; default: 50M beside mounts, else all the disk gives',
    )
    .option('-w, --wait', 'wait until it is done, and show how far it is')
    .option('--pause', 'let it rest until --resume; it stays so when the store is unmounted')
    .option('--resume', 'go on with it')
    .option('--stop', 'end it')
    .option('--status', 'show how far it is, or what the last one found')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit status: 1 where damage was found.')
    .action(async (target: string, options: ScrubOptions) => {
      const { runScrub } = await import('../run/scrub.ts');
      outcome.status = await runScrub(target, options);
    });
}
