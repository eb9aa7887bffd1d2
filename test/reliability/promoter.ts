/** A process that does one job after the other, as its parent sends them, until it is killed. */
import { setTimeout } from 'node:timers/promises';
import type { RetryPorts } from '@passloop/gitops';
import { type DeployJob, type JobPlace, performJob } from './deploy-job.ts';

export type Order = { id: number; job: DeployJob; place: JobPlace; retries?: { attempts?: number } };

const ports: RetryPorts = {
  sleep: async (milliseconds) => {
    await setTimeout(milliseconds);
  },
  random: Math.random,
};

process.on('message', async ({ id, job, place, retries }: Order) => {
  try {
    process.send?.({ id, result: await performJob(job, place, { ...ports, ...retries }) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
});
// What the first call would load, so that a process that waits is ready.
await import('octokit');
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
