import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type LoadedModel, parseModelFile } from '@passloop/model';
import { expect, it } from 'vitest';
import type { DatasetFact, Facts, PackageFact, RepositorySettings } from './facts.ts';
import { diagnose } from './judge.ts';
import { readWorkflow } from './workflow-file.ts';

const sha = '3d3c42e5aac5ba805825da76410c181273ba90b1';
const found = <T>(value: T) => ({ state: 'found' as const, value });
const refused = { state: 'refused', permission: 'administration: read', said: 'Resource not accessible' } as const;
const absent = { state: 'absent', said: 'Not Found' } as const;
const plan = {
  state: 'plan',
  said: 'Upgrade to GitHub Pro or make this repository public to enable this feature.',
} as const;

const modelText = `version: 1
models:
  - name: delay
    task: binary
    columns: {key: [id], label: late}
    data:
      train: {path: data/train.csv, profile: profiles/train.json}
    store: {oci: ghcr.io/acme/delay-runs}
    package: {model: m.joblib, requirements: r.lock, signature: s.json, base: 'x@sha256:${'0'.repeat(64)}', repository: ghcr.io/acme/delay}
    deploy:
      repository: acme/deploy
      environments:
        - {name: staging, targets: [{kind: kustomize, file: a.yaml, image: ghcr.io/acme/delay}]}
        - {name: prod, targets: [{kind: kustomize, file: b.yaml, image: ghcr.io/acme/delay}]}
`;
const [model] = parseModelFile(modelText, 'passloop.yaml') as [LoadedModel];

type Parts = { on?: string; permissions?: string; ref?: string; name?: string; more?: string };
const usual: Record<string, { on: string; permissions: string; name: string; more?: string }> = {
  'model-check': {
    name: 'Check models',
    on: '{pull_request: , merge_group: }',
    permissions: '{checks: write, contents: read, packages: write, pull-requests: write}',
  },
  'model-report': {
    name: 'Report',
    on: '{workflow_run: {workflows: [Check models], types: [completed]}}',
    permissions: '{actions: read, checks: write, pull-requests: write}',
  },
  'model-promote': {
    name: 'Promote',
    on: '{push: {branches: [main]}, workflow_dispatch: }',
    permissions: '{contents: read, packages: write}',
    more: `    with: {app-client-id: Iv23abc}\n    secrets: {app-private-key: "\${{ secrets.DEPLOY_KEY }}"}\n`,
  },
  'model-rollback': { name: 'Rollback', on: 'workflow_dispatch', permissions: '{contents: read, packages: read}' },
  'deploy-check': { name: 'Check', on: 'pull_request', permissions: '{contents: read, packages: read}' },
  'deploy-chain': { name: 'Chain', on: '[push, schedule]', permissions: '{contents: read}' },
};

function workflow(name: string, parts: Parts = {}) {
  const {
    on,
    permissions,
    name: title,
    more = '',
    ref = sha,
  } = { ...(usual[name] as object), ...parts } as Required<Parts>;
  const text = `name: ${title}
on: ${on}
permissions: {}
jobs:
  call:
    uses: acme/passloop/.github/workflows/${name}.yml@${ref}
${permissions === '' ? '' : `    permissions: ${permissions}\n`}${more}`;
  return readWorkflow(`.github/workflows/${name}.yml`, text);
}

const modelWorkflows = ['model-check', 'model-report', 'model-promote', 'model-rollback'];
const workflows = (changed: Record<string, Parts> = {}) => modelWorkflows.map((name) => workflow(name, changed[name]));

