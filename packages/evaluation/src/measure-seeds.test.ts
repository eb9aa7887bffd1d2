import { createRandom, tango, tQuantile, variance } from '@passloop/statistics';
import { expect, it } from 'vitest';
import { type EvaluationFrame, type Predictions, predictionsOf, type Seeds } from './frame.ts';
import { defaultResampling, measurePaired, type PairedMeasurement, standardErrorOf } from './measure.ts';
import { measureSeeds, measureSeedsAlone } from './measure-seeds.ts';
import { metricNamed } from './metrics.ts';
import { normalPair, scoredFrame } from './testing/frames.ts';

const resampling = { ...defaultResampling, resamples: 1000 };
const rows = 600;
const scored = scoredFrame({ rows, production: 1.2, candidate: 1.5 });
const one = (frame: EvaluationFrame): Seeds => ({ production: [frame.production!], candidate: [frame.candidate] });

/** The same model but for a noise of its scores. */
function sibling({ score }: Predictions, seed: number, noise = 0.3): Predictions {
  const random = createRandom(seed);
  const value = score!.map((s) => Math.log(s / (1 - s)) + noise * normalPair(random)[0]);
  return predictionsOf({
    score: value.map((v) => 1 / (1 + Math.exp(-v))),
    prediction: value.map((v) => (v > 0 ? 1 : 0)),
  });
}

function measure(name: string, frame: EvaluationFrame, seeds: Seeds, options = resampling): PairedMeasurement {
  const measured = measureSeeds(metricNamed(name, frame.declared)!, frame, seeds, options);
  if (typeof measured === 'string') throw new Error(measured);
  return measured;
}

const units = Uint32Array.from({ length: rows }, (_, row) => Math.floor(row / 6));
const weights = Float64Array.from({ length: rows }, (_, row) => 1 + (row % 3));
const frames: Record<string, EvaluationFrame> = {
  'rows that stand alone': scored,
  'rows with weights': { ...scored, weights },
  'rows of units': { ...scored, units },
  // A query's labels are relevances: a third of its rows have some.
  queries: { ...scored, task: 'ranking', classes: [], units },
};

it.each([
  ['roc_auc', 'rows that stand alone'],
  ['pr_auc', 'rows that stand alone'],
  ['accuracy', 'rows that stand alone'],
  ['f1', 'rows that stand alone'],
  ['log_loss', 'rows with weights'],
  ['roc_auc', 'rows with weights'],
  ['mcc', 'rows of units'],
  ['ndcg_at_3', 'queries'],
])('%s of one model a side has the error of the interval for two models: %s', (name, kind) => {
  const frame = frames[kind]!;
  const paired = measurePaired(metricNamed(name)!, frame, resampling) as PairedMeasurement;
  const measured = measure(name, frame, one(frame));
  expect(measured.delta).toBeCloseTo(paired.delta, 12);
  expect(measured.seeds!.seedError).toBe(0);
  // A percentile interval of 1,000 draws is known to some percent.
  expect(Math.abs(measured.seeds!.rowError / standardErrorOf(paired.interval!, 0.95) - 1)).toBeLessThan(0.1);
});

it('takes apart what rows and what seeds do, as the formula of a mean has it', () => {
  const random = createRandom(9);
  const labels = Float64Array.from({ length: rows }, () => normalPair(random)[0]);
  const shared = labels.map(() => normalPair(random)[0]);
  const side = (spreads: number[]) =>
    spreads.map((spread) =>
      predictionsOf({
        prediction: labels.map((y, row) => y + spread * (0.8 * shared[row]! + 0.6 * normalPair(random)[0])),
      }),
    );
  const seeds = { production: side([1, 1.2, 0.9]), candidate: side([1, 1.15]) };
  const frame = {
    ...scored,
    task: 'regression',
    classes: [],
    labels,
    units: null,
    ...seeds,
    production: seeds.production[0]!,
  };
  const measured = measure('mae', { ...frame, candidate: seeds.candidate[0]! } as EvaluationFrame, seeds);

  const errors = (models: readonly Predictions[]) =>
    models.map(({ prediction }) => prediction!.map((value, row) => Math.abs(value - labels[row]!)));
  const mean = (values: ArrayLike<number>) =>
    Array.from(values).reduce((total, value) => total + value, 0) / values.length;
  const meanOfRows = (columns: Float64Array[]) => labels.map((_, row) => mean(columns.map((column) => column[row]!)));
  const [before, after] = [errors(seeds.production), errors(seeds.candidate)];
  const [meanBefore, meanAfter] = [meanOfRows(before), meanOfRows(after)];
  const ofRows = variance(meanAfter.map((value, row) => value - meanBefore[row]!)) / rows;
  const part = (columns: Float64Array[], center: Float64Array) => {
    // What the rows give the spread: of each model's distance from its side's mean.
    const own = mean(columns.map((column) => variance(column.map((value, row) => value - center[row]!)))) / rows;
    const count = columns.length;
    return (variance(columns.map(mean)) - (own * count) / (count - 1)) / count;
  };
  const ofSeeds = part(before, meanBefore) + part(after, meanAfter);

  expect(measured.production).toBeCloseTo(mean(before.map(mean)), 12);
  expect(measured.seeds!.production.standardDeviation).toBeCloseTo(Math.sqrt(variance(before.map(mean))), 12);
  expect(Math.abs(measured.seeds!.rowError / Math.sqrt(ofRows) - 1)).toBeLessThan(0.07);
  expect(Math.abs(measured.seeds!.seedError / Math.sqrt(ofSeeds) - 1)).toBeLessThan(0.03);
});

