import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { type EvaluationFrame, type Predictions, predictionsOf } from './frame.ts';
import { defaultResampling, measurePaired } from './measure.ts';
import { metricNames } from './metric-names.ts';
import { metrics, metricValue } from './metrics.ts';

type Case = {
  task: string;
  labels: number[];
  models: Record<'production' | 'candidate', { score?: number[]; prediction: number[] }>;
  values: Record<'production' | 'candidate', Record<string, number>>;
  intervals: Record<string, number[]> | null;
};
const cases = {
  binary: golden.binary,
  multiclass: golden.multiclass,
  regression: golden.regression,
  far: golden.far,
} as unknown as Record<string, Case>;

function frameOf({ task, labels, models }: Case): EvaluationFrame {
  const side = ({ score, prediction }: Case['models']['candidate']): Predictions =>
    predictionsOf({
      score: score === undefined ? null : Float64Array.from(score),
      prediction: Float64Array.from(prediction),
    });
  return {
    task: task as EvaluationFrame['task'],
    rows: labels.length,
    evaluationDigest: null,
    classes: task === 'regression' ? [] : task === 'binary' ? ['0', '1'] : ['0', '1', '2', '3', '4'],
    labels: Float64Array.from(labels),
    weights: null,
    units: null,
    declared: {},
    production: side(models.production),
    candidate: side(models.candidate),
    slices: [],
  };
}

const values = Object.entries(cases).flatMap(([name, one]) =>
  (['production', 'candidate'] as const).flatMap((side) =>
    Object.entries(one.values[side]).map(([metric, expected]) => ({ name, side, metric, expected })),
  ),
);

describe('metricValue', () => {
  it.each(values)("equals scikit-learn's $metric of $side ($name)", ({ name, side, metric, expected }) => {
    const frame = frameOf(cases[name]!);

    const value = metricValue(metrics[metric]!, frame, frame[side]!);

    expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected));
  });

  it.each([
    ['precision', [0, 0, 1, 1], [0, 0, 0, 0]],
    ['recall', [0, 0, 0, 0], [0, 1, 0, 1]],
    ['f1', [0, 0, 0, 0], [0, 0, 0, 0]],
    ['mcc', [0, 1, 0, 1], [1, 1, 1, 1]],
  ])('%s is undefined, not 0, where it has no denominator', (metric, labels, prediction) => {
    const one = { ...cases.binary!, labels, models: { production: { prediction }, candidate: { prediction } } };
    const frame = frameOf(one);

    expect(metricValue(metrics[metric]!, frame, frame.candidate)).toBeNaN();
  });

  it('finds no metric in what every object inherits', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(metrics[name]).toBeUndefined();
  });
});

