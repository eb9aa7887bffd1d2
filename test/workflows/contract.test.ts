// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions are what is planted.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { suiteWorkflowNames, suiteWorkflows } from '../../packages/verbs/src/doctor/suite-workflow.ts';
import { unionOfScopes } from '../../scripts/workflow-file.ts';
import { stepInputs, templateCalls } from './calls.ts';
import { explainedTrust, limitedJobs, pinnedActions, plainScripts, reasonedPermissions } from './hygiene.ts';
import { declaredInputs, declaredOutputs, readOutputs } from './references.ts';
import { planted, readSuite, reusableOf, type Suite, templatesOf } from './suite.ts';
import { bareCheckouts, emptyHands, guardedSecrets, ownStepsOnly, unfilteredChecks } from './trust.ts';

/** Every rule holds for the suite as it is, and finds each mistake that is planted in a copy. */

const suite = readSuite();
const check = '.github/workflows/model-check.yml';
const promote = '.github/workflows/model-promote.yml';
const report = '.github/workflows/model-report.yml';
const rollback = '.github/workflows/model-rollback.yml';
const ci = '.github/workflows/.ci.yml';
const promoteTemplate = 'workflows-templates/model-promote.yml';
const checkTemplate = 'workflows-templates/model-check.yml';
const rollbackTemplate = 'workflows-templates/model-rollback.yml';

type Planted = [file: string, from: string | RegExp, to: string, says: RegExp];

function rule(name: string, of: (suite: Suite) => string[], mistakes: Planted[]): void {
  describe(name, () => {
    it('holds', () => {
      expect(of(suite)).toEqual([]);
    });
    it.each(
      mistakes.map(([file, from, to, says]) => ({ file, from, to, says })),
    )('finds in $file: $says', (mistake) => {
      const { file, from, to, says } = mistake;
      expect(of(planted(suite, file, from, to)).join('\n')).toMatch(says);
    });
  });
}

it('looks at six workflows and their templates', () => {
  const names = ['deploy-chain', 'deploy-check', 'model-check', 'model-promote', 'model-report', 'model-rollback'];
  expect(reusableOf(suite).map(({ file }) => file)).toEqual(names.map((name) => `.github/workflows/${name}.yml`));
  expect(templatesOf(suite).map(({ file }) => file)).toEqual(names.map((name) => `workflows-templates/${name}.yml`));
});

rule('steps give actions what they take', stepInputs, [
  [check, 'stored: ${{', 'stores: ${{', /train-candidate has no input stores/],
  [
    check,
    '          model: ${{ matrix.model.name }}\n          plan',
    '          plan',
    /seal-candidate needs the input model/,
  ],
  [check, '$/actions/plan-check', '$/actions/plan-chek', /no action plan-chek/],
  [
    'actions/prove-model/action.yml',
    '  environment:\n    description',
    '  stage:\n    description',
    /prove-model has no input environment/,
  ],
]);

