import { setTimeout } from 'node:timers/promises';
import type { PostedForkReport } from '@passloop/verbs';
import { expect } from 'vitest';
import { base, type ForkRun, type ForkWorld } from '../fork-world.ts';
import { reportZip } from '../hostile-zip.ts';
import { forkRun, refused, type SecurityCase } from '../security-case.ts';

/** Something happens after the run has ended and before the job that posts begins. */
function before(
  name: string,
  happens: (world: ForkWorld, made: ForkRun) => Promise<unknown>,
  says: RegExp,
): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun();
      const payload = made.run.payload();
      await happens(world, made);
      return { ...made, act: () => world.post(payload) };
    },
    posts: false,
    says,
  };
}

/** The artifact of the run, as a stranger uploads it. */
function left(name: string, upload: (made: ForkRun) => Promise<unknown>, says: RegExp, posts = false): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun({ artifact: null });
      await upload(made);
      return { ...made, act: () => world.post(made.run.payload()) };
    },
    posts,
    says,
  };
}

/** Something happens when the job asks for the head the last time: GitHub asks it to wait, and the world moves on meanwhile. */
function meanwhile(
  name: string,
  happens: (world: ForkWorld, made: ForkRun) => Promise<unknown>,
  says: RegExp,
): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun();
      return {
        ...made,
        act: async () => {
          const limit = world.github.inject({
            match: { operation: 'pulls/get' },
            fault: { status: 429, headers: { 'retry-after': '2' }, body: { message: 'rate limit' } },
          });
          const posting = world.post(made.run.payload());
          while (limit.fired === 0) await setTimeout(5);
          await happens(world, made);
          return await posting;
        },
      };
    },
    posts: false,
    says,
  };
}

