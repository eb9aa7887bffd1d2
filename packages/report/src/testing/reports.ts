import { readFileSync } from 'node:fs';
import { worstVerdict } from '@passloop/core';
import {
  type ComparedMetric,
  type ComparedSlice,
  type ModelReport,
  parseDocument,
  type ReportDocument,
} from '@passloop/documents';
import { judgeModel } from '../judge.ts';

const fixture = new URL('../../../documents/fixtures/v1/report.json', import.meta.url);

/** The frozen report, changed, judged again. */
export function createReport(change: (report: ReportDocument) => void = () => {}): ReportDocument {
  const report = parseDocument('report', readFileSync(fixture, 'utf8'), 'fixture');
  change(report);
  const models = report.models.map((model) => judgeModel(model));
  return { ...report, models, verdict: worstVerdict(models.map((one) => one.verdict)) };
}

/** Everything in it passes. */
export function clean(report: ReportDocument): void {
  for (const model of report.models) {
    model.policy.differences = [];
    model.missing = [];
    for (const data of model.data) {
      data.verdict = 'pass';
      for (const check of data.checks)
        Object.assign(check, { verdict: 'pass', failingRows: 0, observed: '0 of 180000 rows are NULL' });
      for (const drift of data.drift) Object.assign(drift, { verdict: 'pass', statistic: '0.012' });
    }
    if (model.scan) Object.assign(model.scan, { verdict: 'pass', files: [] });
  }
}

/** A report of one model in which everything passes, changed. */
function createModelReport(change: (model: ModelReport) => void = () => {}): ReportDocument {
  return createReport((report) => {
    clean(report);
    for (const model of report.models) change(model);
  });
}

const base: ComparedMetric = {
  name: 'roc_auc',
  direction: 'higher',
  production: '0.750812345678',
  candidate: '0.753112345678',
  delta: '0.0023',
  interval: ['-0.00120345678901', '0.00580345678901'],
  level: '0.95',
  method: 'DeLong',
  margin: '0.005',
  min: null,
  max: null,
  severity: 'error',
  verdict: 'non-inferior',
  gate: 'pass',
  rowsNeeded: null,
  reason: null,
};

export function createMetric(overrides: Partial<ComparedMetric> = {}): ComparedMetric {
  return { ...base, ...overrides };
}

export function createSlice(value: string, overrides: Partial<ComparedMetric> = {}, column = 'carrier'): ComparedSlice {
  return { ...createMetric(overrides), slice: { column, value }, rows: 12_000 };
}

const bounded = { delta: null, interval: null, level: null, method: null, margin: null };
const latency = createMetric({
  name: 'latency_p95_ms',
  direction: 'lower',
  production: null,
  candidate: '21.7',
  ...bounded,
  max: '40',
  verdict: 'within',
});
const size = createMetric({
  name: 'image_bytes',
  direction: 'lower',
  production: null,
  candidate: '381234567',
  ...bounded,
  max: '400000000',
  verdict: 'within',
});
const logLoss = createMetric({
  name: 'log_loss',
  direction: 'lower',
  production: '0.4312',
  candidate: '0.4306',
  delta: '-0.0006',
  interval: ['-0.0021', '0.0009'],
  method: 'paired bootstrap (percentile, 1000 buckets)',
  margin: '0.002',
});
const worseSlice = createSlice('HA', {
  production: '0.7421',
  candidate: '0.7112',
  delta: '-0.0309',
  interval: ['-0.0468', '-0.0151'],
  verdict: 'worse',
  gate: 'fail',
});

function compared(model: ModelReport, change: Partial<NonNullable<ModelReport['comparison']>>): void {
  Object.assign(model.comparison ?? {}, change);
  model.outcome = model.comparison?.outcome ?? null;
}