rule('templates call what is there', templateCalls, [
  [promoteTemplate, 'model: ${{ inputs', 'modle: ${{ inputs', /has no input modle/],
  [promoteTemplate, /secrets: inherit.*/, 'secrets: {TOKEN: x}', /has no secret TOKEN[\s\S]*secrets: inherit/],
  [promoteTemplate, /packages: write/, 'packages: read', /packages: read, where the jobs .* ask for write/],
  [promoteTemplate, /contents: read/, 'contents: write', /contents: write, where the jobs .* ask for read/],
  [promoteTemplate, /contents: read/, 'issues: write # to\n      contents: read', /issues: write, .* ask for none/],
  [checkTemplate, 'workflows/model-check.yml@v1', 'workflows/model-report.yml@v1', /doesn't call .*model-check.yml/],
  [checkTemplate, /(?<=model-check\.yml@v1).*/, '\n    secrets: inherit', /takes no secret/],
  [
    check,
    '      models:\n',
    '      seed:\n        type: string\n        required: true\n      models:\n',
    /needs the input seed/,
  ],
]);

rule('outputs that are read are declared', declaredOutputs, [
  [check, 'needs.plan.outputs.recipient', 'needs.plan.outputs.recipients', /plan has no output recipients/],
  [check, 'steps.plan.outputs.head', 'steps.plan.outputs.tip', /plan-check has no output tip/],
  [check, 'steps.plan.outputs.head', 'steps.planned.outputs.head', /no step planned/],
  [promote, 'needs: [plan, image]', 'needs: [image]', /prove reads plan and doesn't wait/],
  [promote, 'needs: [plan, image]', 'needs: [plan, images]', /prove waits for images/],
  [rollback, 'jobs.rollback.outputs.outcome', 'jobs.rollback.outputs.result', /rollback has no output result/],
]);

rule('outputs that are declared are read', readOutputs, [
  [
    check,
    '    outputs:\n      plan:',
    '    outputs:\n      verdict: ${{ steps.plan.outputs.verdict }}\n      plan:',
    /nobody reads the output verdict of plan/,
  ],
]);

rule('inputs and secrets are declared and used', declaredInputs, [
  [
    check,
    'models: ${{ inputs.models }}',
    'models: ${{ inputs.model }}',
    /inputs\.model is not declared[\s\S]*inputs\.models is not used/,
  ],
  [promote, /\$\{\{ secrets\.PASSLOOP_DEPLOY_TOKEN \}\}/, '${{ secrets.TOKEN }}', /secrets\.TOKEN is not declared/],
  [report, /\$\{\{ inputs\.workflow \}\}/, 'x', /inputs\.workflow is not used/],
  [rollbackTemplate, 'to: ${{ inputs.to }}', 'to: x', /inputs\.to is not used/],
  [
    rollback,
    'description: Why, for the hold and the commit.',
    "description: ''",
    /no sentence says what the input reason is/,
  ],
]);

rule('every job says what its permissions are for', reasonedPermissions, [
  [check, /checks: write #.*/, 'checks: write', /report doesn't say what checks: write/],
  [check, 'permissions: {}', 'permissions: {contents: read}', /the file itself grants/],
  [check, 'permissions: {}\n', '', /the file itself grants/],
  [report, / {4}permissions:\n(.*\n){3}/, '', /report says nothing of permissions/],
  [promoteTemplate, /contents: read # .*/, 'contents: read # needed', /doesn't say what contents: read/],
]);

rule('actions are pinned', pinnedActions, [
  [check, /checkout@[0-9a-f]{40} # v[\d.]+/, 'checkout@v7', /not pinned by a commit/],
  [check, /( # v[\d.]+)/, '', /no version stands behind/],
  [ci, /checkout@3/, 'checkout@4', /pinned to another commit/],
  [check, '$/actions/plan-check', './actions/plan-check', /not pinned/],
]);

rule('scripts have no expressions', plainScripts, [
  [ci, 'docker run', 'echo ${{ github.head_ref }}; docker run', /an expression in the script/],
]);

rule('every job has a limit of time', limitedJobs, [
  [check, / {4}timeout-minutes: .*\n/, '', /plan has no limit/],
  [
    check,
    'timeout-minutes: ${{ inputs.train-timeout-minutes }}',
    'timeout-minutes: ${{ inputs.models }}',
    /train has no limit/,
  ],
  [check, 'timeout-minutes: ${{ inputs.timeout-minutes }}', 'timeout-minutes: 4000', /plan has no limit/],
]);

rule('what runs foreign code holds nothing', emptyHands, [
  [
    check,
    /(?<=permissions:\n)(?= {6}contents: read # .*\n {4}strategy)/,
    '      id-token: write # x\n',
    /train runs foreign code with id-token: write/,
  ],
  [promote, 'container: ${{', 'environment: passloop\n    container: ${{', /train runs foreign code in an environment/],
  [
    check,
    'share-rows: ${{ inputs.share-rows }}',
    'share-rows: ${{ secrets.X }}',
    /train runs foreign code with a secret/,
  ],
  [
    check,
    'share-rows: ${{ inputs.share-rows }}',
    'share-rows: ${{ github.token }}',
    /train runs foreign code with a secret/,
  ],
]);

rule('secrets are those of an environment', guardedSecrets, [
  [promote, /environment: \$\{\{ inputs\.environment \}\}\n/, '\n', /plan takes a secret from no environment/],
  [check, 'models: ${{ inputs.models }}', 'models: ${{ secrets.X }}', /plan is given a secret that none/],
  [
    check,
    'timeout-minutes: ${{ inputs.timeout-minutes }}\n',
    'timeout-minutes: 15\n    environment: passloop\n',
    /plan is in an environment for no secret/,
  ],
]);

rule('a checkout leaves nothing behind', bareCheckouts, [
  [check, 'persist-credentials: false', 'persist-credentials: true', /keeps its token/],
  [check, '          persist-credentials: false\n', '', /keeps its token/],
  [
    check,
    'persist-credentials: false',
    'persist-credentials: false\n          ref: ${{ github.head_ref }}',
    /another commit/,
  ],
  [report, '    steps:\n', '    steps:\n      - uses: actions/checkout@x\n', /a checkout in what answers a stranger/],
]);

rule('nothing else runs', ownStepsOnly, [
  [check, '$/actions/plan-check', 'owner/action@0123456789012345678901234567890123456789', /owner\/action/],
  [report, '    steps:\n', '    steps:\n      - run: echo\n', /echo/],
]);

rule('a required check is never filtered', unfilteredChecks, [
  [checkTemplate, '  pull_request:\n', "  pull_request:\n    paths: ['**']\n", /pull_request is filtered/],
  [checkTemplate, '  pull_request:\n', '  pull_request_target:\n', /pull_request_target/],
]);

rule('every workflow opens with a word on trust', explainedTrust, [
  [check, '# Trust. ', '# ', /model-check\.yml: no paragraph on trust/],
  [ci, '# Trust. ', '# ', /\.ci\.yml: no paragraph on trust/],
]);

/** Each permission of each job, and `read` of what it may write, that nobody has taken away to see what breaks: it may be one too many. */
function untriedPermissions(suite: Suite): string[] {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/permissions.md'), 'utf8');
  const tried = new Set(page.split('\n').map((line) => line.split(' | ').slice(0, 3).join(' | ')));
  return reusableOf(suite).flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).flatMap(([id, { permissions }]) =>
      Object.entries(permissions ?? {}).flatMap(([scope, level]) =>
        [`no \`${scope}\``, ...(level === 'write' ? [`\`${scope}: read\``] : [])]
          .map((lacks) => `| ${path.basename(file, '.yml')} | ${id} | ${lacks}`)
          .filter((row) => !tried.has(row)),
      ),
    ),
  );
}

rule('no job has a permission that it would not miss', untriedPermissions, [
  [check, 'checks: write #', 'packages: read #', /model-check \| report \| no `packages`/],
  [
    promote,
    'packages: read # to read a store on ghcr.io, and to pull',
    'packages: write #',
    /prove \| `packages: read`/,
  ],
  [report, 'actions: read #', 'actions: write #', /model-report \| report \| `actions: read`/],
]);

it('reports a check whatever became of the jobs before', () => {
  const jobs = reusableOf(suite).find(({ file }) => file === check)?.workflow.jobs ?? {};
  const others = Object.keys(jobs).filter((id) => id !== 'report');
  expect([jobs.report?.needs].flat().toSorted()).toEqual(others.toSorted());
  expect(jobs.report?.if).toBe('${{ always() }}');
  expect(jobs.report?.steps.map((step) => step.if)).toEqual([undefined]);
});

function jobOf(name: string, id: string) {
  return reusableOf(suite).find(({ file }) => file === `.github/workflows/${name}.yml`)?.workflow.jobs[id];
}

it('lets the job that writes to the deploy repository take a proof, and never make one', () => {
  const steps = jobOf('model-promote', 'promote')?.steps ?? [];
  const promotes = steps.filter((step) => step.uses === '$/actions/promote-model');
  expect(promotes.map((step) => step.with?.proof)).toEqual([true]);
});

/** What each event makes of it is tried in test/runner/deploy-chain.itg.test.ts. */
it('asks every event whether it can move an environment, in the workflow and so for every caller', () => {
  const condition = String(jobOf('deploy-chain', 'chain')?.if);
  // Anything around the braces would be a text, which is always true.
  expect(condition).toMatch(/^\$\{\{.*\}\}$/);
  const starter = templatesOf(suite).find(({ file }) => file === 'workflows-templates/deploy-chain.yml');
  expect(Object.values(starter?.workflow.jobs ?? {}).map((job) => job.if)).toEqual([undefined]);
  const events = Object.keys(starter?.workflow.on ?? {}).filter((event) => condition.includes(`'${event}'`));
  expect(events.toSorted()).toEqual(['deployment_status', 'status']);
});

it('loses no promotion, no rollback and no push', () => {
  const concurrency = (name: string) =>
    reusableOf(suite).find(({ file }) => file === `.github/workflows/${name}.yml`)?.workflow.concurrency;
  expect(concurrency('model-promote')).toMatchObject({
    group: expect.stringContaining('inputs.model'),
    'cancel-in-progress': false,
  });
  for (const name of ['model-rollback', 'deploy-chain'])
    expect(concurrency(name)).toMatchObject({ 'cancel-in-progress': false, queue: 'max' });
});

it.each(
  suiteWorkflowNames,
)('lets the doctor ask callers of %s for what its jobs ask for, and its starter for its events', (name) => {
  const file = reusableOf(suite).find((one) => one.file === `.github/workflows/${name}.yml`);
  const starter = templatesOf(suite).find((one) => one.file === `workflows-templates/${name}.yml`);
  if (file === undefined || starter === undefined) throw new Error(`${name} has no workflow or no starter.`);
  expect(suiteWorkflows[name].permissions).toEqual(unionOfScopes(file.workflow));
  expect(Object.keys(starter.workflow.on)).toEqual(expect.arrayContaining([...suiteWorkflows[name].events]));
});

it('shows a caller in the documentation that keeps the rules of a template', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/workflows.md'), 'utf8');
  const shown = /^```yaml\n(name: model-check\n.*?)^```$/ms.exec(page)?.[1] ?? '';
  expect(templateCalls(new Map([...suite, [checkTemplate, shown.replace('<commit>', 'v1')]]))).toEqual([]);
});
