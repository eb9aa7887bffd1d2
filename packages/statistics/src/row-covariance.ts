import { createRandom } from './random.ts';
import { mean, sum } from './sum.ts';

/** One metric of several models on the same rows, worked out anew where the rows count otherwise. */
export interface ModelValues {
  /** Rows, clusters, or groups of them: what is drawn or left out as a whole. */
  cells: number;
  models: number;
  /** How often each cell counts -> the value of each model. The array is reused: read it, don't keep it. */
  valuesOf(counts: Uint32Array): ArrayLike<number>;
}

export interface RowCovariance {
  /** Of the models' values over samples of rows, row-major. */
  covariance: Float64Array;
  /** Draws in which some value did not exist: they are left out. */
  undefinedDraws: number;
}

/** By the bootstrap: cells are drawn with replacement for all models together, as often as there are cells. */
export function bootstrapCovariance(
  options: ModelValues & { resamples: number; seed: number | bigint },
): RowCovariance {
  const { cells, valuesOf, resamples } = options;
  requireCells(cells);
  const random = createRandom(options.seed);
  const counts = new Uint32Array(cells);
  const draws = Array.from({ length: resamples }, () => {
    random.multinomial(counts);
    return Float64Array.from(valuesOf(counts));
  });
  return covarianceOf(draws, options.models, (products, count) => sum(products) / (count - 1));
}

/**
 * By leaving out each cell in turn (Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17:521).
 * @param without of each model, its value without each cell
 * @throws RangeError where a value does not exist without one of the cells
 */
export function jackknifeCovariance(without: readonly Float64Array[]): RowCovariance {
  const cells = without[0]?.length ?? 0;
  requireCells(cells);
  const draws = Array.from({ length: cells }, (_, cell) => Float64Array.from(without, (values) => values[cell]!));
  const found = covarianceOf(draws, without.length, (products, count) => ((count - 1) / count) * sum(products));
  if (found.undefinedDraws > 0) throw new RangeError('the metric is undefined without one of its groups');
  return found;
}

function requireCells(cells: number): void {
  if (!(Number.isInteger(cells) && cells >= 2)) throw new RangeError(`two cells are needed, not ${cells}`);
}

function covarianceOf(
  draws: readonly Float64Array[],
  models: number,
  scale: (products: Float64Array, count: number) => number,
): RowCovariance {
  const defined = draws.filter((values) => values.every(Number.isFinite));
  const undefinedDraws = draws.length - defined.length;
  const covariance = new Float64Array(models ** 2);
  if (defined.length < 2) return { covariance: covariance.fill(Number.NaN), undefinedDraws };
  const deviations = Array.from({ length: models }, (_, model) => {
    const values = Float64Array.from(defined, (draw) => draw[model]!);
    const center = mean(values);
    return values.map((value) => value - center);
  });
  for (const [i, left] of deviations.entries()) {
    for (const [j, right] of deviations.slice(0, i + 1).entries()) {
      const found = scale(
        left.map((value, draw) => value * right[draw]!),
        defined.length,
      );
      covariance[i * models + j] = found;
      covariance[j * models + i] = found;
    }
  }
  return { covariance, undefinedDraws };
}
