import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { silentProgress, temporaryFolder } from '@passloop/core';
import type { ReportDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { check } from './check.ts';

const run = promisify(execFile);
const rows = 'id,late\n1,0\n2,1\n';
const checks = '[{kind: row-count, min: 1}]';
const deploy =
  '    deploy: {repository: acme/deploy, environments: [{name: prod, targets: [{kind: kustomize, file: k.yaml, image: m}]}]}\n';

/** A check of a repository whose only model has data, and what is added. */
async function reportOf(model: { checks: string; more: string }): Promise<ReportDocument> {
  await using folder = await temporaryFolder('check');
  const digest = `sha256:${createHash('sha256').update(rows).digest('hex')}`;
  const lock = { version: 1, datasets: [{ uri: 'rows.csv', version: null, digest, bytes: rows.length, rows: 2 }] };
  const files = {
    'passloop.yaml': `version: 1
models:
  - name: toy
    task: binary
    columns: {key: [id], label: late, score: score}
    data: {rows: {path: rows.csv, checks: ${model.checks}}}
${model.more}`,
    'passloop.lock': JSON.stringify(lock),
    'rows.csv': rows,
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(folder.path, name), content);
  }
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    ['commit', '-q', '-m', 'A model'],
  ])
    await run('git', ['-C', folder.path, ...identity, ...args]);
  const env = { PATH: process.env.PATH, HOME: folder.path };
  const context = { cwd: folder.path, env, now: () => new Date(0), progress: silentProgress, version: '0.0.0' };
  return (await check(context, {})).report;
}

it('data alone can pass where nothing is deployed', async () => {
  expect((await reportOf({ checks, more: '' })).verdict).toBe('pass');
});

it('no declared check is a failure: nothing was validated', async () => {
  const report = await reportOf({ checks: '[]', more: '' });
  expect(report.verdict).toBe('fail');
  expect(report.models[0]?.reasons[0]).toMatch(/^No dataset of it declares a check/);
});

it('a gate that never ran is no pass', async () => {
  const gates = '    gates: [{metric: roc_auc, direction: higher, margin: 0.005}]\n';
  expect((await reportOf({ checks, more: gates })).verdict).toBe('fail');
});

it('a model that is deployed and held against nothing fails', async () => {
  const report = await reportOf({ checks, more: deploy });
  expect(report.verdict).toBe('fail');
  expect(report.models[0]?.reasons).toContain('comparison was not run: the model file has no `train` section.');
});
