import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from './files.ts';
import { lastLine, runOrThrow, runProcess } from './process.ts';

const env = { PATH: process.env.PATH ?? '' };

it('passes arguments as they are and inherits nothing of the environment', async () => {
  process.env.PASSLOOP_TEST_SECRET = 'token';
  const result = await runProcess({ argv: ['sh', '-c', 'printf "%s|" "$@"; env', 'x', '$(id)', 'a b', ';'], env });
  delete process.env.PASSLOOP_TEST_SECRET;
  expect(result.stdout.toString()).toMatch(/^\$\(id\)\|a b\|;\|/);
  expect(result.stdout.toString()).not.toContain('token');
});

it('lets no shell read what its user has set up', async () => {
  await using home = await temporaryFolder('process-test');
  await writeFile(path.join(home.path, '.bashrc'), 'echo from bashrc\n');
  const result = await runProcess({ argv: ['bash', '-c', 'echo x; cat'], env: { ...env, HOME: home.path } });
  expect(result.stdout.toString()).toBe('x\n');
});

it('kills the whole group at the timeout', async () => {
  const marker = `passloop-${process.pid}-${Date.now()}`;
  const result = await runProcess({
    argv: ['bash', '-c', `bash -c 'exec -a ${marker} sleep 60' & wait`],
    env,
    timeoutMs: 300,
  });
  expect(result.timedOut).toBe(true);
  await sleep(100);
  const left = await runProcess({ argv: ['sh', '-c', `ps -eo args | grep -c '^${marker}'`], env });
  expect(left.stdout.toString().trim()).toBe('0');
});

async function alive(marker: string): Promise<string> {
  return (await runProcess({ argv: ['sh', '-c', `pgrep -fc '^${marker}' || true`], env })).stdout.toString().trim();
}

it('does not wait for what a program left behind, and ends it', async () => {
  const marker = `passloop-left-${process.pid}`;
  const result = await runProcess({
    argv: ['bash', '-c', `bash -c 'exec -a ${marker} sleep 600' & echo started; exit 3`],
    env,
  });
  expect(result.stdout.toString()).toBe('started\n');
  expect(result).toMatchObject({ exitCode: 3, timedOut: false });
  expect(await alive(marker)).toBe('0');
});

it('is ended even where a grandchild left the group and holds the output', async () => {
  const marker = `passloop-away-${process.pid}`;
  const controller = new AbortController();
  const result = await runProcess({
    argv: ['bash', '-c', `setsid bash -c 'echo away; exec -a ${marker} sleep 600' & sleep 600`],
    env,
    signal: controller.signal,
    onLine: (line) => line === 'away' && controller.abort(),
  });
  expect(result.signal).toBe('SIGKILL');
  // It isn't ours to end any more; that it still runs shows that nobody waited for it.
  expect(await alive(marker)).toBe('1');
  await runProcess({ argv: ['pkill', '-f', `^${marker}`], env });
});

it('keeps the end of an output that is too long, and says so', async () => {
  const result = await runProcess({ argv: ['sh', '-c', 'seq 1 200000'], env, maxOutputBytes: 1000 });
  expect(result.stdout.length).toBe(1000);
  expect(result.truncated).toBe(true);
  expect(lastLine(result.stdout)).toBe('200000');
});

it('gives the last line of stderr as the error, and names a missing program', async () => {
  await expect(runOrThrow({ argv: ['sh', '-c', 'echo noise >&2; echo the reason >&2; exit 7'], env })).rejects.toThrow(
    /the reason/,
  );
  await expect(runProcess({ argv: ['no-such-program-here'], env })).rejects.toThrow(/was not found/);
});

it('streams lines as they come', async () => {
  const lines: string[] = [];
  await runProcess({
    argv: ['sh', '-c', 'printf "a\\nb"; echo c >&2'],
    env,
    onLine: (line, stream) => lines.push(`${stream}:${line}`),
  });
  expect(lines.sort()).toEqual(['stderr:c', 'stdout:a', 'stdout:b']);
});

it('keeps what a child of the program still writes after it has ended', async () => {
  const result = await runProcess({ argv: ['bash', '-c', '(sleep 0.3; echo late) & echo early'], env });
  expect(result.stdout.toString()).toBe('early\nlate\n');
});

it('ends at once where the signal was given before', async () => {
  const result = await runProcess({ argv: ['sleep', '61'], env, signal: AbortSignal.abort() });
  expect(result.signal).toBe('SIGKILL');
});
