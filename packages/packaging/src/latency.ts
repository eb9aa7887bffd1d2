import { InfrastructureError, toDecimal } from '@passloop/core';
import type { ProbeDocument } from '@passloop/documents';
import { inferBody, modelPath, type RestClient } from './oip-rest.ts';
import type { TensorValues } from './tensor.ts';

export type Latency = NonNullable<ProbeDocument['latency']>;

export type LatencyTarget = { client: RestClient; model: string; inputs: readonly TensorValues[] };

/**
 * Times single requests over REST, one at a time on a connection that stays open. Several targets take turns request by request, so that
 * what slows the machine down slows all of them. The first tenth of the requests warms up and doesn't count.
 */
export async function measureLatency(targets: readonly LatencyTarget[], requests: number): Promise<Latency[]> {
  const warmUp = Math.ceil(requests / 10);
  const prepared = targets.map(({ client, model, inputs }) => ({
    client,
    path: `${modelPath(model)}/infer`,
    body: inferBody({ model, inputs }),
    times: [] as number[],
  }));
  for (let round = 0; round < warmUp + requests; round += 1) {
    for (const target of prepared) {
      const started = performance.now();
      const answer = await target.client.send('POST', target.path, target.body);
      const elapsed = performance.now() - started;
      if (answer.status !== 200) throw new InfrastructureError(`A timed request was answered ${answer.status}.`);
      if (round >= warmUp) target.times.push(elapsed);
    }
  }
  return prepared.map(({ times }) => ({
    requests: times.length,
    p50Ms: toDecimal(percentile(times, 0.5)),
    p95Ms: toDecimal(percentile(times, 0.95)),
  }));
}

/** Nearest-rank percentile: the smallest value that at least `share` of all are not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('There is no percentile of nothing.');
  return value;
}
