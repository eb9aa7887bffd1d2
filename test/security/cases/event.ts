import { expect } from 'vitest';
import { base, type ForkRequest } from '../fork-world.ts';
import { forkRun, refused, type SecurityCase } from '../security-case.ts';

type Payload = { action: string; repository: { full_name: string }; workflow_run: Record<string, unknown> };

/** The event says something else than the forge does. */
function told(name: string, change: (payload: Payload) => unknown, says: RegExp): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun();
      const payload = structuredClone(made.run.payload()) as unknown as Payload;
      change(payload);
      return { ...made, act: () => world.post(payload) };
    },
    posts: false,
    says,
  };
}

function raw(name: string, payload: string, says = /no event of a workflow run/): SecurityCase {
  return {
    name,
    play: async (world) => ({ ...(await world.openRun()), act: () => world.post(payload) }),
    posts: false,
    says,
  };
}

function env(name: string, more: Record<string, string>, says: RegExp): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun();
      return { ...made, act: () => world.post(made.run.payload(), more) };
    },
    posts: false,
    says,
  };
}

const started = (event: string) =>
  refused(`a run that ${event} started`, { run: { event } }, new RegExp(`was started by ${event}`));
const ended = (conclusion: ForkRequest['conclusion']) =>
  refused(`a run that ended as ${conclusion}`, { conclusion }, /it has no verdict/);
const ofFile = (workflow: string) => refused(`a run of ${workflow}`, { run: { workflow } }, /The run is one of /);

/** What a reader sees first: the check's title, and at the top of the comment whose word it is. */
function checkOf(conclusion: string, title: RegExp): SecurityCase['afterwards'] {
  return async (world, { head, number }) => {
    const response = await fetch(`${world.github.restUrl}/repos/${base}/commits/${head}/check-runs`);
    const { check_runs: runs } = (await response.json()) as {
      check_runs: { conclusion: string; output: { title: string } }[];
    };
    expect(runs.map((run) => run.conclusion)).toEqual([conclusion]);
    expect(runs[0]?.output.title).toMatch(title);
    const answer = await fetch(`${world.github.restUrl}/repos/${base}/issues/${number}/comments`);
    const effect = conclusion === 'neutral' ? 'it does not block' : 'it blocks';
    expect(((await answer.json()) as { body: string }[]).map(({ body }) => body.split('\n')[0])).toEqual([
      expect.stringContaining(`**Advisory: ${effect}`),
    ]);
  };
}

export const eventCases: SecurityCase[] = [
  ...[
    'push',
    'pull_request_target',
    'workflow_dispatch',
    'schedule',
    'merge_group',
    'issue_comment',
    'repository_dispatch',
    'workflow_run',
  ].map(started),
  ...(
    [
      'cancelled',
      'timed_out',
      'skipped',
      'neutral',
      'action_required',
      'startup_failure',
      'stale',
    ] as ForkRequest['conclusion'][]
  ).map(ended),
  ...[
    'model-check.yaml',
    'MODEL-CHECK.yml',
    'other.yml',
    'model-check.yml.yml',
    'model-check-2.yml',
    'model-report.yml',
  ].map(ofFile),
  refused('a branch of the repository itself', { isOwn: true }, /its own job posts/),
  {
    name: 'nothing: Dependabot’s branch of the repository itself is posted',
    play: forkRun({ isOwn: true, run: { actor: 'dependabot[bot]' } }),
    posts: true,
    says: /^created$/,
  },
  refused(
    'somebody whose name looks like Dependabot’s',
    { isOwn: true, run: { actor: 'dependabot' } },
    /its own job posts/,
  ),
  told('the event says another head', (p) => (p.workflow_run.head_sha = 'f'.repeat(40)), /The run moved/),
  told('the event says another attempt', (p) => (p.workflow_run.run_attempt = 7), /was started again/),
  told(
    'the event says another repository',
    (p) => (p.repository.full_name = 'evil/model'),
    /The event is of evil\/model/,
  ),
  told('the event says a run that there is not', (p) => (p.workflow_run.id = 999_999), /GitHub shows no acme\/model/),
  told('the event says a fork that is gone', (p) => (p.workflow_run.head_repository = null), /is deleted/),
  told('the event is of a run that begins', (p) => (p.action = 'requested'), /no event of a workflow run/),
  told('the event’s head is no commit', (p) => (p.workflow_run.head_sha = 'main'), /no event of a workflow run/),
  told('the event’s id is text', (p) => (p.workflow_run.id = '1; id'), /no event of a workflow run/),
  told('the event’s id is negative', (p) => (p.workflow_run.id = -1), /no event of a workflow run/),
  told(
    'the event’s path climbs',
    (p) => (p.workflow_run.path = '.github/workflows/../workflows/model-check.yml'),
    /The run is one of/,
  ),
  raw('an event that is no JSON', '::error::x'),
  raw('an event that is empty', ''),
  raw('an event that is null', 'null'),
  raw('an event of a pull request', '{"action":"opened","pull_request":{"number":1}}'),
  env(
    'the job of another event',
    { GITHUB_EVENT_NAME: 'pull_request_target' },
    /not started by the end of another workflow/,
  ),
  env('a job without a token', { GITHUB_TOKEN: '' }, /There is no GITHUB_TOKEN/),
  {
    name: 'a run that failed, with a report that passes',
    play: forkRun({ conclusion: 'failure', report: (report) => ({ ...report, verdict: 'pass' }) }),
    posts: true,
    says: /^created$/,
    afterwards: checkOf('failure', /^Advisory: The run failed/),
  },
  {
    name: 'a run that succeeded, with a report that fails',
    play: forkRun(),
    posts: true,
    says: /^created$/,
    afterwards: checkOf('failure', /^Advisory: Blocked/),
  },
  {
    name: 'a forged report that passes is neutral, never a success',
    play: forkRun({ report: (report) => ({ ...report, verdict: 'pass', models: [] }) }),
    posts: true,
    says: /^created$/,
    afterwards: checkOf('neutral', /^Advisory: /),
  },
];
