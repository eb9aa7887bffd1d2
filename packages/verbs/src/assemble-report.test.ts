import { silentProgress } from '@passloop/core';
import type { ModelReport, PlanDocument, PlannedModel, ReportDocument } from '@passloop/documents';
import { formatDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createPlannedModel } from '../../documents/src/testing/plans.ts';
import { type AssembleRequest, assembleReport } from './assemble-report.ts';
import { nothingOf } from './check-parts.ts';

const context = { cwd: '/', env: {}, now: () => new Date(0), progress: silentProgress, version: '0.0.0' };
const head = '3'.repeat(40);
const base = { ref: 'main', commit: '1'.repeat(40) };

function reported(name: string, edit: (model: ModelReport, report: ReportDocument) => void = () => {}): ReportDocument {
  const model: ModelReport = {
    ...nothingOf(createPlannedModel(name)),
    verdict: 'pass',
    reasons: ['It is non-inferior to production.'],
  };
  const report: ReportDocument = {
    schema: 'passloop/report/v1',
    passloop: '0.0.0',
    repository: 'acme/flights',
    head,
    base,
    verdict: 'pass',
    models: [model],
    madeAt: null,
  };
  edit(model, report);
  return report;
}

async function assembled(models: PlannedModel[], request: Partial<AssembleRequest>): Promise<ReportDocument> {
  const plan: PlanDocument = { schema: 'passloop/plan/v1', commit: '9'.repeat(40), tree: '8'.repeat(40), base, models };
  const given = { plan, head, repository: 'acme/flights', reports: new Map(), missing: new Map(), ...request };
  const report = await assembleReport(context, given);
  expect(formatDocument('report', report)).toContain('passloop/report/v1');
  return report;
}

it('puts the reports of a plan together, in its order, with what nobody had to look at', async () => {
  const reports = new Map([
    ['b', reported('b')],
    ['a', reported('a')],
    ['stranger', reported('stranger')],
  ]);
  const models = [createPlannedModel('a'), createPlannedModel('b'), createPlannedModel('c', { affected: false })];
  const report = await assembled(models, { reports });
  expect(report).toMatchObject({ head, base, verdict: 'pass', repository: 'acme/flights' });
  expect(report.models.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['a', 'pass'],
    ['b', 'pass'],
    ['c', 'pass'],
  ]);
});

it('a model that nobody reported on fails', async () => {
  const report = await assembled([createPlannedModel('a'), createPlannedModel('b')], {
    reports: new Map([['a', reported('a')]]),
  });
  expect(report.verdict).toBe('fail');
  expect(report.models[1]).toMatchObject({ name: 'b', verdict: 'fail', reasons: ['No job reported on it.'] });
});

it('what happened to its jobs counts more than a report that is there all the same', async () => {
  const missing = new Map([['a', 'The job that seals it was cancelled.']]);
  const report = await assembled([createPlannedModel('a')], { reports: new Map([['a', reported('a')]]), missing });
  expect(report.models[0]).toMatchObject({ verdict: 'fail', reasons: ['The job that seals it was cancelled.'] });
});

it.each<[string, (model: ModelReport, report: ReportDocument) => void]>([
  ['another commit', (_model, report) => Object.assign(report, { head: '0'.repeat(40) })],
  ['another base', (_model, report) => Object.assign(report, { base: null })],
  ['another run key', (model) => Object.assign(model, { runKey: null })],
  [
    'another policy',
    (model) => Object.assign(model, { policy: { ...model.policy, digest: `sha256:${'b'.repeat(64)}` } }),
  ],
  ['another model', (model) => Object.assign(model, { name: 'b' })],
  ['two models', (model, report) => report.models.push(model)],
  ['no model', (_model, report) => report.models.splice(0)],
])('a report about %s is none', async (_what, edit) => {
  const report = await assembled([createPlannedModel('a')], { reports: new Map([['a', reported('a', edit)]]) });
  expect(report.verdict).toBe('fail');
  expect(report.models[0]?.reasons[0]).toMatch(/^The report of its job is about (another|other)/);
});

it('a plan of nothing passes nothing', async () => {
  expect((await assembled([], {})).verdict).toBe('fail');
});

it('a plan in which nothing is affected passes', async () => {
  expect((await assembled([createPlannedModel('a', { affected: false })], {})).verdict).toBe('pass');
});