describe('measurePaired', () => {
  const intervals = Object.entries(cases).flatMap(([name, one]) =>
    Object.entries(one.intervals ?? {}).map(([metric, expected]) => ({ name, metric, expected })),
  );

  it.each(intervals)('brackets the difference as 3,000 resamples of rows do: $metric ($name)', (one) => {
    const measured = measurePaired(metrics[one.metric]!, frameOf(cases[one.name]!), defaultResampling);

    if (typeof measured === 'string') throw new Error(measured);
    const [low, high] = one.expected as [number, number];
    const width = high - low;
    // Another method (DeLong, Tango) or other draws, on 200 to 300 rows: within a sixth of the width.
    expect(Math.abs(measured.interval![0] - low)).toBeLessThan(width / 6);
    expect(Math.abs(measured.interval![1] - high)).toBeLessThan(width / 6);
    // An area's delta is an exact quotient: its last bit may differ from that of two rounded areas.
    expect(measured.delta).toBeCloseTo(measured.candidate - measured.production, 14);
  });

  it('measures an area as it does alone', () => {
    const frame = frameOf(cases.binary!);
    const auc = metrics.roc_auc!;

    expect(measurePaired(auc, frame, defaultResampling)).toMatchObject({
      production: metricValue(auc, frame, frame.production!),
      candidate: metricValue(auc, frame, frame.candidate),
    });
  });

  /** `positives` of 1,000 rows; both models say the same of each row. */
  function agreeing(positives: number): EvaluationFrame {
    const labels = Array.from({ length: 1000 }, (_, row) => (row < positives ? 1 : 0));
    const score = labels.map((label, row) => (label === 1 ? 0.9 : (row % 89) / 100));
    const side = { score, prediction: score.map((value) => (value > 0.5 ? 1 : 0)) };
    return frameOf({ ...cases.binary!, labels, models: { production: side, candidate: side } });
  }

  it.each([
    // Zero of m rows differ: the score interval is z^2 / (m + z^2), z = 1.959964 (Tango 1998, b = c = 0).
    ['recall', 8, 3.841459 / (8 + 3.841459)],
    ['recall', 500, 3.841459 / (500 + 3.841459)],
    ['mcc', 8, 3.841459 / (8 + 3.841459)],
    ['balanced_accuracy', 8, 3.841459 / (8 + 3.841459)],
  ])('%s of models that agree on %i positives is not known better than so many rows tell', (metric, positives, bound) => {
    const measured = measurePaired(metrics[metric]!, agreeing(positives), defaultResampling);

    if (typeof measured === 'string' || measured.interval === null) throw new Error('not measured');
    expect(measured.delta).toBe(0);
    expect(measured.interval[0]).toBeCloseTo(-bound, 6);
    expect(measured.interval[1]).toBeCloseTo(bound, 6);
  });

  it('gives an area no interval from a handful of one class, where a tie would look like certainty', () => {
    expect(measurePaired(metrics.roc_auc!, agreeing(9), defaultResampling)).toMatchObject({
      interval: null,
      problem: '9 rows of one class; 10 are needed',
    });
    expect(measurePaired(metrics.roc_auc!, agreeing(10), defaultResampling)).toMatchObject({ interval: [0, 0] });
  });

  it('does not take few rows without a difference for a proof', () => {
    const frame = frameOf(cases.binary!);
    const few = { ...frame, rows: 30, production: frame.candidate };

    const measured = measurePaired(metrics.accuracy!, few, defaultResampling);

    // Thirty rows on which two models agree leave room for a difference in every tenth row.
    expect(measured).toMatchObject({ delta: 0, method: 'Tango score' });
    if (typeof measured !== 'string') expect(measured.interval![1]).toBeGreaterThan(0.1);
  });

  it('says that a bound is unknown where many resamples have no value', () => {
    const labels = [...Array(60).keys()].map((row) => (row < 2 ? 1 : 0));
    const prediction = [...Array(60).keys()].map((row) => (row === 1 ? 1 : 0));
    const frame = frameOf({
      ...cases.binary!,
      labels,
      models: { production: { prediction }, candidate: { prediction } },
    });

    expect(measurePaired(metrics.precision!, frame, defaultResampling)).toMatchObject({
      interval: null,
      candidate: 1,
      problem: expect.stringMatching(/^it is undefined in \d+ of 2000 resamples/),
    });
  });

  it.each([
    ['log_loss', 'production', 1.5, 'it needs probabilities, and a score of production is 1.5'],
    ['brier', 'candidate', -0.25, 'it needs probabilities, and a score of the candidate is -0.25'],
  ] as const)('%s refuses what is no probability', (metric, side, score, reason) => {
    const frame = frameOf(cases.binary!);
    frame[side]!.score![7] = score;

    expect(measurePaired(metrics[metric]!, frame, defaultResampling)).toBe(reason);
  });

  it('tells whose metric is undefined', () => {
    const frame = frameOf(cases.binary!);
    frame.candidate.prediction!.fill(0);

    expect(measurePaired(metrics.precision!, frame, defaultResampling)).toBe(
      'it is undefined for the candidate on these 300 rows',
    );
  });

  it('finds no correlation with a constant prediction, whatever rounding leaves of the weights', () => {
    const { candidate, ...frame } = frameOf(cases.multiclass!);
    candidate.prediction!.fill(2);
    const values = [3, 7, 11, 13].map((parts) => {
      const weights = frame.labels.map((_, row) => (1 + (row % 5)) / parts);
      return metricValue(metrics.mcc!, { ...frame, candidate, weights }, candidate);
    });

    expect(values).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });

  it('draws other resamples for another seed, and the same ones for the same', () => {
    const frame = frameOf(cases.regression!);
    const measure = (seed: number) => measurePaired(metrics.mae!, frame, { ...defaultResampling, seed });

    expect(measure(7)).toEqual(measure(7));
    expect(measure(7)).not.toEqual(measure(8));
  });
});

it('metricNames is what the table of metrics says', () => {
  for (const column of ['score', 'prediction'] as const) {
    const named = Object.keys(metrics).filter((name) => metrics[name]?.needs === column);
    expect([...metricNames[column]]).toEqual(named);
  }
});
