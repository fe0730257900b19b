// The command line as a whole. Commands load what they need when they run, so that help and mistakes are answered at once.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCloneCommand } from './commands/clone.ts';
import { addHealthCommands } from './commands/health.ts';
import { addMountCommands } from './commands/mount.ts';
import { addSnapshotCommands } from './commands/snapshot.ts';
import { addStoreCommands } from './commands/store.ts';
import { addVolumeCommands } from './commands/volume.ts';
import { STATUS, reportFailure } from './failure.ts';
import type { Outcome } from './outcome.ts';

const TARGET_HELP = `
TARGET is any path inside a mount, or STORE[:VOLUME] (the volume "main" if none is named).
TARGET@NAME is a snapshot: NAME is its name or its access point. The first "@" after the last "/" counts.

Exit status: 0 success, 1 error, 2 wrong usage. With AMBERFS_DEBUG=1 errors come with a stack trace.`;

/** Runs `args` (without the program's own name); gives the exit status. Never rejects. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const outcome: Outcome = { status: STATUS.success };
  try {
    await createProgram(outcome).parseAsync(args, { from: 'user' });
    return outcome.status;
  } catch (error) {
    // Commander has said what is wrong with the usage, or has shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? STATUS.success : STATUS.usage;
    return reportFailure(error, args.includes('--json'));
  }
}

function createProgram(outcome: Outcome): Command {
  const program = new Command('amberfs');
  program
    .description('A filesystem with live snapshots and writable clones.')
    .version(readVersion(), '-V, --version')
    .showHelpAfterError('(add --help for the usage)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'amberfs: ')) })
    .addHelpText('after', TARGET_HELP)
    .exitOverride();
  addStoreCommands(program);
  addMountCommands(program, outcome);
  addVolumeCommands(program, outcome);
  addSnapshotCommands(program, outcome);
  addCloneCommand(program);
  addHealthCommands(program, outcome);
  return program;
}

/** The version in package.json, which lies above both src/ and dist/. */
function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
