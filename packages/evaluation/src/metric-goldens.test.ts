import { metricCatalog } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/metrics.json' with { type: 'json' };
import { type EvaluationFrame, predictionsOf } from './frame.ts';
import { declaredMetric, metricNamed, metricValue } from './metrics.ts';

type Case = {
  name: string;
  task: EvaluationFrame['task'];
  classes: string[];
  labels: number[];
  weights: number[] | null;
  units?: number[];
  score?: number[];
  scores?: number[][];
  prediction?: number[];
  /** Null where it is undefined. */
  values: Record<string, number | null>;
};
const cases = golden.cases as unknown as Case[];

const declared: EvaluationFrame['declared'] = {
  calibration_7: declaredMetric({ kind: 'calibration-error', bins: 7, strategy: 'uniform' })!,
  calibration_equal: declaredMetric({ kind: 'calibration-error', bins: 5, strategy: 'quantile' })!,
  ndcg_exponential_4: declaredMetric({ kind: 'ndcg', k: 4, gain: 'exponential' })!,
  cost: declaredMetric({ kind: 'cost', costs: golden.costs })!,
};

const array = (values: number[] | null | undefined) => (values ? Float64Array.from(values) : null);

function frameOf(one: Case): EvaluationFrame {
  const side = predictionsOf({
    score: array(one.score),
    scores: one.scores?.map((column) => Float64Array.from(column)) ?? null,
    prediction: array(one.prediction),
  });
  return {
    task: one.task,
    rows: one.labels.length,
    evaluationDigest: null,
    classes: one.classes,
    labels: Float64Array.from(one.labels),
    weights: array(one.weights),
    units: one.units === undefined ? null : Uint32Array.from(one.units),
    declared,
    production: side,
    candidate: side,
    slices: [],
  };
}

describe.each(cases)('$task, $name', (one) => {
  const frame = frameOf(one);

  it.each(Object.entries(one.values))('%s', (name, expected) => {
    const metric = metricNamed(name, declared)!;

    const value = metric.problem?.(frame) ?? metricValue(metric, frame, frame.candidate);

    if (expected === null) expect(value).toBeNaN();
    else expect(Math.abs((value as number) - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected));
  });
});

it('has values of every metric, each with weights and with ties or one class', () => {
  const withValue = (among: Case[]) => new Set(among.flatMap(({ values }) => Object.keys(values)));
  expect(Object.keys(metricCatalog).filter((name) => !withValue(cases).has(name))).toEqual([]);
  const weighted = withValue(cases.filter(({ weights }) => weights !== null));
  expect(Object.keys(metricCatalog).filter((name) => !weighted.has(name))).toEqual([]);
});
