import { differenceOfSeedMeans, mean, type SeedMeans, seedMeansToDecide, variance } from '@passloop/statistics';
import type { EvaluationFrame, Seeds } from './frame.ts';
import type { Resampling } from './interval.ts';
import { measuredValue, type PairedMeasurement } from './measure.ts';
import type { Metric } from './metric.ts';
import { rowNoise } from './row-noise.ts';

/** Of one side: the values of its seeds, and their sample standard deviation (null for one). */
export type SeedSpread = { lowest: number; highest: number; standardDeviation: number | null };

/** What several seeds a side add to a measurement. */
export type SeedMeasurement = {
  production: SeedSpread;
  candidate: SeedSpread;
  /** Standard errors of the difference: by the rows, the models fixed, and what other seeds would change beyond that. */
  rowError: number;
  seedError: number;
  degreesOfFreedom: number;
  /** Rows with these seeds, or seeds a side with these rows, that would probably decide at a margin. */
  needed(delta: number, margin: number): { rows: number | null; seeds: number | null };
};

type Side = keyof Seeds;

/** How messages name one model of a side. */
function nameOf(side: Side, seed: number, seeds: number): string {
  const whose = side === 'candidate' ? 'the candidate' : side;
  return seeds === 1 ? whose : `seed ${seed + 1} of ${whose}`;
}

/** The metric of each seed of a side, or a reason: a seed without a value is never left out of a mean. */
function valuesOf(metric: Metric, frame: EvaluationFrame, seeds: Seeds, side: Side): number[] | string {
  const values: number[] = [];
  for (const [seed, model] of seeds[side].entries()) {
    const value = measuredValue(metric, frame, model, nameOf(side, seed, seeds[side].length));
    if (typeof value === 'string') return value;
    values.push(value);
  }
  return values;
}

/** A side's mean over its seeds, or a reason why it has none. */
export function measureSeedsAlone(metric: Metric, frame: EvaluationFrame, seeds: Seeds, side: Side): number | string {
  if (seeds[side].length === 0) return 'there are no predictions of production';
  const values = valuesOf(metric, frame, seeds, side);
  return typeof values === 'string' ? values : mean(values);
}

/**
 * The difference of the means over several training seeds a side, with Student's interval: other rows and other seeds are
 * chance ({@link differenceOfSeedMeans}). A side with one model is that model.
 *
 * @returns a reason where there is no such measurement
 */
export function measureSeeds(
  metric: Metric,
  frame: EvaluationFrame,
  seeds: Seeds,
  resampling: Resampling,
): PairedMeasurement | string {
  if (seeds.production.length === 0) return 'there are no predictions of production';
  if (frame.rows < 3) return `${frame.rows} rows are too few`;
  const production = valuesOf(metric, frame, seeds, 'production');
  if (typeof production === 'string') return production;
  const candidate = valuesOf(metric, frame, seeds, 'candidate');
  if (typeof candidate === 'string') return candidate;
  const { level } = resampling;
  try {
    const noise = rowNoise(metric, frame, [...seeds.production, ...seeds.candidate], resampling);
    const method = `Student over ${production.length} and ${candidate.length} seeds; rows: ${noise.method}`;
    if (noise.covariance === null || noise.problem !== null) {
      const values = { production: mean(production), candidate: mean(candidate) };
      return {
        ...values,
        delta: values.candidate - values.production,
        interval: null,
        problem: noise.problem,
        level,
        method,
      };
    }
    const found = differenceOfSeedMeans({
      production,
      candidate,
      covariance: noise.covariance,
      rowDegreesOfFreedom: noise.degreesOfFreedom,
      leastRowVariance: noise.leastVariance,
      level,
    });
    const { delta, interval } = found;
    return {
      production: found.production,
      candidate: found.candidate,
      delta,
      interval,
      problem: null,
      level,
      method,
      seeds: {
        production: spreadOf(production),
        candidate: spreadOf(candidate),
        ...errorsOf(found),
        needed: (oriented, margin) =>
          seedMeansToDecide(
            found,
            { rows: frame.rows, rowDegreesOfFreedom: noise.degreesOfFreedom, delta: oriented, margin },
            { alpha: (1 - level) / 2 },
          ),
      },
    };
  } catch (error) {
    // A sum that overflows, one class only.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function errorsOf({ rowVariance, seedVariance, degreesOfFreedom }: SeedMeans) {
  return { rowError: Math.sqrt(rowVariance), seedError: Math.sqrt(Math.max(0, seedVariance)), degreesOfFreedom };
}

function spreadOf(values: readonly number[]): SeedSpread {
  const standardDeviation = values.length === 1 ? null : Math.sqrt(variance(values));
  return { lowest: Math.min(...values), highest: Math.max(...values), standardDeviation };
}
