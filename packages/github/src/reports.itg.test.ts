import type { TokenRequest } from '@passloop/local-github';
import { expect, it } from 'vitest';
import { maxAnnotations, reportCheckRun } from './check-run.ts';
import { githubClient } from './client.ts';
import { type CommentRequest, upsertComment } from './comments.ts';
import { readPullRequest } from './pull-request.ts';
import { deployWorld, git, pull, pushFiles, writeFiles } from './testing/deploy-world.ts';

const permissions: TokenRequest['permissions'] = {
  contents: 'write',
  pull_requests: 'write',
  checks: 'write',
  metadata: 'read',
};

async function reportWorld() {
  const world = await deployWorld();
  const token = await world.server.createToken({ login: 'github-actions[bot]', kind: 'job', permissions });
  const clientOf = (auth: string) =>
    githubClient({ repository: 'acme/deploy', token: auth, baseUrl: world.server.restUrl, sleep: async () => {} });
  await git(world.clone, 'checkout', '--quiet', '-b', 'topic');
  await pushTopic(world.clone, 'one');
  const client = clientOf(token);
  const opened = await client.rest<{ number: number; head: { sha: string } }>(
    { what: 'opening', permission: 'pull-requests', level: 'write' },
    'POST /repos/{owner}/{repo}/pulls',
    { title: 'Topic', head: 'topic', base: 'main' },
  );
  const head = async () => (await git(world.clone, 'rev-parse', 'topic')).trim();
  return { ...world, client, clientOf, number: opened.number, head };
}

async function pushTopic(clone: string, text: string): Promise<void> {
  await git(clone, 'commit', '--quiet', '--allow-empty', '-m', text);
  await git(clone, 'push', '--quiet', 'origin', 'topic');
}

function comment(number: number, head: string, overrides: Partial<CommentRequest> = {}): CommentRequest {
  return { number, head, key: 'check', sequence: 1, bodies: ['first'], ...overrides };
}

it('keeps one comment, found over all pages, and updates it in place', async () => {
  await using world = await reportWorld();
  const { client, number, repository } = world;
  const head = await world.head();
  const ada = world.clientOf(await world.server.createToken({ login: 'ada', permissions }));
  const say = (body: string) =>
    ada.rest(
      { what: 'talking', permission: 'pull-requests', level: 'write' },
      'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
      { issue_number: number, body },
    );
  // What somebody else pasted is no comment of ours.
  await say(`mine now\n<!-- passloop:comment key=check head=${'f'.repeat(40)} attempt=9 v=1 -->`);
  for (let index = 0; index < 130; index += 1) await say(`talk ${index}`);

  const created = await upsertComment(client, comment(number, head));
  const again = await upsertComment(client, comment(number, head));
  const updated = await upsertComment(client, comment(number, head, { bodies: ['second'] }));
  const other = await upsertComment(client, comment(number, head, { key: 'promotion', bodies: ['elsewhere'] }));

  expect([created, again, updated].map(({ outcome, id }) => [outcome, id])).toEqual([
    ['created', created.id],
    ['unchanged', created.id],
    ['updated', created.id],
  ]);
  expect(other).toMatchObject({ outcome: 'created' });
  const ours = repository.comments(number).filter(({ author }) => author === 'github-actions[bot]');
  expect(ours.map(({ body }) => body.split('\n').slice(0, -1).join('\n'))).toEqual(['second', 'elsewhere']);
});

it('keeps one comment a key, and gives the one of a former key to who comes first', async () => {
  await using world = await reportWorld();
  const { client, number, repository } = world;
  const older = await world.head();
  const former = await upsertComment(client, comment(number, older, { key: 'acme', sequence: 7, bodies: ['of both'] }));
  const post = (name: string, head: string, sequence: number) =>
    upsertComment(client, comment(number, head, { key: `acme/${name}`, formerKey: 'acme', sequence, bodies: [name] }));
  const said = () => repository.comments(number).map(({ body }) => body.split('\n')[0]);

  // An older run of the same head: whose comment it is doesn't matter.
  expect(await post('first', older, 6)).toMatchObject({ outcome: 'outdated', id: former.id });
  await pushTopic(world.clone, 'two');
  const head = await world.head();
  expect(await post('first', head, 8)).toMatchObject({ outcome: 'updated', id: former.id });
  const second = await post('second', head, 3);
  expect(second).toMatchObject({ outcome: 'created' });
  expect(said()).toEqual(['first', 'second']);

  expect(await post('first', head, 8)).toMatchObject({ outcome: 'unchanged', id: former.id });
  expect(await post('second', older, 9)).toMatchObject({ outcome: 'outdated', id: second.id });
  expect(said()).toEqual(['first', 'second']);
});

it('never writes over a comment about a newer head, or of a later run', async () => {
  await using world = await reportWorld();
  const { client, number } = world;
  const older = await world.head();
  await upsertComment(client, comment(number, older, { sequence: 2, bodies: ['run 2'] }));
  expect(await upsertComment(client, comment(number, older, { sequence: 1 }))).toMatchObject({ outcome: 'outdated' });
  await pushTopic(world.clone, 'two');
  const newer = await world.head();
  await upsertComment(client, comment(number, newer, { bodies: ['newer'] }));

  expect(await upsertComment(client, comment(number, older, { sequence: 3 }))).toMatchObject({ outcome: 'outdated' });
  expect(world.repository.comments(number).map(({ body }) => body)).toEqual([expect.stringContaining('newer')]);
});

