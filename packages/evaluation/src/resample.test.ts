import { createRandom } from '@passloop/statistics';
import { describe, expect, it } from 'vitest';
import { compareModels } from './compare.ts';
import { type EvaluationFrame, type Predictions, predictionsOf } from './frame.ts';
import { defaultResampling, measurePaired, type PairedMeasurement } from './measure.ts';
import { declaredMetric, metricNamed, metrics } from './metrics.ts';
import { createGate, createRequest, normalPair, scoredFrame } from './testing/frames.ts';

const resampling = { ...defaultResampling, resamples: 300 };

function measure(name: string, frame: EvaluationFrame, options = resampling): PairedMeasurement {
  const measured = measurePaired(metricNamed(name, frame.declared)!, frame, options);
  if (typeof measured === 'string') throw new Error(measured);
  return measured;
}

/** The mean of a query's rows is its own; models differ by a noise of this size. */
function rankedFrame(queries: number, noise: { production: number; candidate: number }, seed = 5): EvaluationFrame {
  const random = createRandom(seed);
  const size = 8;
  const rows = queries * size;
  const labels = Float64Array.from({ length: rows }, (_, row) => (row % size < 2 ? 1 + (row % 2) : 0));
  const side = (scale: number) =>
    predictionsOf({ score: labels.map((label) => label + scale * normalPair(random)[0]) });
  return {
    ...scoredFrame({ rows: 10 }),
    task: 'ranking',
    rows,
    classes: [],
    labels,
    units: Uint32Array.from({ length: rows }, (_, row) => Math.floor(row / size)),
    production: side(noise.production),
    candidate: side(noise.candidate),
    slices: [],
  };
}

function multiclassFrame(noise: { production: number; candidate: number }): EvaluationFrame {
  const random = createRandom(8);
  const rows = 900;
  const labels = Float64Array.from({ length: rows }, (_, row) => row % 3);
  const side = (scale: number): Predictions => {
    const logits = [0, 1, 2].map((code) =>
      labels.map((label) => (label === code ? 2 : 0) + scale * normalPair(random)[0]),
    );
    const total = labels.map((_, row) => logits.reduce((sum, column) => sum + Math.exp(column[row]!), 0));
    const scores = logits.map((column) => column.map((value, row) => Math.exp(value) / total[row]!));
    const prediction = labels.map((_, row) =>
      [0, 1, 2].reduce((best, code) => (scores[code]![row]! > scores[best]![row]! ? code : best), 0),
    );
    return predictionsOf({ scores, prediction });
  };
  return {
    ...scoredFrame({ rows: 10 }),
    task: 'multiclass',
    rows,
    classes: ['a', 'b', 'c'],
    labels,
    production: side(noise.production),
    candidate: side(noise.candidate),
    slices: [],
  };
}

function numberFrame(noise: { production: number; candidate: number }): EvaluationFrame {
  const labels = Float64Array.from({ length: 1000 }, (_, row) => 50 + (row % 37));
  const side = (by: number) => predictionsOf({ prediction: labels.map((y, row) => y + by * ((row % 5) - 2)) });
  return {
    ...scoredFrame({ rows: 10 }),
    task: 'forecast',
    rows: 1000,
    classes: [],
    labels,
    production: side(noise.production),
    candidate: side(noise.candidate),
    slices: [],
  };
}

