import { watchSignals } from './interruption.ts';
import { program } from './program.ts';

watchSignals();
await program().parseAsync(process.argv);
