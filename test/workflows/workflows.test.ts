// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub, which no template string fills in
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { ActionFile, parseWorkflow } from './workflow-file.ts';
import { callerViolations, violations } from './workflow-rules.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (...parts: string[]) => readFileSync(path.join(root, ...parts), 'utf8');
const shipped = readdirSync(path.join(root, '.github/workflows')).filter((name) => /^[a-z-]+\.yml$/.test(name));
const internal = readdirSync(path.join(root, '.github/workflows')).filter((name) => name.startsWith('.'));
const templates = readdirSync(path.join(root, 'workflows-templates')).filter((name) => name.endsWith('.yml'));
const actions = new Map(
  readdirSync(path.join(root, 'actions')).map((name) => [
    name,
    ActionFile.parse(load(read('actions', name, 'action.yml'))),
  ]),
);
const workflow = (name: string) => read('.github/workflows', name);
const called = new Map(shipped.map((name) => [name.replace('.yml', ''), parseWorkflow(workflow(name))]));

it('ships six workflows, each with a template', () => {
  const six = ['deploy-chain', 'deploy-check', 'model-check', 'model-promote', 'model-report', 'model-rollback'];
  expect([...called.keys()].sort()).toEqual(six);
  expect(templates.map((name) => name.replace('.yml', '')).sort()).toEqual(six);
});

it.each([...shipped, ...internal])('%s keeps the rules', (name) => {
  expect(violations(parseWorkflow(workflow(name)), actions)).toEqual([]);
});

it.each(shipped)('%s runs no command, and only our actions on a checkout', (name) => {
  const steps = Object.values(parseWorkflow(workflow(name)).jobs).flatMap((job) => job.steps);
  expect(steps.every((step) => step.run === undefined)).toBe(true);
  for (const { uses } of steps) expect(uses).toMatch(/^\$\/actions\/[\w-]+$|^actions\/checkout@/);
});

it.each(templates)('%s passes what is declared and grants what is asked for', (name) => {
  expect(callerViolations(parseWorkflow(read('workflows-templates', name)), called)).toEqual([]);
});

describe('jobs that run code of a change, or a model', () => {
  it.each([
    ['model-check.yml', 'train', { contents: 'read' }],
    ['model-promote.yml', 'train', { contents: 'read' }],
    ['model-promote.yml', 'prove', { contents: 'read', packages: 'read' }],
  ] as const)('%s, %s may write nothing and sees no secret', (name, id, permissions) => {
    const job = parseWorkflow(workflow(name)).jobs[id];
    expect(job?.permissions).toEqual(permissions);
    expect(job?.environment).toBeUndefined();
    expect(JSON.stringify(job)).not.toMatch(/secrets\.|github\.token/);
  });

  it('are not the one that may write to the deploy repository: it takes a proof, or refuses', () => {
    const steps = parseWorkflow(workflow('model-promote.yml')).jobs.promote?.steps ?? [];
    const promotes = steps.filter((step) => step.uses === '$/actions/promote-model');
    expect(promotes.map((step) => step.with.proof)).toEqual([true]);
  });

  it('reports whatever became of the jobs before', () => {
    const { jobs } = parseWorkflow(workflow('model-check.yml'));
    const report = jobs.report;
    expect(report?.if).toBe('${{ always() }}');
    expect(report?.needs.toSorted()).toEqual(
      Object.keys(jobs)
        .filter((id) => id !== 'report')
        .sort(),
    );
    expect(report?.steps.map((step) => step.if)).toEqual([undefined]);
  });

  it('tells of no deployment that its own environment makes, or it would start itself for ever', () => {
    expect(parseWorkflow(workflow('deploy-chain.yml')).jobs.chain?.if).toBe(
      "${{ github.event_name != 'deployment_status' || github.event.deployment.environment != inputs.environment }}",
    );
  });

  it('loses no promotion, no rollback and no push', () => {
    const concurrency = (name: string) => called.get(name)?.concurrency;
    expect(concurrency('model-promote')?.['cancel-in-progress']).toBe(false);
    expect(concurrency('model-promote')?.group).toMatch(/inputs\.model/);
    expect(concurrency('model-rollback')).toMatchObject({ 'cancel-in-progress': false, queue: 'max' });
    expect(concurrency('deploy-chain')).toMatchObject({ 'cancel-in-progress': false, queue: 'max' });
  });
});

