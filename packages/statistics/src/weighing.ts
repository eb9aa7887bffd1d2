import { estimateDelta, type PairedEstimate } from './bootstrap.ts';
import { tQuantile } from './distributions.ts';
import { createRandom } from './random.ts';
import { mean, sum } from './sum.ts';

/** Two models' metric, for metrics that no sums hold (those of a ranking): it is worked out anew under other weights. */
export interface Weighing {
  /** Rows, clusters, or groups of them: what is drawn as a whole. */
  cells: number;
  /** How often each cell counts -> both models' values. The array is reused: read it, don't keep it. */
  valuesOf(counts: Uint32Array): { production: number; candidate: number };
  /** Two-sided, 0.95 by default. */
  level?: number;
}

/**
 * The paired percentile bootstrap: cells are drawn with replacement, as often as there are cells, `resamples` times.
 *
 * @throws RangeError when the metric of a whole model is not finite, for fewer than two cells, or too few resamples
 */
export function weighedBootstrap(options: Weighing & { resamples?: number; seed: number | bigint }): PairedEstimate {
  const { cells, valuesOf, resamples = 2000, level = 0.95 } = options;
  const values = wholeValues(options);
  const least = Math.ceil(2 / (1 - level)) - 1;
  if (!(Number.isInteger(resamples) && resamples >= least)) {
    throw new RangeError(`${resamples} resamples are too few for level ${level}; it needs ${least}`);
  }
  const random = createRandom(options.seed);
  const counts = new Uint32Array(cells);
  const deltas = Float64Array.from({ length: resamples }, () => {
    random.multinomial(counts);
    const { production, candidate } = valuesOf(counts);
    return candidate - production;
  });
  return estimateDelta(values, deltas, () => new Float64Array(0), level, 'percentile');
}

export interface GroupJackknife {
  production: number;
  candidate: number;
  /** candidate - production. */
  delta: number;
  interval: [low: number, high: number];
  standardError: number;
}

/**
 * The delete-a-group jackknife: each of the groups is left out once, and the interval is Student's with one degree of
 * freedom less than cells (Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17:521). A tenth of
 * the bootstrap's cost; for a metric that is not smooth each group needs more than √n of the n rows (Shao & Wu 1989).
 *
 * @throws RangeError when the metric is not finite, of the whole or without a group
 */
export function groupJackknife(values: {
  production: number;
  candidate: number;
  /** Both models' values without each of the groups. */
  without: { production: Float64Array; candidate: Float64Array };
  /** Two-sided, 0.95 by default. */
  level?: number;
}): GroupJackknife {
  const { production, candidate, without, level = 0.95 } = values;
  const groups = without.candidate.length;
  requireWhole({ production, candidate, cells: groups, level });
  const deltas = without.candidate.map((value, group) => value - without.production[group]!);
  if (!deltas.every(Number.isFinite)) throw new RangeError('the metric is undefined without one of its groups');
  const center = mean(deltas);
  const standardError = Math.sqrt(((groups - 1) / groups) * sum(deltas.map((value) => (value - center) ** 2)));
  const delta = candidate - production;
  const reach = tQuantile(0.5 + level / 2, groups - 1) * standardError;
  return { production, candidate, delta, interval: [delta - reach, delta + reach], standardError };
}

function wholeValues({ cells, valuesOf, level = 0.95 }: Weighing): { production: number; candidate: number } {
  const values = valuesOf(new Uint32Array(cells).fill(1));
  requireWhole({ ...values, cells, level });
  return values;
}

type Whole = { production: number; candidate: number; cells: number; level: number };

function requireWhole({ production, candidate, cells, level }: Whole): void {
  if (!(Number.isInteger(cells) && cells >= 2)) throw new RangeError(`two cells are needed, not ${cells}`);
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}; it must be between 0 and 1`);
  if (Number.isFinite(production) && Number.isFinite(candidate)) return;
  throw new RangeError(`the metric is ${production} for production and ${candidate} for the candidate`);
}
