import { spawnSync } from 'node:child_process';
import { expect, it, vi } from 'vitest';
import { endAtStop, runProcess, stopProcesses } from './process.ts';

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
  const [ended, over] = [vi.fn(), vi.fn()];
  endAtStop('A query', ended);
  endAtStop('A query that is over', over)();

  stopProcesses();

  expect([ended.mock.calls.length, over.mock.calls.length]).toEqual([1, 0]);
  expect(() => endAtStop('Another query', ended)).toThrow(
    'Another query was not run to its end: the command was interrupted.',
  );

  await expect(running).rejects.toThrow(/interrupted/);
  await expect(runProcess({ argv: ['true'], env })).rejects.toThrow(/interrupted/);
  await expect.poll(() => isAlive(grandchild), { timeout: 20_000 }).toBe(false);
});

/** A zombie, whom nobody has waited for yet, is dead. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout.trim());
}
