import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import webhooks from '@octokit/webhooks-examples' with { type: 'json' };
import { ConfigurationError, temporaryFolder } from '@passloop/core';
import { describe, expect, it } from 'vitest';
import { checkEvent, readCheckEvent } from './check-event.ts';

type Payload = Record<string, unknown>;

/** A captured payload of GitHub's own documentation. */
function example(name: string, action?: string): Payload {
  const events = webhooks as unknown as { name: string; examples: Payload[] }[];
  const found = events
    .find((event) => event.name === name)
    ?.examples.find((one) => action === undefined || one.action === action);
  if (found === undefined) throw new Error(`there is no example of ${name} ${action ?? ''}`);
  return structuredClone(found);
}

function pull(
  change: (pull: { head: Payload & { repo: Payload | null } }) => void = () => {},
  sender = 'Codertocat',
): Payload {
  const payload = example('pull_request', 'synchronize');
  change(payload.pull_request as Parameters<typeof change>[0]);
  return { ...payload, sender: { login: sender } };
}

describe('a pull request', () => {
  it('is checked as its merge, against the target branch, and reported on its own head', () => {
    const payload = pull();
    const { head } = payload.pull_request as { head: { sha: string } };
    expect(checkEvent('pull_request', payload)).toEqual({
      head: head.sha,
      against: 'HEAD^1',
      isPullRequest: true,
      isRestricted: false,
      pullRequest: (payload.pull_request as { number: number }).number,
    });
  });

  it.each<[string, Payload]>([
    ['a fork', pull(({ head }) => Object.assign(head.repo ?? {}, { full_name: 'mallory/Hello-World' }))],
    ['a fork that was deleted', pull((one) => Object.assign(one.head, { repo: null }))],
    ['Dependabot', pull(undefined, 'dependabot[bot]')],
  ])('of %s has a token that only reads', (_who, payload) => {
    expect(checkEvent('pull_request', payload)).toMatchObject({ isRestricted: true, isPullRequest: true });
  });

  it('of the same repository in another spelling is no fork', () => {
    const payload = pull(({ head }) => {
      const name = String(head.repo?.full_name);
      Object.assign(head.repo ?? {}, { full_name: name.toUpperCase() });
    });
    expect(checkEvent('pull_request', payload).isRestricted).toBe(false);
  });
});

it('a merge group is checked against what it is queued on', () => {
  const payload = example('merge_group');
  const group = payload.merge_group as { head_sha: string; base_sha: string };
  expect(checkEvent('merge_group', payload)).toEqual({
    head: group.head_sha,
    against: group.base_sha,
    isPullRequest: true,
    isRestricted: false,
    pullRequest: null,
  });
});

describe('a push', () => {
  const payload = (ref: string) => ({ ...example('push'), ref, after: 'a'.repeat(40), deleted: false });
  const { repository } = example('push') as { repository: { default_branch: string } };

  it('to the default branch is of nobody but its keepers', () => {
    expect(checkEvent('push', payload(`refs/heads/${repository.default_branch}`))).toEqual({
      head: 'a'.repeat(40),
      against: null,
      isPullRequest: false,
      isRestricted: false,
      pullRequest: null,
    });
  });

  it.each([
    'refs/heads/feature',
    `refs/tags/${repository.default_branch}`,
    `refs/heads/${repository.default_branch}/x`,
  ])('to %s may be of anybody who can push', (ref) => {
    expect(checkEvent('push', payload(ref)).isPullRequest).toBe(true);
  });

  it('that deletes a branch leaves nothing to check', () => {
    expect(() => checkEvent('push', { ...payload('refs/heads/x'), deleted: true })).toThrow(/deletes a branch/);
  });
});

it('a dispatch on the default branch counts as that branch; on another it does not', () => {
  const payload = example('workflow_dispatch');
  const { repository } = payload as { repository: { default_branch: string } };
  const on = (ref: string) => checkEvent('workflow_dispatch', { ...payload, ref });
  expect(on(`refs/heads/${repository.default_branch}`)).toMatchObject({
    head: null,
    against: null,
    isPullRequest: false,
  });
  expect(on('refs/heads/other').isPullRequest).toBe(true);
});

it('a schedule runs on the default branch alone; an event that says nothing is taken for a pull request', () => {
  const repository = { full_name: 'acme/flights', default_branch: 'main' };
  expect(checkEvent('schedule', { schedule: '0 3 * * *', repository }).isPullRequest).toBe(false);
  expect(checkEvent('repository_dispatch', { repository }).isPullRequest).toBe(true);
  expect(checkEvent('schedule', {}).isPullRequest).toBe(true);
});

it.each([
  'pull_request_target',
  'workflow_run',
  'issue_comment',
])('%s never checks: code would run beside secrets', (name) => {
  expect(() => checkEvent(name, pull())).toThrow(/beside the repository's secrets/);
});

it.each([
  ['pull_request', {}],
  [
    'pull_request',
    { pull_request: { head: { sha: '--upload-pack=x', repo: null }, base: { repo: { full_name: 'a/b' } } } },
  ],
  ['merge_group', { merge_group: { head_sha: 'a'.repeat(40), base_sha: '$(id)' } }],
  ['push', { ref: 'refs/heads/main', after: '', repository: { full_name: 'a/b' } }],
  ['push', null],
])('a payload of %s that is none is refused', (name, payload) => {
  expect(() => checkEvent(name, payload)).toThrow(ConfigurationError);
});

it('is read from the files that a runner gives, and is nothing trusted where there are none', async () => {
  await using folder = await temporaryFolder('event');
  const file = path.join(folder.path, 'event.json');
  await writeFile(file, JSON.stringify(example('merge_group')));
  const env = { GITHUB_EVENT_NAME: 'merge_group', GITHUB_EVENT_PATH: file };
  expect((await readCheckEvent(env)).head).toMatch(/^[0-9a-f]{40}$/);
  expect(await readCheckEvent({})).toEqual({
    head: null,
    against: null,
    isPullRequest: true,
    isRestricted: false,
    pullRequest: null,
  });
  await writeFile(file, '{');
  await expect(readCheckEvent(env)).rejects.toThrow(/can't be read/);
});
