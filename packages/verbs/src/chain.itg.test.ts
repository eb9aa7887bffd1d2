import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { PlannedPromotion } from '@passloop/documents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replaceText } from '../../../test/world/team.ts';
import { planPromotions } from './plan-promotion.ts';
import { promote } from './promote.ts';
import { type ChainedWorld, chainedWorld } from './testing/chained-world.ts';

/** Chains of environments as the jobs of a promotion meet them: what comes after which, and what `healthy` asks before. */
let folder: TemporaryFolder;
let worlds = 0;

beforeAll(async () => {
  folder = await temporaryFolder('chain');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function world(options: { private?: boolean } = {}): Promise<ChainedWorld> {
  worlds += 1;
  return chainedWorld(path.join(folder.path, `world-${worlds}`), options);
}

async function plan(
  chained: ChainedWorld,
  now: string | Date,
  env: Record<string, string> = {},
): Promise<Pick<PlannedPromotion, 'environment' | 'needs' | 'outcome' | 'reason'> & { verdict: string }> {
  const { document } = await planPromotions(chained.context(now, env), {});
  const [planned] = document.models;
  if (planned === undefined) throw new Error('nothing was planned');
  const { environment, needs, outcome, reason } = planned;
  return { environment, needs, outcome, reason, verdict: document.verdict };
}

const later = '2031-01-01T00:00:00Z';
const minutes = (date: Date, count: number) => new Date(date.getTime() + count * 60_000);

async function reportAs(chained: ChainedWorld, context: string, state: 'success' | 'failure' | 'pending') {
  const sha = await chained.git(chained.deploy.directory, 'rev-parse', 'main');
  await chained.deploy.setStatus({ sha, context, state });
}

async function tokenWith(chained: ChainedWorld, more: Record<string, 'read'>): Promise<Record<string, string>> {
  const token = await chained.github.createToken({
    login: 'passloop-bot',
    kind: 'installation',
    repositories: ['acme/deploy'],
    permissions: { contents: 'write', pull_requests: 'write', metadata: 'read', ...more },
  });
  return { PASSLOOP_DEPLOY_TOKEN: token };
}

it('goes to staging first, and to prod only when staging runs this very model', async () => {
  await using chained = await world();
  await chained.environments('staging', 'prod, after: staging');

  expect(await plan(chained, later)).toMatchObject({ environment: 'staging', needs: 'train' });
  const early = await chained.passloop(['promote', '--environment', 'prod']);
  expect(early.exitCode).toBe(5);
  expect(early.stdout).toMatch(/It waits for staging to run this very model: it runs no recorded model/);

  await chained.land('staging', 'another');
  const other = await chained.passloop(['promote', '--environment', 'prod', '--plan']);
  expect(other.exitCode).toBe(5);
  expect(other.stdout).toMatch(/it runs another\./);

  await chained.land('staging', 'head');
  expect(await plan(chained, later)).toMatchObject({ environment: 'prod', needs: 'train', verdict: 'pass' });
}, 60_000);

it('closes what waits for prod once staging has taken it back, and begins anew when the hold is lifted', async () => {
  await using chained = await world();
  await chained.environments('staging', 'prod, after: staging');
  await chained.land('staging', 'old');
  const head = await chained.land('staging', 'head');
  await chained.land('prod', 'head', 'review');
  const openPulls = () => chained.deploy.pullRequests().filter(({ state }) => state === 'open');
  const [waiting] = openPulls();
  expect((await plan(chained, later)).needs).not.toBe('promote');

  await chained.passloop(['rollback', '--environment', 'staging', '--reason', 'it is bad']);
  const undo = openPulls().find(({ number }) => number !== waiting?.number);
  await chained.git(chained.deployClone, 'fetch', '-q', 'origin', undo?.head.ref ?? '');
  await chained.git(chained.deployClone, 'reset', '-q', '--hard', 'FETCH_HEAD');
  await chained.git(chained.deployClone, 'push', '-q', 'origin', 'HEAD:main');

  expect(await plan(chained, later)).toMatchObject({
    needs: 'promote',
    reason: expect.stringMatching(/^The open promotion into prod is closed: model sha256:\w+… is held in staging: /),
  });
  const answer = await chained.passloop(['promote', '--json', '-']);
  expect(JSON.parse(answer.stdout)).toMatchObject({ outcome: 'held', environment: 'staging' });
  const closed = chained.deploy.pullRequests().find(({ number }) => number === waiting?.number);
  expect(closed).toMatchObject({ state: 'closed', mergedAt: null });
  expect(closed?.body).toMatch(
    /^\*\*Closed\*\*: this was for `prod`, and model sha256:\w+… is held in staging: it is bad/,
  );
  expect(await plan(chained, later)).toMatchObject({ outcome: 'held', needs: 'nothing' });

  await chained.passloop(['hold', head.modelDigest, '--lift', '--reason', 'mended']);
  const [lift] = openPulls();
  await chained.git(chained.deployClone, 'fetch', '-q', 'origin', lift?.head.ref ?? '');
  await chained.git(chained.deployClone, 'push', '-q', 'origin', 'FETCH_HEAD:main');
  expect(await plan(chained, later)).toMatchObject({ environment: 'staging', needs: 'train' });
}, 60_000);

it('lets nothing merge by itself into prod once staging fails, and goes on when it is well again', async () => {
  await using chained = await world();
  const status = 'cd/flight';
  await chained.environments(`staging, healthy: {statuses: [${status}]}`, 'prod, after: staging, merge: auto');
  await chained.land('staging', 'head');
  await chained.deploy.protectBranch('main', { requiredChecks: ['render'] });
  await expect(chained.land('prod', 'head')).rejects.toThrow('did not land in prod');
  const pull = () => chained.deploy.pullRequests().find(({ state }) => state === 'open');
  expect(pull()).toMatchObject({ autoMerge: { method: 'squash' } });
  const env = await tokenWith(chained, { statuses: 'read', checks: 'read' });

  await reportAs(chained, status, 'failure');
  expect(await plan(chained, later, env)).toMatchObject({
    needs: 'promote',
    reason: expect.stringMatching(/^The open promotion into prod no longer merges by itself: staging is not healthy: /),
  });
  const answer = await promote(chained.context(later, env), {});

  expect(answer).toMatchObject({ outcome: 'blocked', environment: 'prod' });
  expect(pull()).toMatchObject({ state: 'open', autoMerge: null });
  expect(await plan(chained, later, env)).toMatchObject({ needs: 'nothing', outcome: 'blocked' });
  await reportAs(chained, status, 'success');
  expect(await plan(chained, later, env)).toMatchObject({ environment: 'prod', needs: 'train' });
}, 60_000);

it('leaves auto-merge of a rollback on, whatever staging is like', async () => {
  await using chained = await world();
  const status = 'cd/flight';
  await chained.environments(`staging, healthy: {statuses: [${status}]}`, 'prod, after: staging, merge: auto');
  for (const version of ['one', 'two']) await chained.land('prod', version);
  await chained.land('staging', 'head');
  await chained.deploy.protectBranch('main', { requiredChecks: ['render'] });
  const back = await chained.passloop(['rollback', '--environment', 'prod', '--reason', 'it is bad']);
  expect(back.exitCode, back.stderr).toBe(0);
  const pull = () => chained.deploy.pullRequests().find(({ state }) => state === 'open');
  expect(pull()).toMatchObject({ autoMerge: { method: 'squash' } });
  const env = await tokenWith(chained, { statuses: 'read', checks: 'read' });
  await reportAs(chained, status, 'failure');

  expect(await promote(chained.context(later, env), {})).toMatchObject({ outcome: 'blocked', environment: 'prod' });

  expect(pull()).toMatchObject({ state: 'open', autoMerge: { method: 'squash' } });
}, 60_000);

it('waits for as long as the soak takes, from the landing on', async () => {
  await using chained = await world();
  await chained.environments('staging, healthy: {soak: 30m}', 'prod, after: staging');
  await chained.land('staging', 'head');
  const landed = await chained.landedAt();

  const early = await plan(chained, minutes(landed, 10));
  expect(early).toMatchObject({ environment: 'prod', needs: 'nothing', outcome: 'pending', verdict: 'pending' });
  expect(early.reason).toBe(
    `It waits for staging to be healthy: soak of 30m is over at ${minutes(landed, 30).toISOString().replace('.000', '')}.`,
  );
  expect(await plan(chained, minutes(landed, 30))).toMatchObject({ needs: 'train', outcome: 'pending' });
  const answer = await chained.passloop(['promote', '--json', '-']);
  expect(answer.exitCode).toBe(5);
  expect(JSON.parse(answer.stdout)).toMatchObject({ outcome: 'pending', environment: 'prod', pullRequest: null });
}, 60_000);

it('lets in by the statuses that agents write, and blocks for as long as one says no', async () => {
  await using chained = await world();
  const status = 'continuous-delivery/flight-staging';
  await chained.environments(`staging, healthy: {statuses: [${status}], deployment: staging}`, 'prod, after: staging');
  await chained.land('staging', 'head');
  const env = await tokenWith(chained, { statuses: 'read', checks: 'read', deployments: 'read' });
  const sha = await chained.git(chained.deploy.directory, 'rev-parse', 'main');

  const nothing = await plan(chained, later, env);
  expect(nothing).toMatchObject({ needs: 'nothing', outcome: 'pending' });
  expect(nothing.reason).toMatch(
    /status "continuous-delivery\/flight-staging" was not reported on .* deployment to "staging" was not made/,
  );
  await reportAs(chained, status, 'failure');
  expect(await plan(chained, later, env)).toMatchObject({
    needs: 'nothing',
    outcome: 'blocked',
    verdict: 'fail',
    reason: expect.stringMatching(/^staging is not healthy: status .* is failure on [0-9a-f]{12}\.$/),
  });
  await reportAs(chained, status, 'success');
  expect(await plan(chained, later, env)).toMatchObject({ outcome: 'pending', needs: 'nothing' });
  await chained.deploy.addDeployment({ sha, environment: 'staging', state: 'success' });
  expect(await plan(chained, later, env)).toMatchObject({ outcome: 'pending', needs: 'train' });

  // Another promotion lands beside it, and the agent is at that commit now.
  await chained.land('us', 'another');
  await reportAs(chained, status, 'failure');
  expect(await plan(chained, later, env)).toMatchObject({ outcome: 'blocked' });
  await reportAs(chained, status, 'success');
  expect(await plan(chained, later, env)).toMatchObject({ needs: 'train' });
}, 60_000);

it('names the permission by which it would see statuses', async () => {
  await using chained = await world({ private: true });
  await chained.environments('staging, healthy: {statuses: [cd]}', 'prod, after: staging');
  await chained.land('staging', 'head');
  await reportAs(chained, 'cd', 'success');

  const answer = await chained.passloop(['promote']);

  expect(answer.exitCode).toBe(2);
  expect(answer.stderr).toMatch(/lacks `statuses: read` on acme\/deploy/);
}, 60_000);

it('asks Argo CD, Prometheus and the service itself, as they answer at that moment', async () => {
  await using chained = await world();
  const answers = { revision: '', health: 'Healthy', value: '0.001', ready: 200 };
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (pathname === '/api/v1/applications/flight-staging') {
      tokens.push(request.headers.authorization);
      const sync = { status: 'Synced', revision: answers.revision };
      response.end(
        JSON.stringify({ metadata: { name: 'flight-staging' }, status: { sync, health: { status: answers.health } } }),
      );
    } else if (pathname === '/api/v1/query' && searchParams.get('query') === 'sum(rate(errors[5m]))') {
      response.setHeader('content-type', 'application/json');
      const result = [{ metric: {}, value: [1_700_000_000.5, answers.value] }];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    } else if (pathname === '/ready') response.writeHead(answers.ready).end('ok');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using _ = { [Symbol.asyncDispose]: async () => void server.close() };
  const argocd = `argocd: {server: "${url}", application: flight-staging, insecure: true}`;
  const prometheus = `prometheus: [{server: "${url}", query: "sum(rate(errors[5m]))", max: 0.01, insecure: true}]`;
  const http = `http: [{url: "${url}/ready", insecure: true}]`;
  await chained.environments(`staging, healthy: {${argocd}, ${prometheus}, ${http}}`, 'prod, after: staging');
  await chained.land('staging', 'head');
  const ask = () => plan(chained, later, { ARGOCD_AUTH_TOKEN: 'argo-secret' });

  answers.revision = '0'.repeat(40);
  expect(await ask()).toMatchObject({
    outcome: 'pending',
    needs: 'nothing',
    reason: expect.stringContaining('not yet at the promotion'),
  });
  answers.revision = await chained.git(chained.deploy.directory, 'rev-parse', 'main');
  expect(await ask()).toMatchObject({ outcome: 'pending', needs: 'train' });
  answers.health = 'Degraded';
  expect(await ask()).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringContaining('Argo CD flight-staging is Degraded'),
  });
  answers.health = 'Healthy';
  answers.value = '0.25';
  expect(await ask()).toMatchObject({ outcome: 'blocked', reason: expect.stringContaining('is 0.25, above 0.01') });
  answers.value = 'NaN';
  expect(await ask()).toMatchObject({
    outcome: 'pending',
    needs: 'nothing',
    reason: expect.stringContaining('is NaN'),
  });
  answers.value = '0';
  answers.ready = 503;
  expect(await ask()).toMatchObject({ outcome: 'blocked', reason: expect.stringContaining('answers 503, not 200') });
  answers.ready = 200;
  expect(await ask()).toMatchObject({ outcome: 'pending', needs: 'train' });
  expect(new Set(tokens)).toEqual(new Set(['Bearer argo-secret']));
}, 60_000);

