import examples from '@octokit/webhooks-examples';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, pushBranch, type World } from './fixture.ts';
import type { EventPayload } from './index.ts';

let world: World;
let main: string;

beforeAll(async () => {
  world = await createWorld();
  main = await git(world.clone, 'rev-parse', 'HEAD');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The paths of an object's fields; those below `repository` and of lists are left out. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, field]) =>
    /^(head_)?repository$|^organization$|^installation$|^repo$|^repos$/.test(name)
      ? []
      : fieldsOf(field, `${path}/${name}`),
  );
}

/** Fields that GitHub's own examples of an event all have. */
function exampleFields(event: string, action: string): string[] {
  const all = (examples as unknown as { name: string; examples: EventPayload[] }[]).find(({ name }) => name === event)!;
  const [first = [], ...rest] = all.examples.filter((one) => one.action === action).map((one) => fieldsOf(one));
  return first.filter((field) => rest.every((fields) => fields.includes(field)));
}

describe('workflow_run', () => {
  it('says of a run what GitHub says', async () => {
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'push',
      headSha: main,
      headBranch: 'main',
      actor: 'ada',
    });
    expect(job.payload()).toMatchObject({ action: 'in_progress' });
    await job.finish('success');
    const payload = job.payload();

    expect(payload).toMatchObject({
      action: 'completed',
      workflow_run: { id: job.id, head_sha: main, conclusion: 'success', path: '.github/workflows/check.yml' },
      workflow: { name: 'Check' },
      repository: { full_name: 'acme/deploy' },
      organization: { login: 'acme' },
      sender: { login: 'ada' },
    });
    expect(fieldsOf(payload)).toEqual(expect.arrayContaining(exampleFields('workflow_run', 'completed')));
  });

  it('names the pull request of a branch', async () => {
    const headSha = await pushBranch(world.clone, 'feature', [{ 'a.txt': 'a' }]);
    const { data: pull } = await world.octokit.rest.pulls.create({
      owner: 'acme',
      repo: 'deploy',
      title: 'Feature',
      head: 'feature',
      base: 'main',
    });
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'pull_request',
      headSha,
      headBranch: 'feature',
    });

    expect(job.payload()).toMatchObject({
      workflow_run: { display_title: 'Feature', pull_requests: [{ number: pull.number, head: { sha: headSha } }] },
    });
  });
});
