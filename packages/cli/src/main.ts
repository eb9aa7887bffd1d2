import { constants } from 'node:os';
import { interrupt } from '@passloop/core';
import { program } from './program.ts';

// A child leads a group of its own, which a Ctrl-C on the terminal does not reach: it would train on, unseen.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupt();
    process.exit(128 + constants.signals[signal]);
  });
}

await program().parseAsync(process.argv);
