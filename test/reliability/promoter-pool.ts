import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { rolldown } from 'rolldown';
import type { DeployJob, JobPlace, JobResult } from './deploy-job.ts';
import type { Order } from './promoter.ts';

/** A job that runs in a process of its own. */
type RunningJob = {
  /** Rejects with what the process said, or where it was killed. */
  done: Promise<JobResult>;
  /** SIGKILL, and the end of the process. */
  kill(): Promise<void>;
};

export type Promoter = { pid: number; run(job: DeployJob, place: JobPlace, retries?: Order['retries']): RunningJob };

export type PromoterPool = AsyncDisposable & {
  /** How many processes were killed. */
  readonly killed: number;
  /** One that waits: a killed one is replaced by another that was started before. */
  take(): Promise<Promoter>;
  give(promoter: Promoter): void;
};

/** Processes that are started before they are needed: only the killed ones cost a start. */
export async function promoterPool(size: number): Promise<PromoterPool> {
  const folder = await temporaryFolder('promoters');
  {
    await using bundle = await rolldown({
      input: path.join(import.meta.dirname, 'promoter.ts'),
      platform: 'node',
      logLevel: 'silent',
    });
    await bundle.write({ dir: folder.path, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' });
  }
  const waiting: Promise<Promoter>[] = [];
  const processes = new Set<ChildProcess>();
  let killed = 0;

  async function start(): Promise<Promoter> {
    const child = fork(path.join(folder.path, 'promoter.mjs'), {
      execArgv: [],
      env: { NODE_COMPILE_CACHE: path.join(folder.path, 'cache') },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    processes.add(child);
    const ended = once(child, 'exit').finally(() => processes.delete(child));
    await Promise.race([once(child, 'message'), ended]);
    if (child.exitCode !== null) throw new Error(`A promoter ended with ${child.exitCode} before it began.`);
    return promoterIn(child, ended, () => {
      killed += 1;
    });
  }

  return {
    get killed() {
      return killed;
    },
    async take() {
      const promoter = waiting.shift() ?? start();
      while (waiting.length < size) waiting.push(start());
      return promoter;
    },
    give: (promoter) => void waiting.unshift(Promise.resolve(promoter)),
    async [Symbol.asyncDispose]() {
      await Promise.all(waiting);
      await Promise.all([...processes].map(end));
      await folder[Symbol.asyncDispose]();
    },
  };
}

function promoterIn(child: ChildProcess, ended: Promise<unknown>, onKill: () => void): Promoter {
  let last = 0;
  return {
    pid: child.pid ?? 0,
    run(job, place, retries) {
      last += 1;
      const id = last;
      const answer = Promise.withResolvers<JobResult>();
      const listen = (message: { id: number; result?: JobResult; error?: string }) => {
        if (message.id !== id) return;
        child.off('message', listen);
        if (message.result !== undefined) answer.resolve(message.result);
        else answer.reject(new Error(message.error));
      };
      child.on('message', listen);
      void ended.then(() => answer.reject(new Error('The process was killed.')));
      // Whoever kills a process doesn't ask what became of its job.
      answer.promise.catch(() => {});
      child.send({ id, job, place, ...(retries === undefined ? {} : { retries }) } satisfies Order);
      return {
        done: answer.promise,
        async kill() {
          onKill();
          await end(child);
        },
      };
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
