/**
 * How often the gate errs, by simulation: the verdicts on a candidate whose true difference from production is known, in the
 * default configuration, and how often the nominal 95 % interval holds that difference.
 *
 *     node bench/gate-rates.ts [--trials 200] [--rows 200,2000] [--write]    # --write: into docs/gate-rates.md
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { judgePaired } from '../packages/evaluation/src/gate.ts';
import { defaultResampling, measurePaired } from '../packages/evaluation/src/measure.ts';
import { metricNamed } from '../packages/evaluation/src/metrics.ts';
import { createGate } from '../packages/evaluation/src/testing/frames.ts';
import { parameterFor, type Simulated, simulated } from './simulation/models.ts';
import { between, markdownTable, percent } from './simulation/shares.ts';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '200' },
    rows: { type: 'string', default: '200,2000,20000' },
    write: { type: 'boolean', default: false },
  },
});
const trials = Number(values.trials);

/** How much better than production the candidate truly is, in margins. */
const situations: { name: string; better: number }[] = [
  { name: 'better by half the margin', better: 0.5 },
  { name: 'equal', better: 0 },
  { name: 'worse by half the margin', better: -0.5 },
  { name: 'worse by the margin', better: -1 },
  { name: 'worse by twice the margin', better: -2 },
];

type Counts = Record<'better' | 'non-inferior' | 'worse' | 'inconclusive' | 'covered' | 'above' | 'below', number>;

function simulate(model: Simulated, rows: number, better: number): Counts {
  const counts: Counts = { better: 0, 'non-inferior': 0, worse: 0, inconclusive: 0, covered: 0, above: 0, below: 0 };
  const gate = createGate({ metric: model.metric, direction: model.direction, margin: model.margin });
  const candidate = parameterFor(model, better * model.margin);
  const truth = model.truth(candidate) - model.truth(model.parameter);
  for (let trial = 0; trial < trials; trial += 1) {
    // Another seed for each number of rows and situation: what is counted in two rows of the table is not the same data.
    const seed = trial + 1_000_000 * rows + 100_000 * situations.findIndex((one) => one.better === better);
    const frame = model.frame({ rows, seed, production: model.parameter, candidate });
    const measured = measurePaired(metricNamed(model.metric)!, frame, defaultResampling);
    if (typeof measured === 'string') throw new Error(measured);
    const { verdict } = judgePaired({ gate, inconclusive: 'block' }, measured, { rows, counting: rows });
    if (!Object.hasOwn(counts, verdict) || measured.interval === null) throw new Error(`${model.metric}: ${verdict}`);
    counts[verdict as keyof Counts] += 1;
    const [low, high] = measured.interval;
    counts[truth < low ? 'below' : truth > high ? 'above' : 'covered'] += 1;
  }
  return counts;
}

/** The errors that a team asks for, and the intervals of all situations together. */
function shortRow(metric: string, rows: number, counts: ReadonlyMap<number, Counts>): string[] {
  const passed = (better: number) => percent(counts.get(better)!.better + counts.get(better)!['non-inferior'], trials);
  const covered = [...counts.values()].reduce((total, one) => total + one.covered, 0);
  return [
    `\`${metric}\``,
    rows.toLocaleString('en'),
    passed(0),
    percent(counts.get(0)!.worse, trials),
    passed(-1),
    passed(-2),
    percent(covered, counts.size * trials),
  ];
}

const shortHead = [
  'metric',
  'rows',
  'equal: passes',
  'equal: blocked',
  'worse by the margin: passes',
  'by twice the margin: passes',
  'interval holds the truth',
];
const short: string[][] = [];
const sections = simulated.map((model) => {
  const body = values.rows.split(',').flatMap((text) => {
    const counts = new Map(situations.map(({ better }) => [better, simulate(model, Number(text), better)]));
    short.push(shortRow(model.metric, Number(text), counts));
    return situations.map(({ name, better }) => {
      const found = counts.get(better)!;
      const row = [
        Number(text).toLocaleString('en'),
        name,
        ...[found.better, found['non-inferior'], found.inconclusive, found.worse, found.covered].map((count) =>
          percent(count, trials),
        ),
      ];
      console.log(`${model.metric}: ${row.join(' | ')}`);
      return row;
    });
  });
  const title = `### \`${model.metric}\`, ${model.truth(model.parameter).toFixed(3)} in production, margin ${model.margin}`;
  return `${title}\n\n${markdownTable(['rows', 'the candidate is', 'better', 'non-inferior', 'inconclusive', 'worse', 'interval holds the truth'], body)}`;
});

if (values.write) {
  const file = path.join(import.meta.dirname, '../docs/gate-rates.md');
  const intro = `${trials.toLocaleString('en')} simulated holdouts a line; percent ± one standard error of the simulation. \`node bench/gate-rates.ts --trials ${trials} --write\` makes these tables anew.`;
  writeFileSync(
    file,
    between(readFileSync(file, 'utf8'), 'rates', [intro, markdownTable(shortHead, short), ...sections].join('\n\n')),
  );
}
