import { expect, it } from 'vitest';
import { secretOf } from './job-secrets.ts';

const settings = {
  secrets: { WHEELS: 'for wheels', APP_KEY: 'of the repository' },
  environments: { passloop: { secrets: { APP_KEY: 'of the environment' }, branches: ['main'] } },
};
const push = { name: 'push', actor: 'ada', isFork: false, ref: 'refs/heads/main' };
const bare = { environment: null, secrets: null };
const guarded = { environment: 'passloop', secrets: null };

it.each([
  ['a repository secret, in any job', push, bare, 'WHEELS', 'for wheels'],
  ["an environment's, in its job", push, guarded, 'APP_KEY', 'of the environment'],
  ["the repository's, in a job of no environment", push, bare, 'APP_KEY', 'of the repository'],
  ["no environment's on another branch", { ...push, ref: 'refs/heads/x' }, guarded, 'APP_KEY', 'of the repository'],
  [
    "no environment's for a pull request",
    { ...push, name: 'pull_request', ref: 'refs/pull/1/merge' },
    guarded,
    'APP_KEY',
    'of the repository',
  ],
  ['nothing for a fork', { ...push, name: 'pull_request', isFork: true }, bare, 'WHEELS', undefined],
  ['nothing for Dependabot', { ...push, name: 'pull_request', actor: 'dependabot[bot]' }, bare, 'WHEELS', undefined],
  [
    'what a caller passes by another name',
    push,
    { environment: null, secrets: { key: 'WHEELS' } },
    'key',
    'for wheels',
  ],
  ['nothing that a caller does not pass', push, { environment: null, secrets: {} }, 'WHEELS', undefined],
  [
    "an environment's before what the caller passes by its name",
    push,
    { environment: 'passloop', secrets: { APP_KEY: 'APP_KEY' } },
    'APP_KEY',
    'of the environment',
  ],
  [
    "no environment's by a name that only the caller has",
    push,
    { environment: 'passloop', secrets: { 'app-key': 'APP_KEY' } },
    'app-key',
    'of the repository',
  ],
])('gives %s', (_, event, job, name, value) => {
  expect(secretOf(settings, event, job, name)).toBe(value);
});
