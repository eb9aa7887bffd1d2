import { text } from 'node:stream/consumers';
import { program } from '../program.ts';

/**
 * Runs commands one after another, each as `passloop` runs it: a process that has to start only once. Reads a JSON list of argument lists
 * from stdin, and answers with a list of what each of them said.
 */
const answers: { exitCode: number; stdout: string; stderr: string }[] = [];
const write = process.stdout.write.bind(process.stdout);
for (const command of JSON.parse(await text(process.stdin)) as string[][]) {
  const answer = { exitCode: 0, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (said: string | Uint8Array) => {
      answer[name] += String(said);
      return true;
    };
  }
  process.exitCode = 0;
  await program().parseAsync(command, { from: 'user' });
  answers.push({ ...answer, exitCode: Number(process.exitCode) });
}
process.exitCode = 0;
write(JSON.stringify(answers));
