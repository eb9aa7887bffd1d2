import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type ModelReport, type PlanDocument, parseDocument, type ReportDocument } from '@passloop/documents';
import { type Annotation, githubClient } from '@passloop/github';
import { type CreatedRepository, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ruleAnnotations } from './rule-annotations.ts';

const fixtures = new URL('../../documents/fixtures/v1/', import.meta.url);
const plan: PlanDocument = parseDocument('plan', readFileSync(new URL('plan.json', fixtures), 'utf8'), 'fixture');
const modelFile = `version: 1
models:
  - name: flight-delay
    task: binary
    columns: {key: [id], label: late, score: score}
    data:
      train:
        path: data/train.parquet
        checks:
          - {kind: unique, columns: [id]}
          - {kind: not-null, column: distance}
    gates:
      - {metric: log_loss, direction: lower, margin: 0.002}
      - {metric: roc_auc, direction: higher, margin: 0.005, slices: [carrier]}
`;

let folder: TemporaryFolder;
let github: LocalGithub;
let repository: CreatedRepository;
beforeAll(async () => {
  folder = await temporaryFolder('rule-annotations');
  github = await startLocalGithub({ root: path.join(folder.path, 'github') });
  repository = await github.createRepository({ owner: 'acme', name: 'flights', private: true });
});
afterAll(async () => {
  await github?.close();
  await folder?.[Symbol.asyncDispose]();
});

/** A commit of the repository with this as its model file. */
async function commitOf(text: string): Promise<string> {
  const git = async (...args: string[]): Promise<string> => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
    const argv: [string, ...string[]] = ['git', ...identity, '--work-tree', folder.path, ...args];
    const { exitCode, stdout, stderr } = await runProcess({
      argv,
      cwd: repository.directory,
      env: { PATH: process.env.PATH ?? '' },
    });
    if (exitCode !== 0) throw new Error(stderr.toString('utf8'));
    return stdout.toString('utf8').trim();
  };
  await using written = await temporaryFolder('model-file', folder.path);
  const file = path.join(written.path, 'passloop.yaml');
  await writeFile(file, text);
  const blob = await git('hash-object', '-w', file);
  await git('update-index', '--add', '--cacheinfo', `100644,${blob},passloop.yaml`);
  return await git('commit-tree', await git('write-tree'), '-m', 'A model file');
}

async function annotationsOf(
  text: string,
  change: (model: ModelReport) => void = () => {},
  contents: 'read' | 'none' = 'read',
): Promise<{ found: Annotation[]; lacking: string[] }> {
  const report = parseDocument('report', readFileSync(new URL('report.json', fixtures), 'utf8'), 'fixture');
  for (const model of report.models) change(model);
  const about: ReportDocument = { ...report, head: await commitOf(text) };
  const permissions = { checks: 'write', ...(contents === 'none' ? {} : { contents }) } as const;
  const token = await github.jobToken({ repository: 'acme/flights', event: 'pull_request', permissions });
  const client = githubClient({ repository: 'acme/flights', token, baseUrl: github.restUrl, sleep: async () => {} });
  const lacking: string[] = [];
  return { found: await ruleAnnotations(client, about, plan, lacking), lacking };
}

function gate(model: ModelReport, verdict: 'fail' | 'warn'): void {
  const [metric] = model.comparison!.metrics;
  Object.assign(metric!, { gate: verdict, verdict: verdict === 'fail' ? 'worse' : 'inconclusive' });
}

it('shows each rule that does not hold on the line of the model file that declares it', async () => {
  const { found, lacking } = await annotationsOf(modelFile, (model) => gate(model, 'fail'));

  expect(lacking).toEqual([]);
  expect(found).toEqual([
    {
      path: 'passloop.yaml',
      startLine: 11,
      endLine: 11,
      level: 'failure',
      title: 'flight-delay: train',
      message: expect.stringMatching(/ rows of distance of train are null/),
    },
    {
      path: 'passloop.yaml',
      startLine: 14,
      endLine: 14,
      level: 'failure',
      title: 'flight-delay: gate',
      message: expect.stringMatching(/^ROC AUC (rose|fell) by /),
    },
  ]);
});

it('puts what blocks before what warns: of many a check run shows the first', async () => {
  const { found } = await annotationsOf(modelFile, (model) => {
    gate(model, 'fail');
    for (const { checks } of model.data) for (const check of checks) check.verdict = 'warn';
  });
  expect(found.map(({ level }) => level)).toEqual(['failure', 'warning']);
});

it('warns of what only warns, and says nothing of what passes', async () => {
  const { found } = await annotationsOf(modelFile, (model) => {
    gate(model, 'warn');
    for (const { checks } of model.data) for (const check of checks) check.verdict = 'pass';
  });
  expect(found.map(({ startLine, level }) => [startLine, level])).toEqual([[14, 'warning']]);
});

it("warns on the line of an environment's gate that would refuse the promotion there", async () => {
  const targets = '[{kind: kustomize, file: k.yaml, image: m}]';
  const text = `${modelFile}    deploy:
      repository: acme/deploy
      environments:
        - {name: staging, targets: ${targets}}
        - name: prod
          gates:
            - {metric: roc_auc, direction: higher, min: 0.8}
          targets: ${targets}
`;
  const { found } = await annotationsOf(text, ({ comparison, data }) => {
    for (const report of data) report.checks = [];
    const [metric] = comparison!.metrics;
    const refused = { ...metric!, min: '0.8', verdict: 'outside' as const, gate: 'fail' as const };
    const prod = { name: 'prod', after: 'staging', own: ['roc_auc'], verdict: 'fail' as const, reason: null };
    comparison!.environments = [{ ...prod, metrics: [refused], slices: [] }];
  });

  expect(found).toMatchObject([
    { startLine: 21, level: 'warning', title: 'flight-delay: gate of prod', message: expect.stringContaining('≥ 0.8') },
  ]);
});

it.each([
  ['that is no YAML', 'models: ['],
  ['without the rules', `${modelFile.slice(0, modelFile.indexOf('checks:'))}checks: []\n    gates: []\n`],
  ['of another model', modelFile.replace('flight-delay', 'flight-price')],
  ['that is a bomb', `a: &a [x,x]\n${Array.from({ length: 40 }, (_, i) => `b${i}: &b${i} [*a,*a,*a]\n`).join('')}`],
])('leaves the rules of a model file %s without a line', async (_what, text) => {
  expect(await annotationsOf(text, (model) => gate(model, 'fail'))).toEqual({ found: [], lacking: [] });
});

it('names the permission that reads the lines', async () => {
  const { found, lacking } = await annotationsOf(modelFile, () => {}, 'none');
  expect(found).toEqual([]);
  expect(lacking).toEqual([expect.stringContaining('`contents: read` is missing')]);
});

it("shows a stranger's words as text", async () => {
  const attack = '\n::error::x\r##[add-mask]y \u202Egpj\u001b[2J';
  const { found } = await annotationsOf(modelFile, (model) => {
    for (const { checks } of model.data)
      for (const check of checks) Object.assign(check, { observed: attack, reason: attack.repeat(9000) });
  });
  expect(found).toHaveLength(1);
  for (const { message } of found) {
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(message.length).toBeLessThan(4000);
  }
});
