import { InfrastructureError, toDecimal } from '@passloop/core';
import type { ProbeDocument } from '@passloop/documents';
import { createRandom, percentile, type Random } from '@passloop/statistics';
import { inferBody, modelPath, type RestClient } from './oip-rest.ts';
import type { TensorValues } from './tensor.ts';

export type Latency = NonNullable<ProbeDocument['latency']>;

/** Single requests of a model: each element of `rows` is a request. */
export type TimedRequests = { model: string; rows: readonly (readonly TensorValues[])[] };

/** `name` is for messages. */
export type TimedServer = { name: string; client: RestClient };

/** Milliseconds by the clock: after `budgetMs` no turn begins that isn't one of the `fewest`, and after `limitMs` nothing was measured. */
export type Turns = { most: number; fewest?: number; budgetMs?: number; limitMs?: number };

/** Times single requests over REST, one at a time on a connection that stays open. The first tenth warms up and doesn't count. */
export async function measureLatency(client: RestClient, asked: TimedRequests, requests: number): Promise<Latency> {
  const servers = [{ name: 'The server', client }];
  await timeInTurns(servers, asked, { most: Math.ceil(requests / 10) });
  const [times = []] = await timeInTurns(servers, asked, { most: requests });
  return {
    requests: times.length,
    p50Ms: toDecimal(percentile(times, 0.5)),
    p95Ms: toDecimal(percentile(times, 0.95)),
  };
}

/**
 * Asks several servers the same rows in turns, so that what slows the machine down slows all of them. Chance decides in each turn who is asked
 * first, so that none has the colder or the warmer machine.
 * @returns milliseconds of each server, by turn
 * @throws InfrastructureError for an answer that isn't 200, and where the limit is over
 */
export async function timeInTurns(
  servers: readonly TimedServer[],
  { model, rows }: TimedRequests,
  { most, fewest = most, budgetMs = Infinity, limitMs = Infinity }: Turns,
  random: Random = createRandom(7),
): Promise<number[][]> {
  const path = `${modelPath(model)}/infer`;
  const bodies = rows.map((inputs) => inferBody({ model, inputs }));
  const times: number[][] = servers.map(() => []);
  const begun = performance.now();
  for (let turn = 0; turn < most; turn += 1) {
    const spent = performance.now() - begun;
    if (turn >= fewest && spent >= budgetMs) break;
    if (turn > 0 && spent >= limitMs)
      throw new InfrastructureError(`${turn} of ${fewest} turns of timed requests took ${limitMs / 1000} s and more.`);
    for (const index of shuffled(servers.length, random)) {
      const { name, client } = servers[index]!;
      const started = performance.now();
      const answer = await client.send('POST', path, bodies[turn % bodies.length]);
      times[index]!.push(performance.now() - started);
      if (answer.status !== 200)
        throw new InfrastructureError(`${name} answered a timed request with ${answer.status}.`);
    }
  }
  return times;
}

/** Fisher and Yates. */
function shuffled(length: number, random: Random): number[] {
  const order = Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last -= 1) {
    const other = random.integer(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
