import type { CurveMetric, LaneWeights } from './metric.ts';

export type LeftOutWalk = {
  /** The next row, from the highest score to the lowest. */
  add(score: number, isPositive: boolean, weight: number, cell: number): void;
  /** Of each metric its values: without each of the cells, and last of all rows. NaN where it is undefined. */
  end(): Float64Array[];
};

/**
 * One walk along a ranking that gives metrics of all rows and without each cell of them, as a jackknife asks: a lane for
 * each. The rows come one by one and none is kept, so that it doesn't matter where they lie.
 *
 * @param cells what each of them weighs, known before
 */
export function leftOutWalk(metrics: readonly CurveMetric[], cells: LaneWeights): LeftOutWalk {
  const lanes = cells.positives.length + 1;
  const zeros = (): LaneWeights => ({ positives: new Float64Array(lanes), negatives: new Float64Array(lanes) });
  const [above, moved, all] = [zeros(), zeros(), zeros()];
  for (const kind of ['positives', 'negatives'] as const) {
    const whole = cells[kind].reduce((total, weight) => total + weight, 0);
    for (let lane = 0; lane < lanes; lane += 1) all[kind][lane] = whole - (cells[kind][lane] ?? 0);
  }
  const found = metrics.map(() => new Float64Array(lanes));
  const whole = { positives: 0, negatives: 0 };
  /** The rows of a threshold: what each takes from its cell's lane. */
  let tied: { kind: 'positives' | 'negatives'; weight: number; cell: number }[] = [];
  let last = Number.NaN;

  function passThreshold(): void {
    for (const kind of ['positives', 'negatives'] as const) {
      moved[kind].fill(whole[kind]);
    }
    for (const { kind, weight, cell } of tied) moved[kind][cell]! -= weight;
    for (const kind of ['positives', 'negatives'] as const) {
      if (whole[kind] === 0) continue;
      const [sum, added] = [above[kind], moved[kind]];
      for (let lane = 0; lane < lanes; lane += 1) sum[lane]! += added[lane]!;
    }
    for (let k = 0; k < metrics.length; k += 1) metrics[k]!.stepLanes(found[k]!, above, moved, all);
    whole.positives = 0;
    whole.negatives = 0;
    tied = [];
  }

  return {
    add(score, isPositive, weight, cell) {
      if (tied.length > 0 && score !== last) passThreshold();
      const kind = isPositive ? 'positives' : 'negatives';
      whole[kind] += weight;
      tied.push({ kind, weight, cell });
      last = score;
    },
    end() {
      if (tied.length > 0) passThreshold();
      return metrics.map((metric, k) =>
        found[k]!.map((value, lane) => metric.of(value, all.positives[lane]!, all.negatives[lane]!)),
      );
    },
  };
}

/** The mean of several rankings' values, one a class. */
export function meanOfWalks(values: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array(0)] = values;
  return first.map((_, at) => values.reduce((total, ofClass) => total + ofClass[at]!, 0) / values.length);
}