async function api(world: ForkWorld, login: string, method: string, route: string, body: unknown): Promise<void> {
  const token = await world.github.createToken({ login });
  const response = await fetch(`${world.github.restUrl}/repos/${base}${route}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
}

const say = (world: ForkWorld, login: string, number: number, body: string) =>
  api(world, login, 'POST', `/issues/${number}/comments`, { body });
const close = (world: ForkWorld, { number }: ForkRun) =>
  api(world, 'acme', 'PATCH', `/pulls/${number}`, { state: 'closed' });
const marker = (head: string, attempt: number) =>
  `mine\n<!-- passloop:comment key=acme/model head=${head} attempt=${attempt} v=1 -->`;
const honest = (made: ForkRun) => reportZip(JSON.stringify(made.report));

export const raceCases: SecurityCase[] = [
  before(
    'the head moved before the job began',
    (world, { branch }) => world.push(branch),
    /No open pull request has the head/,
  ),
  before('the pull request was closed', close, /No open pull request has the head/),
  before('the run was started again, and runs', (_, { run }) => run.rerun(), /started again/),
  before(
    'the run was started again, and ended',
    async (_, { run }) => {
      const again = await run.rerun();
      await again.finish('success');
    },
    /started again/,
  ),
  before(
    'a second pull request has the same head',
    async (world, { branch, head }) => {
      const token = await world.github.createToken({ login: 'acme' });
      const response = await fetch(`${world.github.restUrl}/repos/${base}/git/refs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ref: `refs/heads/release-${branch}`, sha: await mainOf(world) }),
      });
      expect(response.status).toBe(201);
      await world.repository.openPull({
        title: 'Again',
        head: `${world.fork.owner}:${branch}`,
        base: `release-${branch}`,
      });
      expect(head).toHaveLength(40);
    },
    /Several open pull requests have this head \(#\d+, #\d+\)/,
  ),
  meanwhile('the head moves just before the write', (world, { branch }) => world.push(branch), /has another head now/),
  {
    ...meanwhile('the pull request is closed just before the write', close, /has another head now/),
    writes: ['pulls/update'],
  },
  left('no artifact', async () => undefined, /left no artifact passloop-report/),
  left(
    'an artifact of a longer name',
    (made) => made.run.uploadArtifact('passloop-report-flight', honest(made)),
    /left no artifact/,
  ),
  left(
    'an artifact in capitals',
    (made) => made.run.uploadArtifact('Passloop-Report', honest(made)),
    /left no artifact/,
  ),
  left(
    'an artifact of a name with a space',
    (made) => made.run.uploadArtifact('passloop-report ', honest(made)),
    /left no artifact/,
  ),
  {
    name: 'an artifact of an earlier attempt',
    play: async (world) => {
      const made = await world.openRun();
      await setTimeout(1100);
      const again = await made.run.rerun();
      await again.finish('success');
      return { ...made, run: again, act: () => world.post(again.payload()) };
    },
    posts: false,
    says: /left no artifact/,
  },
  {
    name: 'a marker that somebody else pasted',
    play: async (world) => {
      const made = await world.openRun();
      await say(world, 'mallory', made.number, marker(made.head, 9_999_999));
      return { ...made, act: () => world.post(made.run.payload()) };
    },
    posts: true,
    says: /^created$/,
    afterwards: (world, { number }) => {
      expect(world.repository.comments(number).map(({ author }) => author)).toEqual(['mallory', 'github-actions[bot]']);
      expect(world.repository.comments(number)[0]?.body).toMatch(/^mine/);
    },
  },
  {
    name: '200 comments before ours',
    play: async (world) => {
      const made = await world.openRun();
      for (let index = 0; index < 100; index += 1) await say(world, 'mallory', made.number, `talk ${index}`);
      await world.post(made.run.payload());
      for (let index = 0; index < 100; index += 1) await say(world, 'mallory', made.number, `talk ${index}`);
      return { ...made, act: () => world.post(made.run.payload()) };
    },
    posts: false,
    writes: ['checks/create'],
    says: /^unchanged$/,
    afterwards: (world, { number }) => {
      expect(world.repository.comments(number).filter(({ author }) => author !== 'mallory')).toHaveLength(1);
    },
  },
  {
    name: 'the report of a later run is there',
    play: async (world) => {
      const made = await world.openRun();
      await say(world, 'github-actions[bot]', made.number, marker(made.head, 9_999_999));
      return { ...made, act: () => world.post(made.run.payload()) };
    },
    posts: false,
    says: /A later run has its report there/,
  },
  {
    name: 'a marker inside a text of ours is none',
    play: forkRun({ report: (report) => ({ ...report, passloop: '<!-- passloop:comment key=acme/model' }) }),
    posts: true,
    says: /^created$/,
  },
  {
    name: 'two jobs within a second leave one comment',
    play: async (world) => {
      const made = await world.openRun();
      return {
        ...made,
        act: async () => {
          const both = await Promise.all([1, 2].map(() => world.post(made.run.payload())));
          await world.post(made.run.payload());
          return both[0] as PostedForkReport;
        },
      };
    },
    posts: false,
    writes: expect.arrayContaining(['issues/create-comment', 'checks/create']) as unknown as string[],
    says: /created|unchanged/,
    afterwards: (world, { number }) => expect(world.repository.comments(number)).toHaveLength(1),
  },
  before(
    'the fork was deleted',
    async (world) => {
      const name = `gone-${world.github.log.length}`;
      await world.fork.remove();
      world.fork = await world.repository.fork({ owner: name });
    },
    /is deleted/,
  ),
  refused('a run of a branch that no pull request has', { run: { headBranch: 'nowhere' } }, /No open pull request/),
  {
    name: 'a run of another pull request’s commit, under this branch',
    play: async (world) => {
      const [made, other] = [await world.openRun(), await world.openRun()];
      const run = await world.github.createWorkflowRun({
        repository: base,
        workflow: 'model-check.yml',
        name: 'Model check',
        event: 'pull_request',
        headSha: other.head,
        headBranch: made.branch,
        headRepository: `${world.fork.owner}/model`,
      });
      await run.uploadArtifact('passloop-report', honest(other));
      await run.finish('success');
      return { ...made, act: () => world.post(run.payload()) };
    },
    posts: false,
    says: /No open pull request/,
  },
  refused('a run that names no branch', { run: { headBranch: null } }, /names no branch/),
];

async function mainOf(world: ForkWorld): Promise<string> {
  const response = await fetch(`${world.github.restUrl}/repos/${base}/branches/main`);
  return ((await response.json()) as { commit: { sha: string } }).commit.sha;
}
