import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentProgress } from '@passloop/core';
import { formatDocument, type PlanDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createPlannedModel } from '../../documents/src/testing/plans.ts';
import { nothingOf } from './check-parts.ts';
import { type ReportArtifacts, reportRun } from './report-run.ts';

const context = { cwd: '/', env: {}, now: () => new Date(0), progress: silentProgress, version: '0.0.0' };
const head = '3'.repeat(40);
const planned = createPlannedModel('a');
const plan: PlanDocument = {
  schema: 'passloop/plan/v1',
  commit: '9'.repeat(40),
  tree: '8'.repeat(40),
  base: null,
  models: [planned],
};

/** A run in which every model's report passes. */
const artifacts: ReportArtifacts = {
  upload: async () => ({}),
  uploadPage: async () => ({ url: null }),
  async download(_name, folder) {
    const model = { ...nothingOf(planned), verdict: 'pass' as const, reasons: ['It is non-inferior to production.'] };
    const report = formatDocument('report', {
      schema: 'passloop/report/v1',
      passloop: '0.0.0',
      repository: null,
      head,
      base: null,
      verdict: 'pass',
      models: [model],
      madeAt: null,
    });
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'report.json'), report);
    return ['report.json'];
  },
};

function reportOf(results: Record<string, string>) {
  return reportRun(context, {
    plan: JSON.stringify(plan),
    needs: JSON.stringify(Object.fromEntries(Object.entries(results).map(([job, result]) => [job, { result }]))),
    head,
    pullRequest: 1,
    isRestricted: true,
    sharePage: false,
    artifacts,
  });
}

it('passes where every job did what it should', async () => {
  const { report } = await reportOf({ plan: 'success', train: 'success', seal: 'success' });
  expect(report.verdict).toBe('pass');
});

it.each([
  ['failure', 'failed or ran out of time'],
  ['cancelled', 'was cancelled'],
])('passes nothing that was sealed though the job that trains ended as %s: somebody else may have handed it over', async (train, said) => {
  const { report } = await reportOf({ plan: 'success', train, seal: 'success' });
  expect(report.verdict).toBe('fail');
  expect(report.models[0]?.reasons[0]).toContain(`The job train ${said}, and a candidate was there all the same`);
});
