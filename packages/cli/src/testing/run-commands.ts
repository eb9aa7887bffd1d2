import { program } from '../program.ts';

/**
 * Runs several commands one after another, as `passloop` runs one: in a process of their own, which has to start only once. Reads a JSON list of
 * argument lists from stdin, and answers with a list of what each said.
 */
const commands = JSON.parse(await new Response(process.stdin as unknown as ReadableStream).text()) as string[][];
const answers: { exitCode: number; stdout: string; stderr: string }[] = [];
const write = { stdout: process.stdout.write, stderr: process.stderr.write };
for (const command of commands) {
  const answer = { exitCode: 0, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (text: string | Uint8Array) => {
      answer[name] += String(text);
      return true;
    };
  }
  process.exitCode = 0;
  await program().parseAsync(command, { from: 'user' });
  answer.exitCode = Number(process.exitCode);
  answers.push(answer);
}
Object.assign(process.stdout, { write: write.stdout });
process.exitCode = 0;
process.stdout.write(JSON.stringify(answers));