describe('a planted violation is caught', () => {
  const check = workflow('model-check.yml');
  it.each([
    ['trust', '# Trust. ', '# ', 'no paragraph on trust at the top'],
    ['top permissions', 'permissions: {}', 'permissions: {contents: read}', 'permissions at the top are not {}'],
    ['reason', 'contents: read # to check out the commit\n', 'contents: read\n', 'plan: no reason for contents: read'],
    ['permissions', / *permissions:\n {6}contents.*\n {6}pull-requests.*\n.*\n/, '', 'report: no permissions'],
    ['timeout', / *timeout-minutes: \$.*\n/, '', 'plan: no timeout'],
    ['input', 'stored: ${{', 'storred: ${{', 'train, step Train: train-candidate has no input storred'],
    [
      'required input',
      / *model: \$\{\{ matrix\.model\.name.*\n/,
      '',
      'train, step Train: train-candidate needs its input model',
    ],
    ['action', '$/actions/plan-check', '$/actions/plan-chek', 'plan, step Plan: no action plan-chek'],
    [
      'third party',
      'actions/checkout@',
      'evil/checkout@',
      'plan, step Check out: evil/checkout is no action of ours or of GitHub',
    ],
    ['pin', /checkout@\w{40}/, 'checkout@v7', 'plan, step Check out: actions/checkout is not pinned to a commit'],
    ['version', / # v7\.0\.1/g, '', 'plan, step Check out: no version behind the pin'],
    [
      'credential',
      'persist-credentials: false',
      'persist-credentials: true',
      'plan, step Check out: the checkout keeps its credential',
    ],
    ['needs', 'needs: [plan, train]', 'needs: [plan, trian]', 'seal: needs no job trian'],
    ['unneeded', 'needs: plan\n', 'needs: []\n', "train: reads plan and doesn't need it"],
    [
      'needs output',
      'needs.plan.outputs.recipient',
      'needs.plan.outputs.recipients',
      'train: plan has no output recipients',
    ],
    ['step', 'steps.plan.outputs.head', 'steps.plann.outputs.head', 'plan: no step plann'],
    ['step output', 'steps.plan.outputs.head', 'steps.plan.outputs.haed', 'plan: plan-check has no output haed'],
    [
      'output',
      'jobs.report.outputs.verdict',
      'jobs.report.outputs.verdit',
      'output verdict: nothing gives ${{ jobs.report.outputs.verdit }}',
    ],
    ['undeclared', '${{ inputs.models }}', '${{ inputs.modles }}', 'input modles is used and not declared'],
    ['unused', '${{ inputs.models }}', 'all', 'input models is declared and not used'],
    ['secret', '${{ inputs.models }}', '${{ secrets.KEY }}', 'secret KEY is used and not declared'],
    ['description', / *description: Only these models.*\n/, '', 'input models: no description or type'],
    [
      'injection',
      'uses: $/actions/post-report',
      'run: echo ${{ github.head_ref }}',
      'report, step Report: an expression inside run',
    ],
  ] as const)('%s', (_, from, to, said) => {
    const planted = check.replace(from, () => to);
    expect(planted).not.toBe(check);
    expect(violations(parseWorkflow(planted), actions)).toContain(said);
  });

  it.each([
    ['concurrency', /concurrency:\n(?: .*\n)+/, '', 'no concurrency'],
    ['a queue that cancels', 'cancel-in-progress: false', 'cancel-in-progress: true', 'a queue that cancels'],
    ['an unused secret', / *app-private-key: .*\n/, '', 'secret PASSLOOP_APP_PRIVATE_KEY is declared and not used'],
  ] as const)('%s', (_, from, to, said) => {
    const planted = workflow('deploy-chain.yml').replace(from, () => to);
    expect(violations(parseWorkflow(planted), actions)).toContain(said);
  });

  it.each([
    ['model-check', 'checks: write', 'checks: read', 'check: grants checks: read, and model-check asks for write'],
    ['model-check', / {6}checks: write.*\n/, '', 'check: grants checks: none, and model-check asks for write'],
    [
      'model-report',
      'actions: read',
      'contents: read',
      'report: grants contents: read, and model-report asks for none',
    ],
    ['model-promote', 'model: ${{', 'modle: ${{', 'promote: model-promote has no input modle'],
    ['model-promote', / {4}secrets: inherit.*\n/, '', 'promote: hands on no secret'],
    ['model-promote', /secrets: inherit.*/, 'secrets: {KEY: x}', 'promote: model-promote has no secret KEY'],
    ['model-rollback', / {6}model: \$.*\n/, '', 'rollback: model-rollback needs its input model'],
    ['deploy-check', /$/, '    secrets: inherit\n', 'check: hands on secrets that nothing reads'],
    ['deploy-check', 'passloop/passloop/', 'else/passloop/', 'check: calls no workflow of ours'],
  ] as const)('%s, as a caller: %s', (name, from, to, said) => {
    const text = read('workflows-templates', `${name}.yml`);
    const planted = text.replace(from, () => to);
    expect(planted).not.toBe(text);
    expect(callerViolations(parseWorkflow(planted), called)).toContain(said);
  });
});
