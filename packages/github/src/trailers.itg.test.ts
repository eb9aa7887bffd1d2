import { hold, promote } from '@passloop/gitops';
import { expect, it } from 'vitest';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  gitWithInput,
  noWait,
  promotionOf,
  query,
} from './testing/deploy-world.ts';

const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const record = '.passloop/prod/flight-delay.json';
const methods = { squash: 'allowSquashMerge', rebase: 'allowRebaseMerge', merge: 'allowMergeCommit' } as const;
type Method = keyof typeof methods;

/** Only this method, with whatever of the messages is set. */
function only(method: Method, more = {}) {
  const off = Object.entries(methods).filter(([name]) => name !== method);
  return { ...Object.fromEntries(off.map(([, setting]) => [setting, false])), ...more };
}

/** The trailers, as git reads them, of the commit by which the record came. */
async function trailersOf(world: DeployWorld, format = ['log', '-1', '--format=%B', 'main', '--', record]) {
  const message = await git(world.repository.directory, ...format);
  const parsed = await gitWithInput(world.clone, message, 'interpret-trailers', '--parse');
  return parsed
    .trim()
    .split('\n')
    .map((line) => line.split(': ', 2));
}

function expected(promotionId: string | null) {
  const { modelDigest, image, runKey, source } = candidate('a');
  return [
    ['Promotion-Id', promotionId],
    ['Promotion-Source', `acme/flights@${source?.commit}`],
    ['Image-Digest', image.digest],
    ['Model-Digest', modelDigest],
    ['Run-Key', runKey],
    ['Dataset-Digest', `train=${candidate('a').data[0]?.digest}`],
    ['Gate', 'roc_auc pass 0.75'],
  ];
}

const ways: [string, Method, object][] = [
  ['squash', 'squash', {}],
  [
    'squash, with the pull request as its message',
    'squash',
    { squashMergeCommitMessage: 'PR_BODY', squashMergeCommitTitle: 'PR_TITLE' },
  ],
  ['rebase', 'rebase', {}],
  ['merge', 'merge', {}],
];

it.each(ways)('keeps the trailers through a merge that Passloop asks for: %s', async (_, method, more) => {
  await using world = await deployWorld({ settings: only(method, more) });
  const promoted = await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  expect(promoted).toMatchObject({ merged: true });
  expect(await trailersOf(world)).toEqual(expected(promoted.promotionId));
});

it.each(ways)("keeps them through a person's merge: %s", async (_, method, more) => {
  await using world = await deployWorld({ settings: only(method, more) });
  const promoted = await promote(world.forge, query(), promotionOf(candidate('a')), review);
  const token = await world.server.createToken({ login: 'ada', repositories: ['acme/deploy'] });
  const answer = await fetch(`${world.server.restUrl}/repos/acme/deploy/pulls/${promoted.pullRequest?.number}/merge`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ merge_method: method }),
  });
  expect(answer.status, await answer.text()).toBe(200);
  expect(await trailersOf(world)).toEqual(expected(promoted.promotionId));
});

it.each(ways)("keeps them through a merge queue, which takes nobody's message: %s", async (_, method, more) => {
  await using world = await deployWorld({ settings: only(method, more) });
  const promoted = await promote(world.forge, query(), promotionOf(candidate('a')), review);
  const pull = promoted.pullRequest?.number ?? 0;
  const group = await world.server.createMergeGroup({ repository: 'acme/deploy', pull, method });
  await group.merge();
  expect(await trailersOf(world)).toEqual(expected(promoted.promotionId));
});

it('writes them into the merge commit too where that takes the text of the pull request', async () => {
  await using world = await deployWorld({ settings: only('merge', { mergeCommitMessage: 'PR_BODY' }) });
  const promoted = await promote(world.forge, query(), promotionOf(candidate('a')), review);
  const pull = promoted.pullRequest?.number ?? 0;
  const group = await world.server.createMergeGroup({ repository: 'acme/deploy', pull, method: 'merge' });
  await group.merge();
  const merge = await trailersOf(world, ['log', '-1', '--format=%B', 'main']);
  expect(merge).toEqual(expected(promoted.promotionId));
});

it('changes no text on the second time, and leaves the trailers out of a text that people alone read', async () => {
  await using world = await deployWorld({ settings: only('squash', { squashMergeCommitMessage: 'PR_BODY' }) });
  await promote(world.forge, query(), promotionOf(candidate('a')), review);
  expect(await promote(world.forge, query(), promotionOf(candidate('a')), review)).toMatchObject({
    outcome: 'unchanged',
  });
  const request = { action: 'hold' as const, environment: null, modelDigest: candidate('z').modelDigest };
  await hold(world.forge, query(), { ...request, reason: 'bad', by: 'ada', at: '2026-11-22T12:00:00Z' }, review);
  expect(world.repository.pullRequests().at(-1)?.body).toMatch(/\n\nModel-Digest: sha256:[0-9a-f]{64}\n$/);

  await using plain = await deployWorld();
  await promote(plain.forge, query(), promotionOf(candidate('a')), review);
  expect(plain.repository.pullRequests()[0]?.body).not.toContain('Promotion-Source:');
});