it('takes a manifest that was changed by hand for no run of the model', async () => {
  await using chained = await world();
  await chained.environments('staging', 'prod, after: staging');
  await chained.land('staging', 'head');
  await chained.git(chained.deployClone, 'pull', '-q', '--ff-only');
  const manifest = 'apps/flight-delay/staging/kustomization.yaml';
  await replaceText(chained.deployClone, manifest, /sha256:[0-9a-f]{64}/, `sha256:${'7'.repeat(64)}`);
  await chained.git(chained.deployClone, 'commit', '-qam', 'By hand');
  await chained.git(chained.deployClone, 'push', '-q');

  const answer = await chained.passloop(['promote', '--environment', 'prod']);

  expect(answer.exitCode).toBe(5);
  expect(answer.stdout).toMatch(/It waits for staging to run this very model: staging has drifted/);
}, 60_000);

it('keeps no environment waiting for another one that comes after the same', async () => {
  await using chained = await world();
  await chained.environments('staging', 'eu, after: staging', 'us, after: staging', 'prod, after: us');
  const { modelDigest } = await chained.land('staging', 'head');
  expect(await plan(chained, later)).toMatchObject({ environment: 'eu' });

  const held = await chained.passloop(['hold', modelDigest, '--environment', 'eu', '--reason', 'law']);
  expect(held.exitCode, held.stderr).toBe(0);
  const [pull] = chained.deploy.pullRequests().filter(({ state }) => state === 'open');
  await chained.git(chained.deployClone, 'pull', '-q', '--ff-only');
  await chained.git(chained.deployClone, 'fetch', '-q', 'origin', pull?.head.ref ?? '');
  await chained.git(chained.deployClone, 'merge', '-q', '--ff-only', 'FETCH_HEAD');
  await chained.git(chained.deployClone, 'push', '-q', 'origin', 'HEAD:main');

  expect(await plan(chained, later)).toMatchObject({ environment: 'us', needs: 'train' });
  await chained.land('us', 'head');
  expect(await plan(chained, later)).toMatchObject({ environment: 'prod', needs: 'train' });
  await chained.land('prod', 'head');
  expect(await plan(chained, later)).toMatchObject({ environment: 'eu', outcome: 'held' });
}, 60_000);
