import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { runProcess, stopProcesses } from './process.ts';

// A file of its own: after a stop nothing starts any more in this process.
it('ends what runs, with its children, and starts nothing more', async () => {
  const env = { PATH: process.env.PATH ?? '' };
  const started = Promise.withResolvers<number>();
  const running = runProcess({
    argv: ['bash', '-c', 'sleep 600 & echo $!; wait'],
    env,
    onLine: (line, stream) => stream === 'stdout' && started.resolve(Number(line)),
  });
  const grandchild = await started.promise;
  expect(isAlive(grandchild)).toBe(true);

  stopProcesses();

  await expect(running).rejects.toThrow(/interrupted/);
  await expect(runProcess({ argv: ['true'], env })).rejects.toThrow(/interrupted/);
  await expect.poll(() => isAlive(grandchild), { timeout: 20_000 }).toBe(false);
});

/** A zombie, whom nobody has waited for yet, is dead. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout.trim());
}
