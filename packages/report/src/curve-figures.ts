import { count, fromDecimal, measured } from '@passloop/core';
import type { CalibrationBin, Curves, SideCurves, ThresholdCurve } from '@passloop/documents';
import { type Axis, type Lines, lineDrawing, type Point, type Series } from './charts/lines.ts';
import { confusionFigure } from './confusion-figure.ts';
import { type Figure, figure, gallery, type Numbers } from './figure.ts';
import { oneVsRestFigures } from './one-vs-rest-figures.ts';

export type Sides = { name: 'production' | 'candidate'; look: number; curves: SideCurves }[];

/** Of each curve of both models: a picture, and the numbers of it as a table. */
export async function curveFigures(curves: Curves): Promise<string> {
  const sides: Sides = [
    ...(curves.production === null ? [] : [{ name: 'production' as const, look: 0, curves: curves.production }]),
    { name: 'candidate', look: 1, curves: curves.candidate },
  ];
  const charts = await Promise.all([
    rocFigure(sides),
    ...oneVsRestFigures(sides, curves),
    precisionRecallFigure(sides),
    calibrationFigure(sides),
    residualFigure(sides),
    residualCountFigure(sides, curves.residualEdges.map(fromDecimal)),
  ]);
  const drawn = sides.map(({ name, curves: { confusion } }) =>
    confusion === null
      ? ''
      : confusionFigure(`Confusion matrix: ${name}`, curves.classes, curves.otherClasses, confusion),
  );
  const matrices = await Promise.all(drawn);
  const note = curves.weightsIgnored
    ? '<p class="note">The curves count rows; the metrics above count their weights.</p>'
    : '';
  return [note, ...[charts, matrices].map(gallery)].join('\n');
}

/** Lines and the sentence that says what they show, from one place. */
export function lineFigure(title: string, lines: Lines, numbers: Numbers, note?: string): Promise<string> {
  const made: Figure = { title, description: lines.description, drawing: lineDrawing(lines), numbers };
  return figure(note === undefined ? made : { ...made, note });
}

export const share = (label: string): Axis => ({ label, from: 0, to: 1 });
export const shown = (value: number | null, digits = 3) => (value === null ? '–' : value.toFixed(digits));
const levels = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Of a hostile document the lists may have other lengths, and counts beyond the last. */
type Rates = { falsePositiveRate: number; recall: number; precision: number };

function ratesOf(curve: ThresholdCurve | null): Rates[] {
  const length = Math.min(curve?.truePositives.length ?? 0, curve?.falsePositives.length ?? 0);
  const positives = curve?.truePositives[length - 1] ?? 0;
  const negatives = curve?.falsePositives[length - 1] ?? 0;
  if (curve === null || positives === 0 || negatives === 0) return [];
  return Array.from({ length }, (_, i) => {
    const tp = Math.min(curve.truePositives[i] ?? 0, positives);
    const fp = Math.min(curve.falsePositives[i] ?? 0, negatives);
    return { falsePositiveRate: fp / negatives, recall: tp / positives, precision: tp + fp === 0 ? 1 : tp / (tp + fp) };
  });
}

function drawn(sides: Sides, shape: Series['shape'], points: (rates: Rates[]) => Point[]): Series[] {
  return sides.flatMap(({ name, look, curves }) => {
    const rates = ratesOf(curves.thresholds);
    return rates.length === 0 ? [] : [{ name, look, shape, points: points(rates) }];
  });
}

function rocFigure(sides: Sides): Promise<string> {
  const recallWithin = (rates: Rates[], level: number) =>
    highest(rates.filter((one) => one.falsePositiveRate <= level).map((one) => one.recall));
  const series = drawn(sides, 'line', (rates) => [
    [0, 0],
    ...rates.map((one): Point => [one.falsePositiveRate, one.recall]),
  ]);
  const table = byLevel(sides, 'false positive rate up to', 'recall', recallWithin);
  return lineFigure(
    'ROC',
    {
      description: described(
        'ROC curve',
        sides,
        (rates) => `finds ${shown(recallWithin(rates, 0.1))} of the positives at a false positive rate of 0.1`,
      ),
      x: share('false positive rate'),
      y: share('recall (true positive rate)'),
      series,
      reference: [
        [0, 0],
        [1, 1],
      ],
    },
    table,
  );
}

function precisionRecallFigure(sides: Sides): Promise<string> {
  const precisionFrom = (rates: Rates[], level: number) =>
    highest(rates.filter((one) => one.recall >= level).map((one) => one.precision));
  const base = ratesOf(sides.at(-1)?.curves.thresholds ?? null).at(-1)?.precision;
  const series = drawn(sides, 'line', (rates) => rates.map((one): Point => [one.recall, one.precision]));
  return lineFigure(
    'Precision and recall',
    {
      description: described(
        'Precision by recall',
        sides,
        (rates) => `has a precision of ${shown(precisionFrom(rates, 0.5))} at a recall of 0.5`,
      ),
      x: share('recall'),
      y: share('precision'),
      series,
      reference:
        base === undefined
          ? undefined
          : [
              [0, base],
              [1, base],
            ],
    },
    byLevel(sides, 'recall of at least', 'precision', precisionFrom),
  );
}

