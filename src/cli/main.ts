#!/usr/bin/env node
// The command `amberfs`.

import { runProgram } from './program.ts';

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const status = await runProgram(process.argv.slice(2));
// A pipe takes 64 KiB at once, and the rest when its reader has read that.
await Promise.all([written(process.stdout), written(process.stderr)]);
// Explicitly: a daemon in the foreground has connections whose other ends wait for this very exit.
process.exit(status);

/** Resolves when all that was written to `stream` so far has left this process. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}
