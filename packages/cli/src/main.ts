import { CommanderError } from 'commander';
import { usageError, watchOutput } from './face.ts';
import { watchSignals } from './interruption.ts';
import { program } from './program.ts';

watchSignals();
watchOutput();
try {
  await program().parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  await usageError(error.exitCode, error.message, process.argv.slice(2));
}