describe('every metric blocks a model that is far worse, and passes one that is far better', () => {
  const frames: Record<string, (better: boolean) => EvaluationFrame> = {
    binary: (better) => ({
      ...scoredFrame(
        better ? { rows: 1000, production: 0.2, candidate: 2 } : { rows: 1000, production: 2, candidate: 0.2 },
      ),
      declared: {
        recall_at_70: declaredMetric({ kind: 'recall-at-precision', precision: 0.7 })!,
        waste: declaredMetric({ kind: 'cost', costs: { '0': { '1': 1 }, '1': { '0': 5 } } })!,
      },
    }),
    multiclass: (better) => multiclassFrame(better ? { production: 3, candidate: 1 } : { production: 1, candidate: 3 }),
    forecast: (better) => numberFrame(better ? { production: 2, candidate: 0.1 } : { production: 0.1, candidate: 2 }),
    ranking: (better) =>
      rankedFrame(60, better ? { production: 4, candidate: 0.3 } : { production: 0.3, candidate: 4 }),
  };
  const parameters: Record<string, string[]> = {
    binary: ['recall_at_70', 'waste', 'recall_at_precision_70'],
    multiclass: [],
    forecast: ['pinball_90'],
    ranking: ['ndcg_at_3', 'map_at_3', 'mrr_at_3', 'recall_at_3'],
  };
  // Of two scores that are both far from calibrated, neither is far better: its own test is below.
  const cases = Object.keys(frames).flatMap((task) =>
    [...Object.keys(metrics).filter((name) => metrics[name]!.tasks.includes(task as never)), ...parameters[task]!]
      .filter((name) => name !== 'calibration_error')
      .map((name) => [task, name] as const),
  );

  it.each(cases)('%s: %s', (task, name) => {
    for (const better of [false, true]) {
      const frame = frames[task]!(better);
      const { direction } = metricNamed(name, frame.declared)!;
      const gates = [createGate({ metric: name, direction: direction!, margin: 0.001 })];
      const { verdict, metrics } = compareModels(createRequest({ frame, gates, resampling }));
      expect([verdict, metrics[0]!.verdict]).toEqual(better ? ['pass', 'better'] : ['fail', 'worse']);
    }
  });

  it('binary: calibration_error, of a model that is too sure of itself', () => {
    const frame = scoredFrame({ rows: 1500, production: 1, candidate: 1 });
    const sure = { ...frame.production!, score: frame.production!.score!.map((p) => (p > 0.5 ? 0.99 : 0.01)) };
    const gates = [createGate({ metric: 'calibration_error', direction: 'lower', margin: 0.01 })];
    const judge = (changed: Partial<EvaluationFrame>) =>
      compareModels(createRequest({ frame: { ...frame, ...changed }, gates, resampling })).metrics[0]!.verdict;
    expect([judge({ candidate: sure }), judge({ production: sure })]).toEqual(['worse', 'better']);
  });
});

describe('units', () => {
  const frame = scoredFrame({ rows: 400, production: 1, candidate: 1.3 });
  const units = Uint32Array.from({ length: 400 }, (_, row) => row);

  /** Each row three times, as rows of one unit. */
  function tripled(of: EvaluationFrame): EvaluationFrame {
    const each = (values: Float64Array) =>
      Float64Array.from({ length: 3 * values.length }, (_, row) => values[row % 400]!);
    const side = (predictions: Predictions) =>
      predictionsOf({ score: each(predictions.score!), prediction: each(predictions.prediction!) });
    return {
      ...of,
      rows: 1200,
      labels: each(of.labels),
      units: Uint32Array.from({ length: 1200 }, (_, row) => row % 400),
      production: side(of.production!),
      candidate: side(of.candidate),
      slices: [],
    };
  }

  it.each(['f1', 'brier', 'pr_auc', 'roc_auc', 'mcc'])('copies of rows tell nothing more of %s', (name) => {
    const once = measure(name, { ...frame, units });
    const thrice = measure(name, tripled(frame));

    expect(thrice.interval![0]).toBeCloseTo(once.interval![0], 12);
    expect(thrice.interval![1]).toBeCloseTo(once.interval![1], 12);
    expect(thrice.method).toBe('paired bootstrap (percentile, units)');
  });

  it('resampled areas have the interval that DeLong gives', () => {
    const formula = measure('roc_auc', frame);
    const drawn = measure('roc_auc', { ...frame, units });
    const width = formula.interval![1] - formula.interval![0];

    expect([formula.method, drawn.delta]).toEqual(['DeLong', expect.closeTo(formula.delta, 12)]);
    for (const bound of [0, 1] as const)
      expect(Math.abs(drawn.interval![bound] - formula.interval![bound])).toBeLessThan(width / 6);
  });

  it.each(['accuracy', 'f1', 'pr_auc'])('of which there are few tell too little of %s', (name) => {
    const few = { ...frame, units: units.map((unit) => unit % 29) };
    expect(measure(name, few)).toMatchObject({ interval: null, problem: '29 units; 30 are needed' });
  });

  it('without any difference prove only as much as there are units', () => {
    const same = { ...frame, production: frame.candidate, units: units.map((unit) => unit % 50) };
    // Zero of 50 units differ: z^2 / (50 + z^2), z = 1.959964 (Tango 1998, b = c = 0).
    expect(measure('accuracy', same).interval![1]).toBeCloseTo(3.841459 / (50 + 3.841459), 6);
  });
});

describe('weights', () => {
  const frame = scoredFrame({ rows: 600, production: 1, candidate: 1.3 });

  it.each(['accuracy', 'f1', 'log_loss', 'pr_auc', 'roc_auc'])('that are all the same change nothing of %s', (name) => {
    const weighed = measure(name, { ...frame, weights: new Float64Array(600).fill(2.5) });
    const plain = measure(name, frame);

    expect(weighed.delta).toBeCloseTo(plain.delta, 12);
    expect(weighed.method).toBe('paired bootstrap (percentile, rows)');
  });

  it('of 0 leave a row out of the interval, too', () => {
    const random = createRandom(4);
    const weights = Float64Array.from({ length: 600 }, (_, row) => (row < 300 ? 1 : 0));
    const broken = frame.candidate.score!.map((value, row) => (row < 300 ? value : random.uniform()));
    const judge = (score: Float64Array) =>
      measure('pr_auc', { ...frame, weights, candidate: { ...frame.candidate, score } });

    expect(judge(broken)).toEqual(judge(frame.candidate.score!));
  });
});

