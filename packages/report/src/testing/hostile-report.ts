import { toDecimal } from '@passloop/core';
import {
  type Curves,
  type Distribution,
  type Plot,
  type ReportDocument,
  rocSteps,
  type SideCurves,
} from '@passloop/documents';
import { createReport, reports } from './reports.ts';

/** What a reader decides by, and what is no text: all else in a report may be a stranger's words. */
const words = new Set([
  'schema',
  'verdict',
  'gate',
  'outcome',
  'kind',
  'direction',
  'severity',
  'scoredBy',
  'cache',
  'part',
  'source',
  'trust',
  'at',
  'madeAt',
  'startedAt',
  'finishedAt',
]);
const number = /^-?\d+(\.\d+)?(e[+-]\d+)?$/;

/** The report with `text` in the place of every string that is neither a number nor a word of the schema. */
export function everyString(report: ReportDocument, text: string): ReportDocument {
  return replaced(report, text, '') as ReportDocument;
}

function replaced(value: unknown, text: string, key: string): unknown {
  if (typeof value === 'string') {
    return words.has(key) || number.test(value) || (key === 'level' && /^[a-z]+$/.test(value)) ? value : text;
  }
  if (Array.isArray(value)) return value.map((one) => replaced(one, text, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, replaced(one, text, name)]));
}

/** Curves of every kind at once, as no model has them. */
export function createCurves(): Curves {
  const side: SideCurves = {
    thresholds: { thresholds: ['0.9', '0.5', '0.1'], truePositives: [40, 70, 100], falsePositives: [5, 60, 300] },
    calibration: [
      { from: '0', to: '0.1', rows: 300, positives: 20, meanScore: '0.06' },
      { from: '0.4', to: '0.5', rows: 100, positives: 50, meanScore: '0.45' },
    ],
    confusion: [
      [280, 20, 0],
      [10, 80, 10],
      [0, 5, 20],
    ],
    oneVsRest: [rocOf(0.5), rocOf(0.25)],
    residuals: {
      counts: [5, 60, 7],
      groups: [
        { from: '0', to: '10', rows: 40, low: '-1.5', median: '0.1', high: '2' },
        { from: '10', to: '20', rows: 40, low: '-2.5', median: '-0.3', high: '2.5' },
      ],
    },
  };
  return {
    classes: ['ant', 'bee', 'others'],
    otherClasses: 12,
    residualEdges: ['-3', '-1', '1', '3'],
    production: side,
    candidate: { ...structuredClone(side), oneVsRest: [rocOf(0.4), rocOf(0.3)] },
  };
}

/** The recall is this power of the false positive rate. */
function rocOf(power: number): string[] {
  return Array.from({ length: rocSteps + 1 }, (_, step) => toDecimal((step / rocSteps) ** power));
}

/** Of each kind one, and one that names no values. */
export function createDistributions(): Distribution[] {
  const missing = { reference: 0, current: 30 };
  const of = { against: 'the profile', isHidden: false, edges: [], values: [], missing };
  return [
    {
      ...of,
      column: 'distance',
      kind: 'tenths',
      edges: ['-0.5', '12.25'],
      reference: [20, 50, 30],
      current: [0, 70, 100],
    },
    {
      ...of,
      column: 'hub',
      kind: 'values',
      values: ['large', 'small'],
      reference: [75, 25, 0],
      current: [20, 60, 120],
    },
    { ...of, column: 'late', kind: 'around', edges: ['5'], reference: [10, 90, 0], current: [0, 100, 100] },
    { ...of, column: 'salary', kind: 'tenths', isHidden: true, reference: [40, 60], current: [10, 90] },
  ];
}

/** A plot of each kind, and one that can't be shown. */
function createPlots(): Plot[] {
  const nothing = { lines: null, bars: null, matrix: null, reason: null };
  const points: [string, string][] = [
    ['0', '0.9'],
    ['1', '0.5'],
    ['2', '0.3'],
  ];
  const series = [
    { name: 'train', points },
    { name: 'test', points },
  ];
  return [
    {
      ...nothing,
      file: 'out/loss.csv',
      title: 'Loss',
      lines: { shape: 'line', x: 'step', y: 'loss', series, rows: 900 },
    },
    { ...nothing, file: 'out/importance.json', title: 'Importance', bars: [{ name: 'distance', value: '-0.3' }] },
    {
      ...nothing,
      file: 'out/cm.csv',
      title: 'Classes',
      matrix: {
        classes: ['a', 'b'],
        counts: [
          [5, 1],
          [2, 8],
        ],
      },
    },
    { ...nothing, file: 'out/picture.png', title: 'Picture', reason: 'it is no CSV' },
  ];
}

/** Plots as a team's own tools leave them: one of marks, one of a surface with a gradient and a link, one that loads. */
export function specPlots(): Plot[] {
  const nothing = { lines: null, bars: null, matrix: null, reason: null };
  const data = {
    values: [
      { depth: 2, loss: 0.9, rev: 'main' },
      { depth: 4, loss: 0.5, rev: 'main' },
      { depth: 2, loss: 0.8, rev: 'workspace' },
      { depth: 4, loss: 0.4, rev: 'workspace' },
    ],
  };
  const x = { field: 'depth', type: 'quantitative' };
  const y = { field: 'loss', type: 'quantitative' };
  const specs = {
    'depth.vl.json': {
      description: 'Loss falls with depth on both branches',
      data,
      mark: { type: 'line', point: true },
      encoding: { x, y, color: { field: 'rev', type: 'nominal' } },
    },
    'area.vl.json': {
      data,
      mark: {
        type: 'area',
        href: 'https://evil.example',
        color: {
          gradient: 'linear',
          stops: [
            { offset: 0, color: 'white' },
            { offset: 1, color: 'darkgreen' },
          ],
        },
      },
      encoding: { x, y },
    },
    'away.vl.json': { data: { url: 'https://evil.example/x.csv' }, mark: 'bar', encoding: { x } },
  };
  return Object.entries(specs).map(([name, spec]) => ({
    ...nothing,
    file: `out/${name}`,
    title: name,
    spec: JSON.stringify(spec),
  }));
}

/** Everything that a report can show, in one. */
export function fullReport(): ReportDocument {
  return createReport((report) => {
    for (const model of report.models) {
      const { environments } = reports['refused by an environment']!().models[0]?.comparison ?? {};
      if (model.comparison !== null) Object.assign(model.comparison, { curves: createCurves(), environments });
      model.plots = createPlots();
      for (const data of model.data) data.distributions = createDistributions();
      model.changes.push(
        { kind: 'code', subject: 'src/features.py', from: 'a', to: 'b' },
        { kind: 'package', subject: 'scikit-learn', from: '1.6.1', to: '1.7.0' },
        { kind: 'seeds', subject: 'framework', from: '7', to: '8' },
      );
      model.missing.push({ part: 'scan', verdict: 'fail', reason: 'It was not scanned.' });
    }
  });
}
