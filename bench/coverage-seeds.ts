/**
 * How often the 95 % interval over several training seeds a side holds the true difference of two trainings, by simulation, and
 * how often that of one model a side would, were it read as a claim about trainings.
 *
 *     node bench/coverage-seeds.ts [--trials 200] [--rows 200,2000] [--resamples 2000] [--metrics roc_auc,accuracy,mae] [--changes much] [--write]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '@passloop/statistics';
import { type EvaluationFrame, type Predictions, predictionsOf } from '../packages/evaluation/src/frame.ts';
import { defaultResampling, measurePaired } from '../packages/evaluation/src/measure.ts';
import { measureSeeds } from '../packages/evaluation/src/measure-seeds.ts';
import { metricNamed } from '../packages/evaluation/src/metrics.ts';
import { normalPair, scoredFrame } from '../packages/evaluation/src/testing/frames.ts';
import { parameterFor, simulated } from './simulation/models.ts';
import { between, markdownTable, percent } from './simulation/shares.ts';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '200' },
    rows: { type: 'string', default: '200,2000' },
    resamples: { type: 'string', default: String(defaultResampling.resamples) },
    metrics: { type: 'string', default: 'roc_auc,accuracy' },
    changes: { type: 'string', default: 'nothing,a little,much' },
    write: { type: 'boolean', default: false },
  },
});
const trials = Number(values.trials);
const resampling = { ...defaultResampling, resamples: Number(values.resamples) };
const sides = [
  [2, 2],
  [3, 3],
  [5, 5],
  [10, 10],
  [2, 10],
  [1, 5],
] as const;

/** How far a seed moves a training: the standard deviation of its parameter, as a share of it. */
const lucks = [
  { name: 'nothing', share: 0 },
  { name: 'a little', share: 0.02 },
  { name: 'much', share: 0.1 },
];

type Model = (typeof simulated)[number];

/** The mean of the metric over seeds, which is the truth of a training: by very many of them. */
function meanOf(model: Model, deviation: number): number {
  if (deviation === 0) return model.truth(model.parameter);
  const random = createRandom(1);
  let total = 0;
  const draws = 400_000;
  for (let draw = 0; draw < draws / 2; draw += 1) {
    const [first] = normalPair(random);
    // Both signs: the odd moments cancel.
    total += model.truth(model.parameter + deviation * first) + model.truth(model.parameter - deviation * first);
  }
  return total / draws;
}

/** One row's noise is shared by all models (0.6), by those of a side (0.2), and each model's own (0.2). */
function frameOf(
  model: Model,
  rows: number,
  parameters: readonly (readonly number[])[],
  seed: number,
): EvaluationFrame {
  const random = createRandom(seed);
  const isBinary = model.metric !== 'mae';
  const labels = Float64Array.from({ length: rows }, () =>
    isBinary ? Number(random.uniform() < 0.3) : 10 + 2 * normalPair(random)[0],
  );
  function noise(): Float64Array {
    const values = new Float64Array(rows);
    for (let row = 0; row < rows; row += 2) values.set(normalPair(random).slice(0, rows - row), row);
    return values;
  }
  const shared = noise();
  const [production, candidate] = parameters.map((side) => {
    const ofSide = noise();
    return side.map((parameter): Predictions => {
      const own = noise();
      const error = (row: number) =>
        Math.sqrt(0.6) * shared[row]! + Math.sqrt(0.2) * ofSide[row]! + Math.sqrt(0.2) * own[row]!;
      if (!isBinary) return predictionsOf({ prediction: labels.map((label, row) => label + parameter * error(row)) });
      const score = labels.map((label, row) => parameter * (label - 0.5) + error(row));
      return predictionsOf({ score, prediction: score.map((value) => (value > 0 ? 1 : 0)) });
    });
  }) as [Predictions[], Predictions[]];
  return {
    ...scoredFrame({ rows: 2 }),
    task: isBinary ? 'binary' : 'regression',
    classes: isBinary ? ['0', '1'] : [],
    rows,
    labels,
    production: production[0]!,
    candidate: candidate[0]!,
    seeds: { production, candidate },
    slices: [],
  };
}

function holdsNothing(found: ReturnType<typeof measurePaired>): boolean {
  if (typeof found === 'string' || found.interval === null) throw new Error(String(found));
  return found.interval[0] <= 0 && found.interval[1] >= 0;
}

const head = [
  'metric',
  'rows',
  'a seed changes',
  ...sides.map(([before, after]) => `${before} and ${after}`),
  'one model a side',
];
const body: string[][] = [];
for (const model of simulated.filter(({ metric }) => values.metrics.split(',').includes(metric))) {
  const metric = metricNamed(model.metric)!;
  for (const rows of values.rows.split(',').map(Number)) {
    for (const [luck, { name, share }] of lucks.entries()) {
      if (!values.changes.split(',').includes(name)) continue;
      const deviation = share * model.parameter;
      const sign = model.direction === 'higher' ? 1 : -1;
      // A fixed model that is as good as the training is on average.
      const fixed = parameterFor(model, sign * (meanOf(model, deviation) - model.truth(model.parameter)));
      let alone = 0;
      const held = sides.map(([before, after], at) => {
        let count = 0;
        for (let trial = 0; trial < trials; trial += 1) {
          const seed = trial + 10_000 * (at + 10 * luck) + rows;
          const luckOf = createRandom(seed + 1_000_000_000);
          const draw = (seeds: number) =>
            seeds === 1
              ? [fixed]
              : Array.from({ length: seeds }, () => model.parameter + deviation * normalPair(luckOf)[0]);
          const frame = frameOf(model, rows, [draw(before), draw(after)], seed);
          if (holdsNothing(measureSeeds(metric, frame, frame.seeds!, resampling))) count += 1;
          if (at === 0 && holdsNothing(measurePaired(metric, frame, resampling))) alone += 1;
        }
        return percent(count, trials);
      });
      const row = [`\`${model.metric}\``, rows.toLocaleString('en'), name, ...held, percent(alone, trials)];
      console.log(row.join(' | '));
      body.push(row);
    }
  }
}

const isWhole = lucks.every(({ name }) => values.changes.split(',').includes(name));
if (values.write && isWhole) {
  const file = path.join(import.meta.dirname, '../docs/gate-rates.md');
  const intro = `${trials.toLocaleString('en')} simulated pairs of equally good trainings a cell; percent ± one standard error of the simulation. "Much" moves a model's parameter by a standard deviation of a tenth, "a little" by a fiftieth. \`node bench/coverage-seeds.ts --trials ${trials} --rows ${values.rows} --resamples ${values.resamples} --write\` makes this table anew.`;
  writeFileSync(file, between(readFileSync(file, 'utf8'), 'seeds', [intro, markdownTable(head, body)].join('\n\n')));
}
