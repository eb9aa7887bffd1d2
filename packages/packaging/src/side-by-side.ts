import { ConfigurationError, InfrastructureError, PassloopError, type Progress } from '@passloop/core';
import type { Signature } from '@passloop/model';
import { createRandom, percentile, type Random } from '@passloop/statistics';
import type { Engine } from './engine.ts';
import { type TimedRequests, type TimedServer, timeInTurns } from './latency.ts';
import { restClient } from './oip-rest.ts';
import { inputTensors, plainRows, selectInputs } from './scoring.ts';
import { type ServingContainer, type StartLimits, startServing } from './start.ts';
import type { Column } from './tensor.ts';

export type SideBySideRequest = {
  engine: Engine;
  /** Image ids or `name@sha256:…`, both in the engine. */
  production: string;
  candidate: string;
  model: string;
  signature: Signature;
  /** The rows of the dataset, as columns. Single rows of them are asked. */
  columns: readonly Column[];
  /** Columns that must not reach an image. */
  withheld: readonly string[];
  limits?: StartLimits | undefined;
  /** How often both are started. */
  starts?: number | undefined;
  /** Requests of one start to each image, where they are fast. */
  turns?: number | undefined;
  progress: Progress;
};

/** What one start of an image was like. */
export type TimedStart = { readySeconds: number; p50Ms: number; p95Ms: number };

/** Element by element of one moment: both images ran then, and were asked the same. */
export type SideBySide = { production: TimedStart[]; candidate: TimedStart[] };

const defaultStarts = 8;
const defaultTurns = 100;
/** Fewer have no 95th percentile. */
const fewestTurns = 20;
const warmUpTurns = 10;
const timedRows = 64;
/** Milliseconds of the timed requests of one start: an image that is slower is asked less often, and after the limit not at all. */
const budgetMs = 10_000;
const limitMs = 60_000;

/**
 * Starts two images side by side, several times, and asks both the same single rows in turns. A start has its own speed (addresses, hashes, the
 * processor that it landed on), which no number of requests to it averages out: that is why both are started anew. Which image is started first,
 * and which is asked first, changes.
 * @throws ConfigurationError for rows that the signature doesn't fit, or that REST can't carry
 * @throws InfrastructureError that says which image didn't start or answer
 */
export async function timeSideBySide(request: SideBySideRequest): Promise<SideBySide> {
  const { starts = defaultStarts, turns = defaultTurns, progress } = request;
  const asked = timedRequests(request);
  const random = createRandom(7);
  const measured: SideBySide = { production: [], candidate: [] };
  progress.phase("time the candidate's image beside production's");
  for (let start = 0; start < starts; start += 1) {
    await using pair = await startPair(
      request,
      start % 2 === 0 ? ['production', 'candidate'] : ['candidate', 'production'],
    );
    using production = restClient(pair.production.restUrl);
    using candidate = restClient(pair.candidate.restUrl);
    const servers = [
      { name: names.production, client: production },
      { name: names.candidate, client: candidate },
    ];
    const [before = [], after = []] = await timeTurns(servers, asked, turns, random);
    measured.production.push(timedStart(pair.production, before));
    measured.candidate.push(timedStart(pair.candidate, after));
    progress.tick(start + 1, starts, 'starts');
  }
  progress.done();
  return measured;
}

type Side = 'production' | 'candidate';

const names = { production: "Production's image", candidate: "The candidate's image" } as const;

async function startPair(
  request: SideBySideRequest,
  order: readonly Side[],
): Promise<Record<Side, ServingContainer> & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const started = new Map<Side, ServingContainer>();
  for (const side of order) {
    try {
      started.set(side, stack.use(await startServing(request.engine, request[side], request.limits)));
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
      throw new InfrastructureError(`${names[side]} did not start: ${error.message}`, {
        hint: error.hint ?? undefined,
        cause: error,
      });
    }
  }
  const kept = stack.move();
  return {
    production: started.get('production')!,
    candidate: started.get('candidate')!,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Single rows from all over the dataset. */
export function timedRequests({
  model,
  signature,
  columns,
  withheld,
}: Pick<SideBySideRequest, 'model' | 'signature' | 'columns' | 'withheld'>): TimedRequests {
  const inputs = selectInputs(signature, columns, withheld);
  const all = plainRows(signature, inputs);
  if (all.length === 0)
    throw new ConfigurationError('Every row of the dataset lacks a number, and that travels by gRPC alone.', {
      hint: 'Single rows are timed over REST. A gate with `max` or `min` alone needs no rows.',
    });
  const count = Math.min(timedRows, all.length);
  const rows = Array.from({ length: count }, (_, index) => {
    const row = all[Math.floor((index * all.length) / count)]!;
    return inputTensors(signature, inputs, row, row + 1);
  });
  return { model, rows };
}

async function timeTurns(
  servers: readonly TimedServer[],
  asked: TimedRequests,
  turns: number,
  random: Random,
): Promise<number[][]> {
  await timeInTurns(servers, asked, { most: warmUpTurns, limitMs }, random);
  const fewest = Math.min(turns, fewestTurns);
  return await timeInTurns(servers, asked, { most: turns, fewest, budgetMs, limitMs }, random);
}

function timedStart({ readySeconds }: ServingContainer, times: readonly number[]): TimedStart {
  return { readySeconds, p50Ms: percentile(times, 0.5), p95Ms: percentile(times, 0.95) };
}
