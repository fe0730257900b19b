#!/usr/bin/env node
// The command `amberfs`.

import { runProgram } from './program.ts';

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

// Explicitly: a daemon in the foreground has connections whose other ends wait for this very exit. Nothing is lost by it, since Linux takes
// what is written to files, pipes and terminals at once (Node.js, "A note on process I/O").
process.exit(await runProgram(process.argv.slice(2)));
