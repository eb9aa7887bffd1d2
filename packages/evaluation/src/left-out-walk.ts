import type { ClassWeights, CurveMetric } from './metric.ts';

/** How much the rows of each class weigh together: of each cell. */
export type CellWeights = { positives: Float64Array; negatives: Float64Array };

export type LeftOutWalk = {
  /** The next row, from the highest score to the lowest. */
  add(score: number, isPositive: boolean, weight: number, cell: number): void;
  /** Of each metric its values: without each of the cells, and last of all rows. NaN where it is undefined. */
  end(): Float64Array[];
};

/**
 * One walk along a ranking that gives metrics of all rows and without each cell of them, as a jackknife asks. The rows come
 * one by one and none is kept, so that it doesn't matter where they lie.
 *
 * @param cells what each of them weighs, known before
 */
export function leftOutWalk(metrics: readonly CurveMetric[], cells: CellWeights): LeftOutWalk {
  const count = cells.positives.length;
  const own = (weights: Float64Array) => Float64Array.of(...weights, 0);
  const total = (weights: Float64Array) => weights.reduce((sum, weight) => sum + weight, 0);
  const whole = { positives: total(cells.positives), negatives: total(cells.negatives) };
  /** Without each cell; the last is without none. */
  const all = { positives: own(cells.positives), negatives: own(cells.negatives) };
  for (let at = 0; at <= count; at += 1) {
    all.positives[at] = whole.positives - all.positives[at]!;
    all.negatives[at] = whole.negatives - all.negatives[at]!;
  }
  const found = metrics.map(() => new Float64Array(count + 1));
  const above: ClassWeights = { positives: 0, negatives: 0 };
  const aboveOf = { positives: new Float64Array(count + 1), negatives: new Float64Array(count + 1) };
  const moved: ClassWeights = { positives: 0, negatives: 0 };
  const movedOf = { positives: new Float64Array(count + 1), negatives: new Float64Array(count + 1) };
  let touched: number[] = [];
  let last = Number.NaN;
  const [leftAbove, leftMoved, leftAll] = [{ ...above }, { ...above }, { ...above }];

  function passThreshold(): void {
    above.positives += moved.positives;
    above.negatives += moved.negatives;
    for (let at = 0; at <= count; at += 1) {
      leftAbove.positives = above.positives - aboveOf.positives[at]!;
      leftAbove.negatives = above.negatives - aboveOf.negatives[at]!;
      leftMoved.positives = moved.positives - movedOf.positives[at]!;
      leftMoved.negatives = moved.negatives - movedOf.negatives[at]!;
      leftAll.positives = all.positives[at]!;
      leftAll.negatives = all.negatives[at]!;
      for (let k = 0; k < metrics.length; k += 1) {
        found[k]![at] = metrics[k]!.step(found[k]![at]!, leftAbove, leftMoved, leftAll);
      }
    }
    moved.positives = 0;
    moved.negatives = 0;
    for (const cell of touched) {
      movedOf.positives[cell] = 0;
      movedOf.negatives[cell] = 0;
    }
    touched = [];
  }

  return {
    add(score, isPositive, weight, cell) {
      if (touched.length > 0 && score !== last) passThreshold();
      const kind = isPositive ? 'positives' : 'negatives';
      moved[kind] += weight;
      movedOf[kind][cell]! += weight;
      aboveOf[kind][cell]! += weight;
      touched.push(cell);
      last = score;
    },
    end() {
      if (touched.length > 0) passThreshold();
      return metrics.map((metric, k) =>
        found[k]!.map((value, at) =>
          metric.of(value, { positives: all.positives[at]!, negatives: all.negatives[at]! }),
        ),
      );
    },
  };
}

/** The mean of several rankings' values, one a class. */
export function meanOfWalks(values: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array(0)] = values;
  return first.map((_, at) => values.reduce((total, ofClass) => total + ofClass[at]!, 0) / values.length);
}
