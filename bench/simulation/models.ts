import { createRandom, normalCdf } from '@passloop/statistics';
import { type EvaluationFrame, predictionsOf } from '../../packages/evaluation/src/frame.ts';
import { normalPair, scoredFrame } from '../../packages/evaluation/src/testing/frames.ts';

/**
 * Pairs of models whose true value of a metric is known. Each has one parameter: the distance of the classes, or the spread of
 * the errors. Their mistakes are correlated (0.8), as those of two versions of a model are.
 */

export type Pair = { rows: number; seed: number; production: number; candidate: number };

export type Simulated = {
  metric: string;
  direction: 'higher' | 'lower';
  margin: number;
  /** The parameter of production. */
  parameter: number;
  /** The true value, increasing with the parameter. */
  truth(parameter: number): number;
  frame(pair: Pair): EvaluationFrame;
};

/** Share of positive rows in `scoredFrame`, whose threshold is halfway between the classes. */
const positives = 0.3;

function f1Of(separation: number): number {
  const right = normalCdf(separation / 2);
  return (2 * positives * right) / (2 * positives * right + (1 - right));
}

export const simulated: Simulated[] = [
  {
    metric: 'accuracy',
    direction: 'higher',
    margin: 0.02,
    parameter: 2,
    truth: (separation) => normalCdf(separation / 2),
    frame: scoredFrame,
  },
  { metric: 'f1', direction: 'higher', margin: 0.02, parameter: 2, truth: f1Of, frame: scoredFrame },
  {
    metric: 'roc_auc',
    direction: 'higher',
    margin: 0.01,
    parameter: 1.6,
    truth: (separation) => normalCdf(separation / Math.SQRT2),
    frame: scoredFrame,
  },
  {
    metric: 'mae',
    direction: 'lower',
    margin: 0.02,
    parameter: 1,
    truth: (spread) => spread * Math.sqrt(2 / Math.PI),
    frame: numberFrame,
  },
];

/** The parameter at which the metric is this much better (negative: worse) than production. */
export function parameterFor(
  { truth, parameter, direction }: Pick<Simulated, 'truth' | 'parameter' | 'direction'>,
  better: number,
): number {
  const wanted = truth(parameter) + (direction === 'higher' ? better : -better);
  let [low, high] = [0, 4 * parameter];
  for (let step = 0; step < 80; step += 1) {
    const middle = (low + high) / 2;
    if (truth(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Labels around 10, and two regressions whose errors are normal with these spreads. */
export function numberFrame({ rows, seed, production, candidate }: Pair): EvaluationFrame {
  const random = createRandom(seed);
  const labels = new Float64Array(rows);
  const sides = [new Float64Array(rows), new Float64Array(rows)] as const;
  for (let row = 0; row < rows; row += 1) {
    const [signal, shared] = normalPair(random);
    const own = normalPair(random);
    labels[row] = 10 + 2 * signal;
    for (const [i, spread] of [production, candidate].entries())
      sides[i]![row] = labels[row]! + spread * (Math.sqrt(0.8) * shared + Math.sqrt(0.2) * own[i]!);
  }
  return {
    ...scoredFrame({ rows: 2 }),
    task: 'regression',
    rows,
    classes: [],
    labels,
    production: predictionsOf({ prediction: sides[0] }),
    candidate: predictionsOf({ prediction: sides[1] }),
    slices: [],
  };
}
