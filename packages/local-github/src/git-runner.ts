import { spawn } from 'node:child_process';
import type { GitAnswer, GitOrder } from './git.ts';

/** Starts git for a process that is too large to fork cheaply; ends with it. */
process.on('message', ({ id, directory, args, env, input }: GitOrder) => {
  const answer = (said: Omit<GitAnswer, 'id'>) => process.send?.({ id, ...said } satisfies GitAnswer);
  const child = spawn('git', args, { cwd: directory, env, stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined); // git may end before it has read all of its input
  child.stdin.end(input);
  child.on('error', (error) => answer({ error: error.message }));
  child.on('close', (code) =>
    answer({
      output: { code: code ?? 128, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() },
    }),
  );
});
