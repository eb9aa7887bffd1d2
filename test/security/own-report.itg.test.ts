import { silentProgress } from '@passloop/core';
import { postReport } from '@passloop/verbs';
import { expect, it } from 'vitest';
import { base, type ForkRun, ForkWorld } from './fork-world.ts';

const permissions = { 'pull-requests': 'write', checks: 'write', contents: 'read' } as const;

/** The job `report` of a check of a branch of the repository itself. */
async function post(
  world: ForkWorld,
  opened: ForkRun,
  run: number,
  attempt: number,
  workflow = 'model-check.yml',
): ReturnType<typeof postReport> {
  const token = await world.github.jobToken({ repository: base, event: 'pull_request', permissions });
  const env = {
    GITHUB_TOKEN: token,
    GITHUB_REPOSITORY: base,
    GITHUB_API_URL: world.github.restUrl,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_RUN_ID: String(run),
    GITHUB_RUN_NUMBER: String(run),
    GITHUB_RUN_ATTEMPT: String(attempt),
    GITHUB_WORKFLOW_REF: `${base}/.github/workflows/${workflow}@refs/pull/${opened.number}/merge`,
  };
  const context = { cwd: world.root, now: () => new Date(), progress: silentProgress, version: '0.0.0', env };
  return postReport(context, { report: opened.report, plan: null, pullRequest: opened.number });
}

it.each([
  ['an older run of the same head', 8, 1],
  ['an older attempt of the same run', 9, 1],
])('%s, which ends last, takes neither the comment nor the check', async (_what, run, attempt) => {
  await using world = await ForkWorld.open();
  const opened = await world.openRun({ isOwn: true, artifact: null });
  expect(await post(world, opened, 9, 2)).toMatchObject({ outcome: 'created', lacking: [] });
  const from = world.github.log.length;
  expect(await post(world, opened, run, attempt)).toMatchObject({ outcome: 'outdated', lacking: [] });
  expect(world.writes(from)).toEqual([]);
});

it('a run whose head is no longer that of the pull request writes nothing', async () => {
  await using world = await ForkWorld.open();
  const opened = await world.openRun({ isOwn: true, artifact: null });
  expect(await world.push(opened.branch, true)).not.toBe(opened.head);
  const from = world.github.log.length;
  expect(await post(world, opened, 9, 1)).toMatchObject({ outcome: 'outdated', commentUrl: null, lacking: [] });
  expect(world.writes(from)).toEqual([]);
});

it("two workflows have a comment each, which a fork's report finds again", async () => {
  await using world = await ForkWorld.open();
  const opened = await world.openRun();
  const [check, nightly] = [await post(world, opened, 9, 1), await post(world, opened, 2, 1, 'a night ly.yml')];
  const comments = () => world.repository.comments(opened.number).map(({ body }) => body);

  expect([check, nightly]).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }]);
  expect(comments()).toEqual([
    expect.stringContaining('<!-- passloop:comment key=acme/model/model-check.yml '),
    expect.stringMatching(/<!-- passloop:comment key=acme\/model\/[0-9a-f]{32} /),
  ]);
  expect(await world.post(opened.run.payload())).toMatchObject({ outcome: 'outdated', commentUrl: check.commentUrl });
  await opened.run.rerun();
  expect(await post(world, opened, 2, 2, 'a night ly.yml')).toMatchObject({
    outcome: 'updated',
    commentUrl: nightly.commentUrl,
  });
  expect(comments()).toHaveLength(2);
});

it('two workflows with an @ in the names of their files have a comment each', async () => {
  await using world = await ForkWorld.open();
  const opened = await world.openRun({ isOwn: true, artifact: null });
  const of = (workflow: string, attempt: number) => post(world, opened, 9, attempt, workflow);
  const made = [await of('check@a.yml', 1), await of('check@b.yml', 1)];
  expect(made.map(({ outcome }) => outcome)).toEqual(['created', 'created']);
  const again = [await of('check@a.yml', 2), await of('check@b.yml', 2)];
  expect(again).toMatchObject(made.map(({ commentUrl }) => ({ outcome: 'updated', commentUrl })));
});