/** What people can meet, by name. */
export const reports: Record<string, () => ReportDocument> = {
  blocked: () =>
    createModelReport((model) => {
      for (const drift of model.data[0]?.drift ?? []) Object.assign(drift, { verdict: 'warn', statistic: '0.12' });
      model.changes.push(
        { kind: 'code', subject: 'src/features.py', from: `sha256:${'1'.repeat(64)}`, to: `sha256:${'2'.repeat(64)}` },
        { kind: 'package', subject: 'scikit-learn', from: '1.6.1', to: '1.7.0' },
      );
      compared(model, {
        metrics: [createMetric(), logLoss, latency, size],
        slices: [
          createSlice('AA'),
          worseSlice,
          createSlice('UA', {
            interval: ['-0.012', '0.02'],
            verdict: 'inconclusive',
            gate: 'warn',
            rowsNeeded: 31_200,
          }),
        ],
        verdict: 'fail',
      });
    }),
  'worse everywhere': () =>
    createModelReport((model) => {
      const worse = {
        candidate: '0.7135',
        delta: '-0.034',
        interval: ['-0.0379', '-0.0301'] as [string, string],
        verdict: 'worse' as const,
        gate: 'fail' as const,
      };
      compared(model, {
        metrics: [createMetric({ ...worse, min: '0.65' }), logLoss, latency],
        slices: Array.from({ length: 20 }, (_, index) => createSlice(`carrier ${index}`, worse)),
        verdict: 'fail',
      });
    }),
  'broken data': () =>
    createReport((report) => {
      clean(report);
      for (const model of report.models) {
        const [data] = model.data;
        Object.assign(data ?? {}, { verdict: 'fail' });
        Object.assign(data?.checks[0] ?? {}, { verdict: 'fail', failingRows: 2114, observed: '2114 nulls' });
        const parts = { run: null, image: null, scan: null, probe: null, comparison: null, outcome: null };
        Object.assign(model, parts);
        model.missing.push({
          part: 'run',
          verdict: 'skipped',
          reason: 'run was not run: the data failed, so nothing was trained on it.',
        });
      }
    }),
  'loosens its policy': () =>
    createModelReport((model) =>
      model.policy.differences.push({ path: 'gates.roc_auc.margin', from: '0.005', to: '0.05', loosens: true }),
    ),
  passing: () =>
    createModelReport((model) =>
      compared(model, {
        metrics: [
          createMetric({ delta: '0.0123', candidate: '0.7631', interval: ['0.0101', '0.0145'], verdict: 'better' }),
          logLoss,
          latency,
        ],
        slices: [createSlice('AA'), createSlice('UA')],
      }),
    ),
  unpaired: () =>
    createModelReport((model) => {
      const method = 'unpaired: two numbers, no interval';
      compared(model, {
        metrics: [createMetric({ interval: null, level: null, method, verdict: 'within' })],
        slices: [],
      });
    }),
  inconclusive: () =>
    createModelReport((model) =>
      compared(model, {
        metrics: [
          createMetric({ interval: ['-0.012', '0.0166'], verdict: 'inconclusive', gate: 'warn', rowsNeeded: 92_000 }),
        ],
        slices: [],
        verdict: 'warn',
      }),
    ),
  first: () =>
    createModelReport((model) => {
      model.production = null;
      compared(model, {
        outcome: 'first',
        production: null,
        metrics: [
          createMetric({
            ...bounded,
            margin: '0.005',
            production: null,
            min: '0.65',
            verdict: 'within',
            reason: 'there is no baseline',
          }),
          latency,
        ],
        slices: [],
      });
    }),
  'refused by an environment': () =>
    createModelReport((model) => {
      const environment = { after: null, own: [], verdict: 'pass' as const, reason: null, slices: [] };
      const tighter = { margin: '0.001', verdict: 'inconclusive' as const, gate: 'inconclusive' as const };
      compared(model, {
        metrics: [createMetric(), logLoss, latency],
        slices: [],
        environments: [
          { ...environment, name: 'staging', metrics: [createMetric(), logLoss, latency] },
          {
            ...environment,
            name: 'prod',
            after: 'staging',
            own: ['accuracy', 'roc_auc'],
            verdict: 'fail',
            metrics: [
              logLoss,
              latency,
              createMetric({
                ...bounded,
                name: 'accuracy',
                production: '0.8201',
                candidate: '0.7934',
                delta: '-0.0267',
                min: '0.8',
                verdict: 'outside',
                gate: 'fail',
              }),
              createMetric({ ...tighter, rowsNeeded: 41_000 }),
            ],
          },
          { ...environment, name: 'embedded', after: 'prod', metrics: [createMetric(), logLoss, latency] },
        ],
      });
    }),
  unchanged: () =>
    createModelReport((model) => {
      model.changes = [];
      compared(model, { outcome: 'unchanged', metrics: [], slices: [], rows: 0, resamples: 0 });
    }),
  'same model': () =>
    createModelReport((model) =>
      compared(model, {
        outcome: 'same-model',
        rows: 0,
        resamples: 0,
        metrics: [
          createMetric({
            ...bounded,
            production: null,
            candidate: null,
            margin: '0.005',
            verdict: 'not-comparable',
            gate: 'skipped',
            reason: 'the model is the one in production',
          }),
          latency,
        ],
        slices: [],
      }),
    ),
  held: () =>
    createModelReport((model) => {
      model.image = null;
      model.probe = null;
      compared(model, {
        outcome: 'held',
        verdict: 'fail',
        reason: `Model sha256:${'7'.repeat(12)}… is held in production. \`passloop status\` tells by whom and why.`,
        metrics: [],
        slices: [],
        rows: 0,
        resamples: 0,
      });
    }),
  rollback: () =>
    createModelReport((model) =>
      compared(model, {
        outcome: 'rollback',
        metrics: [createMetric({ ...worseSlice }), logLoss],
        slices: [],
      }),
    ),
  'not comparable': () =>
    createModelReport((model) => {
      const reason =
        'The predictions of production have other rows than data/test.parquet: 3 rows are missing (id: 17, 21, 40). Score every row once.';
      const missing = {
        ...bounded,
        production: null,
        candidate: null,
        verdict: 'not-comparable' as const,
        gate: 'fail' as const,
        reason,
      };
      compared(model, {
        outcome: 'not-comparable',
        verdict: 'fail',
        reason,
        rows: 0,
        resamples: 0,
        metrics: [
          createMetric({ ...missing, margin: '0.005' }),
          createMetric({ ...missing, name: 'log_loss', margin: '0.002' }),
        ],
        slices: [],
      });
    }),
  'nothing affected': () => createModelReport((model) => Object.assign(model, { affected: false })),
  'not planned': () => createReport((report) => Object.assign(report, { models: [] })),
  'several models': () =>
    createReport((report) => {
      clean(report);
      const parts = ['blocked', 'passing', 'inconclusive', 'nothing affected'].map(
        (name) => reports[name]?.().models[0],
      );
      const names = ['flight-delay', 'flight-price', 'churn', 'no-show'];
      report.models = parts.flatMap((part, index) =>
        part === undefined ? [] : [{ ...part, name: names[index] ?? part.name }],
      );
    }),
  'no engine': () =>
    createModelReport((model) => {
      Object.assign(model, { image: null, scan: null, probe: null });
      model.missing.push({
        part: 'image',
        verdict: 'fail',
        reason:
          'No Docker engine answers at unix:///var/run/docker.sock. Install one (on Debian: apt-get install docker.io) and start it. The image was neither built nor proven.',
      });
      compared(model, {
        candidate: { digest: `sha256:${'7'.repeat(64)}`, scoredBy: 'stage' },
        production: { digest: `sha256:${'4'.repeat(64)}`, scoredBy: 'stage' },
        metrics: [createMetric(), logLoss],
        slices: [],
      });
    }),
};
