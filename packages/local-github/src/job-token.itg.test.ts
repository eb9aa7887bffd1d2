import { describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, type World } from './fixture.ts';
import type { JobPermissions, JobTokenRequest } from './job-token.ts';

const repo = { owner: 'acme', repo: 'deploy' };

function jobOf(world: World, request: Partial<JobTokenRequest> = {}) {
  const token = world.server.jobToken({ repository: 'acme/deploy', event: 'push', ...request });
  return token.then((value) => octokitFor(world.server, value));
}

type Refusal = { status: number; message: string; accepted: string | undefined };

async function outcome(call: Promise<{ status: number }>): Promise<Refusal | number> {
  return call.then(
    ({ status }) => status,
    ({ status, response }) => ({
      status,
      message: response.data.message,
      accepted: response.headers['x-accepted-github-permissions'],
    }),
  );
}

async function checkRun(world: World, request: Partial<JobTokenRequest>) {
  const job = await jobOf(world, request);
  const head_sha = await git(world.clone, 'rev-parse', 'HEAD');
  return outcome(job.rest.checks.create({ ...repo, name: 'passloop', head_sha }));
}

const REFUSED = { status: 403, message: 'Resource not accessible by integration', accepted: 'checks=write' };
const WRITE = { permissions: { checks: 'write' } } as const;

describe('the token of a job', () => {
  it('holds what the job asks for and nothing else', async () => {
    await using world = await createWorld();
    const reader = await jobOf(world, { permissions: { contents: 'read', 'pull-requests': 'none' } });

    expect(await outcome(reader.rest.repos.getContent({ ...repo, path: 'README.md' }))).toBe(200);
    expect(await outcome(reader.rest.pulls.list(repo))).toMatchObject({ status: 403, accepted: 'pull_requests=read' });
    expect(await checkRun(world, { permissions: { checks: 'read' } })).toEqual(REFUSED);
    expect(await checkRun(world, WRITE)).toBe(201);
  });

  it('sees its repository and can read no file of it when nothing is asked for', async () => {
    await using world = await createWorld();
    const job = await jobOf(world);

    expect(await outcome(job.rest.repos.get(repo))).toBe(200);
    expect(await outcome(job.rest.repos.getContent({ ...repo, path: 'README.md' }))).toMatchObject({ status: 403 });
  });

  it('does not know a private repository beside its own, and does not write to a public one', async () => {
    await using world = await createWorld();
    await world.server.createRepository({ owner: 'acme', name: 'secret', private: true });
    await world.server.createRepository({ owner: 'acme', name: 'open', private: false });
    const job = await jobOf(world, { permissions: 'write-all' });

    expect(await outcome(job.rest.repos.get({ owner: 'acme', repo: 'secret' }))).toMatchObject({ status: 404 });
    const labels = job.rest.issues.createComment({ owner: 'acme', repo: 'open', issue_number: 1, body: 'x' });
    expect(await outcome(labels)).toMatchObject({ status: 403 });
  });

  it.each(['pull_request', 'pull_request_review'])('only reads after %s from a fork', async (event) => {
    await using world = await createWorld();

    expect(await checkRun(world, { ...WRITE, event, isFork: true })).toEqual(REFUSED);
    expect(await checkRun(world, { event, isFork: true, permissions: 'write-all' })).toEqual(REFUSED);
    expect(await checkRun(world, { ...WRITE, event })).toBe(201);
  });

  it.each(['pull_request_target', 'workflow_run'])('writes after %s, fork or not', async (event) => {
    await using world = await createWorld();

    expect(await checkRun(world, { ...WRITE, event, isFork: true })).toBe(201);
  });

  it('gives Dependabot what its permissions ask for, and no more than a fork gets where the head is in one', async () => {
    await using world = await createWorld();
    const actor = 'dependabot[bot]';

    expect(await checkRun(world, { ...WRITE, event: 'pull_request', actor })).toBe(201);
    expect(await checkRun(world, { permissions: { checks: 'read' }, event: 'push', actor })).toEqual(REFUSED);
    expect(await checkRun(world, { ...WRITE, event: 'pull_request', isFork: true, actor })).toEqual(REFUSED);
  });

  it('ends after six hours, in the middle of a job', async () => {
    let time = Date.parse('2026-01-01T00:00:00Z');
    await using world = await createWorld({ clock: () => new Date(time) });
    const job = await jobOf(world);

    const before = await outcome(job.rest.repos.get(repo));
    time += 6 * 60 * 60 * 1000;

    expect(before).toBe(200);
    expect(await outcome(job.rest.repos.get(repo))).toMatchObject({ status: 401, message: 'Bad credentials' });
  });

  it('pushes over git with contents: write, and not without it', async () => {
    await using world = await createWorld();
    const push = async (permissions: JobPermissions, isFork: boolean) => {
      const token = await world.server.jobToken({
        ...{ repository: 'acme/deploy', event: 'pull_request' },
        permissions,
        isFork,
      });
      return git(world.clone, 'push', '--quiet', world.repository.cloneUrlWith(token), `HEAD:refs/heads/by-job`);
    };

    await expect(push({ contents: 'read' }, false)).rejects.toThrow(/403|denied/);
    await expect(push({ contents: 'write' }, true)).rejects.toThrow(/403|denied/);
    expect(await push({ contents: 'write' }, false)).toBe('');
  });

  it.each<[string, unknown, RegExp]>([
    ['a scope that there is none of', { administration: 'write' }, /administration is no scope of a job/],
    ['a scope of the prototype', { constructor: 'write' }, /constructor is no scope/],
    ['an identity token to read', { 'id-token': 'read' }, /id-token: read can't be asked for; write or none can/],
    ['another word for all', 'admin-all', /not read-all or write-all/],
  ])('refuses %s', async (_, permissions, message) => {
    await using world = await createWorld();
    await expect(jobOf(world, { permissions: permissions as JobPermissions })).rejects.toThrow(message);
  });

  it('refuses a repository that there is none of', async () => {
    await using world = await createWorld();
    await expect(jobOf(world, { repository: 'acme/none' })).rejects.toThrow('no repository acme/none');
  });
});
