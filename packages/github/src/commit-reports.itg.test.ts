import { landingOf } from '@passloop/gitops';
import { Octokit } from 'octokit';
import { expect, it } from 'vitest';
import { commitReports } from './commit-reports.ts';
import { type DeployWorld, deployWorld, git } from './testing/deploy-world.ts';

type Permissions = NonNullable<Parameters<DeployWorld['server']['createToken']>[0]['permissions']>;

async function reportsOf(world: DeployWorld, permissions: Permissions) {
  const token = await world.server.createToken({ login: 'passloop[bot]', kind: 'installation', permissions });
  return commitReports({ repository: 'acme/deploy', token, baseUrl: world.server.restUrl, sleep: async () => {} });
}

async function head(world: DeployWorld): Promise<string> {
  return (await git(world.repository.directory, 'rev-parse', 'main')).trim();
}

async function commits(world: DeployWorld, ...messages: string[]): Promise<string[]> {
  const made: string[] = [];
  for (const message of messages) {
    await git(world.clone, 'commit', '--quiet', '--allow-empty', '-m', message);
    made.push((await git(world.clone, 'rev-parse', 'HEAD')).trim());
  }
  await git(world.clone, 'push', '--quiet', world.repository.directory, 'HEAD:main');
  return made;
}

const everything: Permissions = {
  contents: 'read',
  metadata: 'read',
  statuses: 'read',
  checks: 'read',
  deployments: 'read',
};

it('lists the commits of a branch with their parents, as git has them', async () => {
  await using world = await deployWorld();
  const start = await head(world);
  await git(world.clone, 'checkout', '--quiet', '-b', 'topic');
  await git(world.clone, 'commit', '--quiet', '--allow-empty', '-m', 'On a branch');
  const topic = (await git(world.clone, 'rev-parse', 'HEAD')).trim();
  await git(world.clone, 'checkout', '--quiet', '-');
  await git(world.clone, 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'topic');
  const [last] = await commits(world, 'After');

  const listed = await (await reportsOf(world, everything)).commits(await head(world));

  const merge = (await git(world.clone, 'rev-parse', 'HEAD^')).trim();
  expect(listed.map(({ commit, parents }) => [commit, parents])).toEqual(
    expect.arrayContaining([
      [last, [merge]],
      [merge, [start, topic]],
      [topic, [start]],
      [start, []],
    ]),
  );
  expect(landingOf(listed, topic)).toMatchObject({ commit: merge, since: [last, merge] });
});

it('reads statuses and check runs by name, as Argo CD, Flux and workflows write them', async () => {
  await using world = await deployWorld();
  const [first = '', second = ''] = await commits(world, 'one', 'two');
  const flux = 'kustomization/flight/0c9c2e41';
  const argo = 'continuous-delivery/flight-staging';
  await world.repository.setStatus({ sha: first, context: argo, state: 'pending' });
  await world.repository.setStatus({ sha: first, context: argo, state: 'success' });
  await world.repository.setStatus({ sha: first, context: 'other', state: 'failure' });
  await world.repository.setStatus({ sha: second, context: flux, state: 'error' });
  const job = await world.server.createToken({ login: 'github-actions[bot]', kind: 'job' });
  const octokit = new Octokit({ auth: job, baseUrl: world.server.restUrl });
  const run = { owner: 'acme', repo: 'deploy', head_sha: second };
  await octokit.rest.checks.create({ ...run, name: 'smoke', status: 'in_progress' });
  for (const conclusion of ['success', 'failure', 'timed_out', 'skipped', 'neutral', 'cancelled'] as const) {
    await octokit.rest.checks.create({ ...run, name: `smoke ${conclusion}`, status: 'completed', conclusion });
  }
  const names = [argo, flux, 'smoke', 'smoke success', 'smoke failure', 'smoke timed_out'];
  const silent = ['smoke skipped', 'smoke neutral', 'smoke cancelled'];

  const found = await (await reportsOf(world, everything)).reports([second, first], [...names, ...silent]);

  expect(Object.fromEntries(found.map(({ name, commit, state }) => [name, [commit, state]]))).toEqual({
    [argo]: [first, 'healthy'],
    [flux]: [second, 'failed'],
    smoke: [second, 'pending'],
    'smoke success': [second, 'healthy'],
    'smoke failure': [second, 'failed'],
    'smoke timed_out': [second, 'failed'],
    // What did not run says nothing.
    'smoke skipped': [second, 'pending'],
    'smoke neutral': [second, 'pending'],
    'smoke cancelled': [second, 'pending'],
  });
});

it('reads on where a commit has more reports than one answer holds: the one that failed may be the last', async () => {
  await using world = await deployWorld();
  const [first = '', second = ''] = await commits(world, 'one', 'two');
  for (let index = 0; index < 120; index += 1)
    await world.repository.setStatus({ sha: second, context: `check ${index}`, state: 'success' });
  await world.repository.setStatus({ sha: first, context: 'last', state: 'success' });
  await world.repository.setStatus({ sha: second, context: 'last', state: 'failure' });

  const found = await (await reportsOf(world, everything)).reports([second, first], ['last', 'check 0']);

  expect(found.toSorted((one, other) => (one.state < other.state ? -1 : 1))).toMatchObject([
    { commit: second, name: 'last', state: 'failed' },
    { commit: second, name: 'check 0', state: 'healthy' },
    { commit: first, name: 'last', state: 'healthy' },
  ]);
});

it('reads deployments of an environment, newest first', async () => {
  await using world = await deployWorld();
  const [sha = ''] = await commits(world, 'one');
  const add = (environment: string, state: 'success' | 'failure' | 'in_progress' | null) =>
    world.repository.addDeployment({ sha, environment, state });
  await add('staging', 'failure');
  await add('prod', 'success');
  await add('staging', 'success');
  await add('staging', 'in_progress');
  await add('staging', null);

  const found = await (await reportsOf(world, everything)).deployments('staging');

  expect(found).toEqual([
    { commit: sha, state: 'pending', said: 'without a status' },
    { commit: sha, state: 'pending', said: 'in progress' },
    { commit: sha, state: 'healthy', said: 'success' },
    { commit: sha, state: 'failed', said: 'failure' },
  ]);
});

it.each([
  ['statuses', /lacks `statuses: read` on acme\/deploy.*`checks: read`/],
  ['checks', /lacks `statuses: read` on acme\/deploy.*`checks: read`/],
  ['deployments', /lacks `deployments: read` on acme\/deploy/],
] as const)('names what a token without %s lacks', async (permission, message) => {
  await using world = await deployWorld();
  const [sha = ''] = await commits(world, 'one');
  await world.repository.setStatus({ sha, context: 'cd', state: 'success' });
  const job = await world.server.createToken({ login: 'github-actions[bot]', kind: 'job' });
  const octokit = new Octokit({ auth: job, baseUrl: world.server.restUrl });
  await octokit.rest.checks.create({ owner: 'acme', repo: 'deploy', head_sha: sha, name: 'smoke', status: 'queued' });
  const { [permission]: _, ...less } = everything;
  const reports = await reportsOf(world, less);

  const read = permission === 'deployments' ? reports.deployments('staging') : reports.reports([sha], ['cd']);

  await expect(read).rejects.toThrow(message);
});