describe('many rows', () => {
  const frame = scoredFrame({ rows: 6000, production: 1, candidate: 1.1 });

  it('are resampled in buckets, or left out in groups, with one result', () => {
    const drawn = measure('pr_auc', frame);
    // As many resamples as make the walks too long: then groups are left out in turn.
    const grouped = measure('pr_auc', frame, { ...resampling, resamples: 20_000 });
    const width = drawn.interval![1] - drawn.interval![0];

    expect(drawn.method).toBe('paired bootstrap (percentile, 1000 buckets)');
    expect(grouped.method).toBe('delete-a-group jackknife (Student, 200 buckets)');
    for (const bound of [0, 1] as const)
      expect(Math.abs(drawn.interval![bound] - grouped.interval![bound])).toBeLessThan(width / 5);
  });

  it('give the same bits each time', () => {
    for (const name of ['pr_auc', 'ks', 'calibration_error', 'f1_macro'])
      expect(measure(name, frame)).toEqual(measure(name, frame));
  });
});

function fillWhere(values: Float64Array, isWanted: (row: number) => boolean, value: number): void {
  for (let row = 0; row < values.length; row += 1) if (isWanted(row)) values[row] = value;
}

describe('a slice', () => {
  const judge = (change: (frame: EvaluationFrame, small: (row: number) => boolean) => void, metric: string) => {
    const frame = scoredFrame({ rows: 1000 });
    const small = (row: number) => frame.slices[0]!.codes[row] === 2;
    change(frame, small);
    const gates = [createGate({ metric, margin: 0.5, slices: ['hub'] })];
    return compareModels(createRequest({ frame, gates, resampling })).slices.find(
      ({ slice }) => slice.value === 'small',
    );
  };

  it.each(['pr_auc', 'ks', 'roc_auc', 'recall_at_precision_70'])('of one class only is too little for %s', (metric) => {
    const slice = judge(({ labels }, small) => fillWhere(labels, small, 0), metric);
    expect(slice).toMatchObject({ verdict: 'insufficient', gate: 'warn', rows: 100 });
    expect(slice!.reason).toMatch(/undefined|two rows of each class/);
  });

  it('on which the candidate lost what production has fails', () => {
    const slice = judge(({ candidate }, small) => {
      fillWhere(candidate.prediction!, small, 0);
    }, 'precision');
    expect(slice).toMatchObject({ verdict: 'not-comparable', gate: 'fail' });
  });

  it('with a constant score is measured: other rows tell that the model was asked', () => {
    const slice = judge(({ candidate }, small) => {
      fillWhere(candidate.score!, small, 0.5);
    }, 'pr_auc');
    expect(Number(slice!.delta)).toBeLessThan(0);
  });
});

describe('queries', () => {
  it('of which there are few, or few with a relevant row, have no interval', () => {
    expect(measure('ndcg', rankedFrame(29, { production: 1, candidate: 1 }))).toMatchObject({
      interval: null,
      problem: '29 queries with a relevant row; 30 are needed',
    });
    const frame = rankedFrame(40, { production: 1, candidate: 1 });
    const labels = frame.labels.map((label, row) => (row < 15 * 8 ? 0 : label));
    expect(measure('map', { ...frame, labels })).toMatchObject({
      interval: null,
      problem: '25 queries with a relevant row; 30 are needed',
    });
  });

  it('without any relevant row have no value', () => {
    const frame = rankedFrame(40, { production: 1, candidate: 1 });
    const none = { ...frame, labels: new Float64Array(frame.rows) };
    expect(measurePaired(metricNamed('mrr')!, none, resampling)).toBe(
      'it is undefined for production on these 320 rows',
    );
  });

  it('are what is drawn', () => {
    expect(measure('ndcg_at_5', rankedFrame(50, { production: 1, candidate: 0.8 })).method).toBe(
      'paired bootstrap (percentile, queries)',
    );
    expect(measure('mrr', rankedFrame(5001, { production: 1, candidate: 0.8 })).method).toBe(
      'paired bootstrap (percentile, 1000 buckets of queries)',
    );
  });
});

it('a rare class gives no interval of the mean of areas', () => {
  const frame = multiclassFrame({ production: 1, candidate: 1 });
  const labels = frame.labels.map((label, row) => (label === 2 && row > 27 ? 0 : label));
  expect(measure('roc_auc_ovr', { ...frame, labels })).toMatchObject({
    interval: null,
    problem: '9 rows of one class; 10 are needed',
  });
});