it('sends a smaller text where GitHub refuses the full one, and removes the copy of a racing run', async () => {
  await using world = await reportWorld();
  const { client, number } = world;
  const head = await world.head();
  const long = 'x'.repeat(70_000);
  await expect(upsertComment(client, comment(number, head, { bodies: [long] }))).rejects.toThrow(/short enough/);

  world.server.inject({
    match: { operation: 'issues/create-comment' },
    fault: { status: 422, body: { message: 'Validation Failed: Body is too long' } },
  });
  await upsertComment(client, comment(number, head, { bodies: [long, 'middle', 'small'] }));
  expect(world.repository.comments(number).map(({ body }) => body)).toEqual([expect.stringMatching(/^small\n/)]);

  await client.rest(
    { what: 'racing', permission: 'pull-requests', level: 'write' },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
    {
      issue_number: number,
      body: world.repository.comments(number)[0]?.body,
    },
  );
  expect(await upsertComment(client, comment(number, head, { bodies: ['last'] }))).toMatchObject({
    outcome: 'updated',
  });
  expect(world.repository.comments(number).map(({ body }) => body)).toEqual([expect.stringMatching(/^last\n/)]);
});

it('names what is missing to comment', async () => {
  await using world = await reportWorld();
  const head = await world.head();
  const reader = world.clientOf(
    await world.server.createToken({
      login: 'github-actions[bot]',
      kind: 'job',
      permissions: { contents: 'read', pull_requests: 'read' },
    }),
  );
  await expect(upsertComment(reader, comment(world.number, head))).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('`pull-requests: write` on acme/deploy'),
    hint: expect.stringContaining('permissions:\n  pull-requests: write'),
  });
  await expect(upsertComment(world.client, comment(999, head))).rejects.toMatchObject({ code: 'configuration' });
});

it('reports one check with at most 50 annotations, and completes the one that runs', async () => {
  await using world = await reportWorld();
  const { client } = world;
  const head = await world.head();
  const annotation = {
    path: 'passloop.yaml',
    startLine: 3,
    endLine: 2,
    level: 'failure' as const,
    title: 't',
    message: 'm',
  };
  const request = { head, title: 'x'.repeat(300), summary: `${'é'.repeat(40_000)}`, externalId: '7' };

  const running = await reportCheckRun(client, { ...request, conclusion: null });
  const done = await reportCheckRun(client, {
    ...request,
    conclusion: 'failure',
    annotations: Array.from({ length: 60 }, () => annotation),
  });
  const rerun = await reportCheckRun(client, { ...request, conclusion: 'success', externalId: '7' });

  expect(done).toMatchObject({ outcome: 'updated', id: running.id });
  expect(rerun).toMatchObject({ outcome: 'created' });
  type Run = { conclusion: string; output: { title: string; summary: string; annotations_count: number } };
  const { output, conclusion } = await client.rest<Run>(
    { what: 'reading', permission: 'checks', level: 'read' },
    'GET /repos/{owner}/{repo}/check-runs/{check_run_id}',
    { check_run_id: done.id },
  );
  expect(conclusion).toBe('failure');
  expect(output.annotations_count).toBe(maxAnnotations);
  expect(output.title).toHaveLength(255);
  expect(output.summary).toContain('10 more annotations');
  expect(Buffer.byteLength(output.summary)).toBeLessThanOrEqual(65_535);
});

it('reads a pull request with every changed file', async () => {
  await using world = await reportWorld();
  await pull(world.clone);
  await pushFiles(world.clone, { 'old.txt': 'a\nb\nc\nd\n' }, 'Old');
  await git(world.clone, 'checkout', '--quiet', '-B', 'topic');
  await git(world.clone, 'mv', 'old.txt', 'new.txt');
  const many = Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`many/${index}.txt`, `${index}\n`]));
  await git(world.clone, 'rm', '--quiet', 'apps/flight/staging/kustomization.yaml');
  await writeFiles(world.clone, many);
  await git(world.clone, 'add', '--all');
  await git(world.clone, 'commit', '--quiet', '-m', 'Many');
  await git(world.clone, 'push', '--quiet', '--force', 'origin', 'topic');

  const read = await readPullRequest(world.client, world.number);

  expect(read).toMatchObject({
    state: 'open',
    isFork: false,
    base: { ref: 'main' },
    head: { ref: 'topic', commit: await world.head() },
  });
  expect(read.files).toHaveLength(132);
  expect(read.files).toContainEqual({ path: 'new.txt', change: 'renamed', previous: 'old.txt' });
  expect(read.files).toContainEqual({
    path: 'apps/flight/staging/kustomization.yaml',
    change: 'deleted',
    previous: null,
  });
  await expect(readPullRequest(world.client, 0)).rejects.toMatchObject({ code: 'configuration' });
});
