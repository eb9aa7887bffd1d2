import type { InjectedFault, JobPermissions } from '@passloop/local-github';
import type { PostedForkReport } from '@passloop/verbs';
import { expect } from 'vitest';
import type { SecurityCase } from '../security-case.ts';

function fault(name: string, injected: InjectedFault, says: RegExp, more: Partial<SecurityCase> = {}): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun();
      return {
        ...made,
        act: () => {
          world.github.inject(injected);
          return world.post(made.run.payload());
        },
      };
    },
    posts: false,
    says,
    ...more,
  };
}

function granted(
  name: string,
  permissions: JobPermissions,
  says: RegExp,
  more: Partial<SecurityCase> = {},
): SecurityCase {
  return {
    name,
    play: async (world) => {
      const made = await world.openRun();
      return { ...made, act: () => world.post(made.run.payload(), {}, permissions) };
    },
    posts: false,
    says,
    ...more,
  };
}

const lacks = (...lines: RegExp[]): SecurityCase['afterwards'] =>
  ((_, __, answer) => {
    const { lacking, verdict } = answer as PostedForkReport;
    expect(verdict).toBe('fail');
    expect(lacking).toEqual(lines.map((line) => expect.stringMatching(line)));
  }) satisfies SecurityCase['afterwards'];

const read: JobPermissions = { actions: 'read', 'pull-requests': 'read', checks: 'read' };
const comment = 'issues/create-comment';
const check = 'checks/create';
const expired = { status: 401, body: { message: 'Bad credentials' } };
const limited = { status: 429, headers: { 'retry-after': '1' }, body: { message: 'rate limit' } };
const secondary = {
  status: 403,
  headers: { 'retry-after': '1' },
  body: { message: 'You have exceeded a secondary rate limit' },
};
const long = { status: 429, headers: { 'retry-after': '3600' }, body: { message: 'rate limit' } };
const broken = { status: 502, body: { message: 'Server Error' } };
const reads = [
  'actions/get-workflow-run',
  'pulls/list',
  'actions/list-workflow-run-artifacts',
  'actions/download-artifact',
  'pulls/get',
];

export const forgeCases: SecurityCase[] = [
  granted('no permission to write to the pull request', { ...read, checks: 'write' }, /^created$/, {
    writes: [comment, check],
    afterwards: lacks(/`(pull-requests|issues): write` is missing/),
  }),
  granted('no permission to write checks', { ...read, 'pull-requests': 'write' }, /^created$/, {
    writes: [comment, check],
    afterwards: lacks(/`checks: write` is missing/),
  }),
  granted('no permission to write at all', read, /may not write to the pull request/, {
    writes: [comment, check],
    afterwards: lacks(/`pull-requests: write`/, /`checks: write`/),
  }),
  granted('no permission to read artifacts', { 'pull-requests': 'write', checks: 'write' }, /lacks `actions: read`/),
  ...reads.map((operation) =>
    fault(`the token ends at ${operation}`, { match: { operation }, fault: expired }, /refuses the token/),
  ),
  fault(
    'the token ends between comment and check',
    { match: { operation: check }, fault: expired },
    /refuses the token/,
    {
      writes: [comment, check],
    },
  ),
  ...reads.map((operation) =>
    fault(`a rate limit at ${operation}`, { match: { operation }, fault: limited }, /^created$/, { posts: true }),
  ),
  fault('a rate limit at the comment', { match: { operation: comment }, fault: limited }, /^created$/, {
    writes: [comment, comment, check],
  }),
  fault('a secondary rate limit at the check', { match: { operation: check }, fault: secondary }, /^created$/, {
    writes: [comment, check, check],
  }),
  fault('a rate limit of an hour', { match: { operation: 'pulls/list' }, fault: long }, /it asks to wait 3600 s/),
  ...reads.map((operation) =>
    fault(`a gateway that fails at ${operation}`, { match: { operation }, fault: broken }, /GitHub failed \(502/),
  ),
  fault(
    'a gateway that fails at the comment: it is not sent twice',
    { match: { operation: comment }, fault: broken },
    /GitHub failed \(502/,
    {
      writes: [comment],
    },
  ),
  fault('a connection that breaks', { match: { operation: 'pulls/get' }, fault: 'drop-before' }, /can't be reached/),
  fault(
    'a page instead of the API',
    {
      match: { operation: 'pulls/list' },
      fault: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' },
    },
    /isn't GitHub's API/,
  ),
  fault(
    'an artifact’s address that is a file',
    {
      match: { operation: 'actions/download-artifact' },
      fault: { status: 302, headers: { location: 'file:///etc/passwd' } },
    },
    /isn't GitHub's API/,
  ),
  fault(
    'an artifact that has expired',
    {
      match: { operation: 'actions/download-artifact' },
      fault: { status: 410, body: { message: 'Artifact has expired' } },
    },
    /410: Artifact has expired/,
  ),
];