function byLevel(
  sides: Sides,
  head: string,
  what: string,
  value: (rates: Rates[], level: number) => number | null,
): Numbers {
  return {
    head: [head, ...sides.map(({ name }) => `${what}, ${name}`)],
    rows: levels.map((level) => [
      String(level),
      ...sides.map(({ curves }) => shown(value(ratesOf(curves.thresholds), level))),
    ]),
  };
}

function described(title: string, sides: Sides, say: (rates: Rates[]) => string): string {
  const said = sides.flatMap(({ name, curves }) => {
    const rates = ratesOf(curves.thresholds);
    return rates.length === 0 ? [] : [`${name === 'candidate' ? 'the candidate' : name} ${say(rates)}`];
  });
  return `${title}: ${said.join('; ')}.`;
}

function highest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.max(left, right));
}

function calibrationFigure(sides: Sides): Promise<string> {
  const found = sides.flatMap(({ name, look, curves: { calibration } }) =>
    calibration === null || calibration.length === 0 ? [] : [{ name, look, bins: calibration }],
  );
  const observed = ({ positives, rows }: CalibrationBin) => (rows === 0 ? 0 : Math.min(1, positives / rows));
  const gap = (bins: CalibrationBin[]) => {
    const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
    const off = bins.reduce((sum, bin) => sum + bin.rows * Math.abs(observed(bin) - fromDecimal(bin.meanScore)), 0);
    return rows === 0 ? 0 : off / rows;
  };
  const said = found.map(
    ({ name, bins }) => `${name === 'candidate' ? 'the candidate' : name} is off by ${shown(gap(bins))} on average`,
  );
  return lineFigure(
    'Calibration',
    {
      description: `Share of positives by score: ${said.join('; ')}.`,
      x: share('mean score of a tenth of the range'),
      y: share('share of positives'),
      series: found.map(({ name, look, bins }) => ({
        name,
        look,
        shape: 'dotted-line' as const,
        points: bins.map((bin): Point => [fromDecimal(bin.meanScore), observed(bin)]),
      })),
      reference: [
        [0, 0],
        [1, 1],
      ],
    },
    {
      head: ['model, score', 'rows', 'mean score', 'share of positives'],
      rows: found.flatMap(({ name, bins }) =>
        bins.map((bin) => [
          `${name}, ${measured(bin.from, 1)} … ${measured(bin.to, 1)}`,
          count(bin.rows),
          measured(bin.meanScore, 3),
          shown(observed(bin)),
        ]),
      ),
    },
    'The diagonal is a model whose scores are right. Ranges with fewer than ten rows are left out.',
  );
}

function residualFigure(sides: Sides): Promise<string> {
  const found = sides.flatMap(({ name, look, curves: { residuals } }) =>
    residuals === null || residuals.groups.length === 0 ? [] : [{ name, look, groups: residuals.groups }],
  );
  const middle = (group: { from: string; to: string }) => fromDecimal(group.from) / 2 + fromDecimal(group.to) / 2;
  const series = found.map(
    ({ name, look, groups }): Series => ({
      name,
      look,
      shape: 'dotted-line',
      points: groups.map((group) => [middle(group), fromDecimal(group.median)]),
      band: groups.map((group) => [middle(group), fromDecimal(group.low), fromDecimal(group.high)]),
    }),
  );
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  return lineFigure(
    'Residuals by prediction',
    {
      description: `Median of label − prediction by prediction, with the range of the middle 80 % of rows, of ${found.map(({ name }) => name).join(' and ')}.`,
      x: { label: 'prediction' },
      y: { label: 'label − prediction' },
      series,
      reference: [
        [Math.min(...xs), 0],
        [Math.max(...xs), 0],
      ],
    },
    {
      head: ['model, prediction', 'rows', '10 %', 'median', '90 %'],
      rows: found.flatMap(({ name, groups }) =>
        groups.map((group) => [
          `${name}, ${measured(group.from, 3)} … ${measured(group.to, 3)}`,
          count(group.rows),
          measured(group.low, 3),
          measured(group.median, 3),
          measured(group.high, 3),
        ]),
      ),
    },
    'The line is the median, the area holds the middle 80 % of rows.',
  );
}

function residualCountFigure(sides: Sides, edges: readonly number[]): Promise<string> {
  const found = sides.flatMap(({ name, look, curves: { residuals } }) =>
    residuals === null || edges.length < 2 ? [] : [{ name, look, counts: residuals.counts.slice(0, edges.length - 1) }],
  );
  return lineFigure(
    'Residuals',
    {
      description: `Rows by label − prediction, of ${found.map(({ name }) => name).join(' and ')}.`,
      x: { label: 'label − prediction' },
      y: { label: 'rows', from: 0 },
      series: found.map(({ name, look, counts }) => ({
        name,
        look,
        shape: 'steps' as const,
        points: [...counts.map((rows, i): Point => [edges[i] ?? 0, rows]), [edges[counts.length] ?? 0, 0]],
      })),
    },
    {
      head: ['label − prediction', ...found.map(({ name }) => `rows, ${name}`)],
      rows: edges
        .slice(0, -1)
        .map((edge, i) => [
          `${i === 0 ? 'up to' : `${signed(edge)} …`} ${i === edges.length - 2 ? '' : signed(edges[i + 1] ?? 0)}`.trim(),
          ...found.map(({ counts }) => count(counts[i] ?? 0)),
        ]),
    },
  );
}

function signed(value: number): string {
  return String(Number(value.toPrecision(4))).replaceAll('-', '−');
}