const dataset: DatasetFact = {
  model,
  name: 'train',
  uri: 'data/train.csv',
  remote: false,
  lock: { state: 'fresh' },
  data: { readable: true, bytes: 10 },
  profile: { state: 'valid' },
};
const store: PackageFact = {
  purpose: 'store',
  repository: 'ghcr.io/acme/delay-runs',
  host: 'ghcr.io',
  access: { state: 'answered', read: 'granted', write: 'granted', asked: 'token', said: '' },
  hasCredentials: true,
  listing: found({ visibility: 'private', repository: 'acme/flights' }),
  scopes: null,
};
const settings: RepositorySettings = {
  name: 'acme/flights',
  repository: found({ defaultBranch: 'main', isPrivate: false, ownerKind: 'Organization' }),
  defaultPermissions: found({ level: 'read', mayApprove: false }),
  forkApproval: found({ policy: 'all_external_contributors' }),
  rules: found({ checks: [{ context: 'passloop', appId: 15368 }], mergeQueue: true }),
  protection: found({ checks: [] }),
};
const installation = {
  slug: 'acme-deployer',
  selection: 'selected',
  permissions: { metadata: 'read', contents: 'write', pull_requests: 'write', actions: 'write' } as Record<
    string,
    string
  >,
};
const facts: Facts = {
  role: 'model',
  name: 'acme/flights',
  commit: sha,
  forge: { server: 'https://github.com', kind: 'cloud', elsewhere: null },
  modelFile: { state: 'valid', models: [model] },
  datasets: [dataset],
  packages: [store],
  workflows: workflows(),
  owners: { file: '.github/CODEOWNERS', text: '# who\n/.github/ @acme/ml\n/.passloop/overrides @acme/ml # ours\n' },
  settings,
  environment: {
    name: 'passloop',
    secretName: 'DEPLOY_KEY',
    environment: found({ branches: 'named' }),
    patterns: found(['main']),
    secrets: found(['DEPLOY_KEY']),
  },
  deploys: [
    {
      repository: 'acme/deploy',
      isChain: true,
      health: {},
      settings: found({ defaultBranch: 'main', isPrivate: true }),
      workflows: found([workflow('deploy-check'), workflow('deploy-chain')]),
      app: { state: 'named', clientId: 'Iv23abc', installation: found(installation) },
      git: null,
    },
  ],
  machine: { engine: { state: 'answers', version: '28.0.1', builder: 'buildkit' }, runner: { state: 'none' } },
};

const deploy = facts.deploys[0] as Facts['deploys'][number];
const withDeploy = (changed: Partial<typeof deploy>) => ({ deploys: [{ ...deploy, ...changed }] });
const withApp = (changed: Partial<typeof installation>) =>
  withDeploy({ app: { state: 'named', clientId: 'Iv23abc', installation: found({ ...installation, ...changed }) } });
const withStore = (changed: Partial<PackageFact>) => ({ packages: [{ ...store, ...changed }] });
const withDataset = (changed: Partial<DatasetFact>) => ({ datasets: [{ ...dataset, ...changed }] });
const withSettings = (changed: Partial<RepositorySettings>) => ({ settings: { ...settings, ...changed } });
const withEnvironment = (changed: Partial<NonNullable<Facts['environment']>>) => ({
  environment: { ...(facts.environment as NonNullable<Facts['environment']>), ...changed },
});
const access = (read: 'granted' | 'denied', write: 'granted' | 'denied' | 'unknown') =>
  ({ state: 'answered', read, write, asked: 'token', said: '403 DENIED' }) as const;
const withModel = (text: string): Partial<Facts> => ({
  modelFile: { state: 'valid', models: parseModelFile(text, 'passloop.yaml') },
});

type Case = [id: string, verdict: 'warn' | 'fail' | 'unknown', said: RegExp, fix: RegExp, changed: Partial<Facts>];