it('leaves groups out in turn where a ranking is too long to be walked for every draw', () => {
  const seeds = {
    production: [scored.production!, sibling(scored.production!, 1)],
    candidate: [scored.candidate, sibling(scored.candidate, 2)],
  };
  const walked = measure('pr_auc', scored, seeds);
  const jackknifed = measure('pr_auc', scored, seeds, { ...resampling, resamples: 1_000_000 });
  expect(walked.method).toBe('Student over 2 and 2 seeds; rows: paired bootstrap (rows)');
  expect(jackknifed.method).toBe('Student over 2 and 2 seeds; rows: delete-a-group jackknife (200 buckets)');
  expect(Math.abs(jackknifed.seeds!.rowError / walked.seeds!.rowError - 1)).toBeLessThan(0.2);
});

it('says which seed has no value, and leaves none out of a mean', () => {
  const silent = predictionsOf({ prediction: new Float64Array(rows) });
  const seeds = { production: [scored.production!], candidate: [scored.candidate, silent] };
  const precision = metricNamed('precision')!;
  expect(measureSeeds(precision, scored, seeds, resampling)).toMatch(/undefined for seed 2 of the candidate/);
  expect(measureSeedsAlone(precision, scored, seeds, 'candidate')).toMatch(/undefined for seed 2 of the candidate/);
  expect(measureSeeds(metricNamed('roc_auc')!, scored, seeds, resampling)).toMatch(
    /^seed 2 of the candidate has no score/,
  );
});

it('knows of models that are all right no more than so many rows prove', () => {
  const right = predictionsOf({ prediction: scored.labels });
  const measured = measure('accuracy', scored, { production: [right, right], candidate: [right, right, right] });
  const reach = tango({ rows, candidateOnly: 0, productionOnly: 0 }, { level: 0.95 }).interval[1];
  expect(measured.interval![1]).toBeCloseTo((reach * tQuantile(0.975, rows - 1)) / 1.959963984540054, 9);
  const silent = measure('f1', scored, { production: [right, right], candidate: [right] });
  const positives = scored.labels.reduce((count, label) => count + label, 0);
  const least = tango({ rows: positives, candidateOnly: 0, productionOnly: 0 }, { level: 0.95 }).interval[1];
  expect(silent.seeds!.rowError).toBeCloseTo(least / 1.959963984540054, 9);
});

it('is as sure of many rows as one model a side is, where a class is rare', () => {
  const labels = scored.labels.map((label, row) => (row < 4 ? 2 : label));
  const frame: EvaluationFrame = { ...scored, task: 'multiclass', classes: ['a', 'b', 'c'], labels };
  const paired = measurePaired(metricNamed('f1_weighted')!, frame, resampling) as PairedMeasurement;
  const measured = measure('f1_weighted', frame, one(frame));
  expect(Math.abs(measured.seeds!.rowError / standardErrorOf(paired.interval!, 0.95) - 1)).toBeLessThan(0.1);
});

it('gives no interval where few units, or few rows of a class, tell of others', () => {
  const seeds = { production: [scored.production!], candidate: [scored.candidate, sibling(scored.candidate, 3)] };
  const few = { ...scored, units: units.map((unit) => unit % 20) };
  expect(measure('accuracy', few, seeds)).toMatchObject({ interval: null, problem: '20 units; 30 are needed' });
  const labels = scored.labels.map((_, row) => (row < 5 ? 1 : 0));
  expect(measure('roc_auc', { ...scored, labels }, seeds)).toMatchObject({
    interval: null,
    problem: '5 rows of one class; 10 are needed',
  });
});