const cases: Case[] = [
  [
    'deploy-repository',
    'fail',
    /git can't read it/,
    /credentials/,
    withDeploy({ git: { state: 'failed', said: "git can't read it.", hint: 'Check its credentials.' } }),
  ],
  ['model-file', 'fail', /No passloop\.yaml/, /^passloop init/, { modelFile: { state: 'absent' } }],
  [
    'model-file',
    'fail',
    /passloop\.yaml:3: oops/,
    /Did you mean/,
    { modelFile: { state: 'wrong', message: 'passloop.yaml:3: oops', hint: 'Did you mean `x`?' } },
  ],
  ['lock', 'fail', /no entry for data\/train\.csv/, /^passloop data lock/, withDataset({ lock: { state: 'absent' } })],
  [
    'lock',
    'fail',
    /is not what/,
    /If the change is meant: passloop data lock/,
    withDataset({ lock: { state: 'stale', said: 'data is not what passloop.lock says' } }),
  ],
  [
    'lock',
    'fail',
    /not JSON/,
    /passloop data lock/,
    withDataset({ lock: { state: 'wrong', said: 'passloop.lock is not JSON' } }),
  ],
  [
    'data',
    'fail',
    /LFS pointer/,
    /git lfs pull/,
    withDataset({ data: { readable: false, said: 'x is a Git LFS pointer', hint: 'Fetch it with `git lfs pull`' } }),
  ],
  [
    'profile',
    'fail',
    /not in this commit/,
    /passloop data profile && git add -- profiles\/train\.json/,
    withDataset({
      profile: { state: 'missing', file: 'profiles/train.json', said: 'profiles/train.json is not in this commit.' },
    }),
  ],
  [
    'store-place',
    'fail',
    /passloop\.yaml:8: the store of delay is the folder \.passloop\/store/,
    /store: \{oci: ghcr\.io\/acme\/delay-runs\}/,
    withModel(modelText.replace('{oci: ghcr.io/acme/delay-runs}', '{directory: .passloop/store}')),
  ],
  [
    'store-place',
    'warn',
    /good on one machine/,
    /store: \{oci/,
    {
      ...withModel(modelText.replace('{oci: ghcr.io/acme/delay-runs}', '{directory: .passloop/store}')),
      workflows: [],
    },
  ],
  [
    'store-access',
    'fail',
    /can't be reached/,
    /docker login ghcr\.io/,
    withStore({ access: { state: 'unanswered', said: 'ENOTFOUND' } }),
  ],
  [
    'store-access',
    'fail',
    /doesn't let these credentials read/,
    /packages: read/,
    withStore({ access: access('denied', 'denied') }),
  ],
  ['store-access', 'warn', /may not write it/, /packages: write/, withStore({ access: access('granted', 'denied') })],
  [
    'store-access',
    'unknown',
    /tells only those who try/,
    /write:packages/,
    withStore({ access: access('granted', 'unknown') }),
  ],
  [
    'store-private',
    'fail',
    /is public: everybody/,
    /Package settings/,
    withStore({ listing: found({ visibility: 'public', repository: null }) }),
  ],
  [
    'store-private',
    'unknown',
    /may not see the package/,
    /`packages: read`/,
    withStore({ listing: { ...refused, permission: 'packages: read' } }),
  ],
  [
    'workflow',
    'fail',
    /No workflow of acme\/flights calls model-promote\.yml/,
    /passloop init --workflows/,
    { workflows: workflows().filter((file) => !file.file.includes('promote')) },
  ],
  [
    'workflow',
    'fail',
    /push doesn't start it/,
    /on:\n {2}push:/,
    { workflows: workflows({ 'model-promote': { on: 'workflow_dispatch' } }) },
  ],
  [
    'workflow',
    'fail',
    /filters pull requests by `paths`/,
    /Remove `paths`/,
    { workflows: workflows({ 'model-check': { on: '{pull_request: {paths: [src/**]}, merge_group: }' } }) },
  ],
  [
    'workflow',
    'fail',
    /waits for "CI"; the one that checks is named "Check models"/,
    /workflows: \["Check models"\]/,
    { workflows: workflows({ 'model-report': { on: '{workflow_run: {workflows: [CI]}}' } }) },
  ],
  [
    'workflow',
    'fail',
    /pushes to master; the default branch is main/,
    /branches: \[main\]/,
    { workflows: workflows({ 'model-promote': { on: '{push: {branches: [master]}, workflow_dispatch: }' } }) },
  ],
  [
    'workflow',
    'fail',
    /merge queue, and merge_group doesn't start/,
    /merge_group:/,
    { workflows: workflows({ 'model-check': { on: 'pull_request' } }) },
  ],
  [
    'workflow',
    'fail',
    /called twice, the second time at .*model-check\.yml:5: .* can be hidden/,
    /Call it once/,
    { workflows: [...workflows(), workflow('model-check', { name: 'Check others' })] },
  ],
  [
    'workflow',
    'warn',
    /not valid YAML/,
    /GitHub ignores it/,
    { workflows: [...workflows(), readWorkflow('.github/workflows/x.yml', 'a: [')] },
  ],
  [
    'workflow-pin',
    'warn',
    /at v1, which can be moved/,
    /gh api repos\/acme\/passloop\/commits\/v1/,
    { workflows: workflows({ 'model-check': { ref: 'v1' } }) },
  ],
  [
    'workflow-version',
    'warn',
    /2 different refs/,
    /same commit/,
    { workflows: workflows({ 'model-check': { ref: 'a'.repeat(40) } }) },
  ],
  [
    'workflow-permissions',
    'fail',
    /`packages: write` is missing/,
    /permissions:\n {2}contents: read\n {2}packages: write/,
    { workflows: workflows({ 'model-promote': { permissions: '{contents: read, packages: read}' } }) },
  ],
  [
    'workflow-permissions',
    'fail',
    /are missing/,
    /pull-requests: write/,
    { workflows: workflows({ 'model-check': { permissions: '' } }) },
  ],
  [
    'workflow-permissions',
    'warn',
    /more than .* asks for: `id-token: write`/,
    /permissions:/,
    {
      workflows: workflows({ 'model-rollback': { permissions: '{contents: read, packages: read, id-token: write}' } }),
    },
  ],
  [
    'workflow-permissions',
    'warn',
    /`write-all`/,
    /permissions:/,
    { workflows: workflows({ 'model-check': { permissions: 'write-all' } }) },
  ],
  [
    'workflow-permissions',
    'unknown',
    /the repository's default decides/,
    /permissions:/,
    {
      workflows: [
        ...workflows(),
        readWorkflow(
          '.github/workflows/b.yml',
          `on: workflow_dispatch\njobs: {a: {uses: acme/passloop/.github/workflows/model-rollback.yml@${sha}}}`,
        ),
      ],
    },
  ],
  ['owners', 'warn', /There is no CODEOWNERS/, /\.passloop\/overrides\//, { owners: null }],
  [
    'owners',
    'warn',
    /gives no owner to \.passloop\/overrides\//,
    /\/\.passloop\/overrides\/ @OWNERS$/,
    { owners: { file: 'CODEOWNERS', text: '* @acme/all\n/.passloop/overrides/\n' } },
  ],
  [
    'engine',
    'fail',
    /No Docker engine answers/,
    /DOCKER_HOST/,
    { machine: { ...facts.machine, engine: { state: 'silent', said: 'No Docker engine answers: x', hint: null } } },
  ],
  [
    'engine',
    'warn',
    /without BuildKit/,
    /buildx/,
    { machine: { ...facts.machine, engine: { state: 'answers', version: '20', builder: 'classic' } } },
  ],
  [
    'forge',
    'warn',
    /GitHub Enterprise Server/,
    /second ref/,
    { forge: { server: 'https://git.acme.example', kind: 'server', elsewhere: null } },
  ],
  [
    'runner',
    'fail',
    /The runner is 2\.335\.9/,
    /2\.336\.0 or later/,
    { machine: { ...facts.machine, runner: { state: 'own', version: '2.335.9' } } },
  ],
  [
    'runner',
    'unknown',
    /whose version isn't known/,
    /--version/,
    { machine: { ...facts.machine, runner: { state: 'own', version: null } } },
  ],
  [
    'repository',
    'unknown',
    /`origin` is on git\.acme\.example, so github\.com was not asked/,
    /GITHUB_API_URL=/,
    { settings: null, forge: { server: 'https://github.com', kind: 'cloud', elsewhere: 'on git.acme.example' } },
  ],
  ['repository', 'unknown', /no remote on a forge/, /git remote add/, { settings: null }],
  [
    'repository',
    'unknown',
    /there is no token/,
    /GITHUB_TOKEN=/,
    withSettings({ repository: { state: 'unanswered', said: 'there is no token' } }),
  ],
  ['repository', 'fail', /shows no acme\/flights/, /git remote set-url/, withSettings({ repository: absent })],
  [
    'required-check',
    'fail',
    /doesn't require the check passloop/,
    /settings\/rules/,
    withSettings({ rules: found({ checks: [], mergeQueue: false }) }),
  ],
  [
    'required-check',
    'warn',
    /whoever reports it/,
    /GitHub Actions/,
    withSettings({ rules: found({ checks: [{ context: 'passloop', appId: null }], mergeQueue: false }) }),
  ],
  [
    'required-check',
    'warn',
    /by another app/,
    /GitHub Actions/,
    withSettings({ rules: absent, protection: found({ checks: [{ context: 'passloop', appId: 7 }] }) }),
  ],
  ['required-check', 'warn', /plan of this account/, /Make the repository public/, withSettings({ rules: plan })],
  [
    'fork-approval',
    'warn',
    /Only first time contributors wait/,
    /settings\/actions/,
    withSettings({ forkApproval: found({ policy: 'first_time_contributors' }) }),
  ],
  ['fork-approval', 'unknown', /may not see/, /`administration: read`/, withSettings({ forkApproval: refused })],
  [
    'default-permissions',
    'warn',
    /may write everything/,
    /settings\/actions/,
    withSettings({ defaultPermissions: found({ level: 'write', mayApprove: false }) }),
  ],
  [
    'default-permissions',
    'unknown',
    /may not see/,
    /`administration: read`/,
    withSettings({ defaultPermissions: refused }),
  ],
  [
    'environment',
    'fail',
    /no environment passloop/,
    /gh api -X PUT repos\/acme\/flights\/environments\/passloop/,
    withEnvironment({ environment: absent }),
  ],
  [
    'environment',
    'fail',
    /no environment passloop/,
    /GitHub Team/,
    {
      ...withEnvironment({ environment: absent }),
      ...withSettings({ repository: found({ defaultBranch: 'main', isPrivate: true, ownerKind: 'User' }) }),
    },
  ],
  [
    'environment',
    'unknown',
    /may not see the environment/,
    /`actions: read`/,
    withEnvironment({ environment: { ...refused, permission: 'actions: read' } }),
  ],
  [
    'environment-branches',
    'fail',
    /Every branch may use/,
    /settings\/environments/,
    withEnvironment({ environment: found({ branches: 'all' }) }),
  ],
  [
    'environment-branches',
    'warn',
    /All protected branches/,
    /settings\/environments/,
    withEnvironment({ environment: found({ branches: 'protected' }) }),
  ],
  [
    'environment-branches',
    'fail',
    /Other branches than main .*: release\/\*/,
    /add main/,
    withEnvironment({ patterns: found(['main', 'release/*']) }),
  ],
  ['environment-branches', 'fail', /No branch may use/, /add main/, withEnvironment({ patterns: found([]) })],
  [
    'environment-secret',
    'fail',
    /has no secret DEPLOY_KEY/,
    /gh secret set DEPLOY_KEY --env passloop/,
    withEnvironment({ secrets: found(['OTHER']) }),
  ],
  [
    'environment-secret',
    'unknown',
    /may not see/,
    /`environments: read`/,
    withEnvironment({ secrets: { ...refused, permission: 'environments: read' } }),
  ],
  ['deploy-repository', 'fail', /shows no acme\/deploy/, /PASSLOOP_DEPLOY_TOKEN/, withDeploy({ settings: absent })],
  [
    'workflow',
    'fail',
    /No workflow of acme\/deploy calls deploy-chain\.yml/,
    /--deploy/,
    withDeploy({ workflows: found([workflow('deploy-check')]) }),
  ],
  [
    'workflow',
    'unknown',
    /the workflows of acme\/deploy/,
    /`contents: read`/,
    withDeploy({ workflows: { ...refused, permission: 'contents: read' } }),
  ],
  [
    'deploy-app',
    'unknown',
    /No GitHub App .* is known/,
    /app-client-id/,
    withDeploy({ app: { state: 'unnamed', said: 'no workflow hands one on' } }),
  ],
  [
    'deploy-app',
    'unknown',
    /can't be told/,
    /PASSLOOP_APP_PRIVATE_KEY/,
    withDeploy({ app: { state: 'named', clientId: 'Iv', installation: refused } }),
  ],
  [
    'deploy-app',
    'fail',
    /is not installed on acme\/deploy/,
    /organizations\/acme\/settings\/installations/,
    withDeploy({ app: { state: 'named', clientId: 'Iv', installation: absent } }),
  ],
  [
    'deploy-app',
    'fail',
    /lacks `pull_requests: write` and `actions: write`/,
    /accept them/,
    withApp({ permissions: { contents: 'write', pull_requests: 'read' } }),
  ],
  [
    'deploy-app',
    'warn',
    /more than Passloop needs: `administration: write`/,
    /Take them away/,
    withApp({ permissions: { ...installation.permissions, administration: 'write' } }),
  ],
  [
    'deploy-app',
    'fail',
    /lacks `statuses: read` and `checks: read`/,
    /accept them/,
    withDeploy({ health: { statuses: 'read', checks: 'read' } }),
  ],
  ['deploy-app', 'warn', /installed on all repositories/, /Only select repositories/, withApp({ selection: 'all' })],
];

it('a repository that lacks nothing passes, with every check ok', () => {
  const diagnosis = diagnose(facts);
  expect(diagnosis.checks.filter((check) => check.verdict !== 'ok')).toEqual([]);
  expect(diagnosis.verdict).toBe('pass');
  expect(diagnosis.checks.every((check) => check.fix === null)).toBe(true);
});

it.each(cases)('%s: %s %s', (id, verdict, said, fix, changed) => {
  const diagnosis = diagnose({ ...facts, ...changed });
  const found = diagnosis.checks.find(
    (check) => check.id === id && check.verdict === verdict && said.test(check.message),
  );
  expect(
    found,
    JSON.stringify(
      diagnosis.checks.filter((check) => check.verdict !== 'ok'),
      null,
      1,
    ),
  ).toBeDefined();
  expect(found?.fix).toMatch(fix);
  expect(diagnosis.verdict).toBe(diagnosis.checks.some((check) => check.verdict === 'fail') ? 'fail' : 'warn');
});

it('every check has a world in which it is not ok', () => {
  const ids = new Set(diagnose(facts).checks.map((check) => check.id));
  // A queue is nothing to mend.
  ids.delete('merge-queue');
  expect([...ids].filter((id) => !cases.some(([one]) => one === id))).toEqual([]);
});

it('a deploy repository is held to its own workflows and owners, and needs no model', () => {
  const diagnosis = diagnose({
    ...facts,
    role: 'deploy',
    modelFile: { state: 'absent' },
    datasets: [],
    packages: [],
    deploys: [],
    workflows: [workflow('deploy-check', { on: '[pull_request, merge_group]' })],
  });
  expect(diagnosis.checks.filter((check) => check.verdict !== 'ok')).toEqual([
    expect.objectContaining({ id: 'owners', fix: '.github/CODEOWNERS:\n/.passloop/ @OWNERS' }),
  ]);
  expect(diagnosis.checks.map((check) => check.id)).not.toContain('model-file');
});

it('a remote dataset needs its lock alone', () => {
  const { checks } = diagnose({ ...facts, ...withDataset({ remote: true, uri: 's3://x/y' }) });
  expect(checks.filter(({ id }) => id === 'data').map(({ verdict }) => verdict)).toEqual(['ok']);
});

it('no engine is missed where nothing is packaged', () => {
  const machine: Facts['machine'] = { ...facts.machine, engine: { state: 'silent', said: 'No engine', hint: null } };
  const [found] = diagnose({ ...facts, ...withModel(modelText.replace(/ +package: .*\n/, '')), machine }).checks.filter(
    (check) => check.id === 'engine',
  );
  expect(found?.verdict).toBe('ok');
});

it('docs/doctor.md explains every check', async () => {
  const page = await readFile(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');
  const explained = new Set([...page.matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1]));
  expect([...explained].sort()).toEqual(
    [...new Set(diagnose(facts).checks.map((check) => check.id)), 'workflow-version'].sort(),
  );
});

it('classic scopes tell what a sealed registry token does not', () => {
  const diagnosis = diagnose({
    ...facts,
    ...withStore({ access: access('granted', 'unknown'), scopes: ['repo', 'write:packages'] }),
  });
  expect(diagnosis.verdict).toBe('pass');
});

/** What a shell would read of a command, with everything run that it would run. */
function wordsOf(command: string): string[] {
  const script = `printf '%s\\n' ${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
}

it.each([
  '$(echo owned)',
  '`echo owned`',
  "a'; echo owned; '",
  '-rf',
  'a b',
  'x;echo owned',
  '"$HOME"',
])('a fix carries %j as one word', (name) => {
  const commands = [
    withEnvironment({ name, secrets: found([]) }),
    withDataset({ profile: { state: 'missing', file: name, said: 'x' } }),
  ].map((changed) => {
    const { checks } = diagnose({ ...facts, ...changed });
    return checks.find((check) => check.fix !== null && check.verdict !== 'ok')?.fix ?? '';
  });
  const [secret = '', profile = ''] = commands;
  expect(wordsOf(secret.replace(/ < .*$/, ''))).toEqual(['gh', 'secret', 'set', 'DEPLOY_KEY', '--env', name]);
  expect(wordsOf(profile.replace(/^.* && /, '')).at(-1)).toBe(name);
});
