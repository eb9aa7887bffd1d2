import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * What actions/checkout does for the inputs that the workflows of this suite use, with real git and the job's own token. It is
 * copied to where the runner finds it: nothing but Node is there.
 */
const env = process.env;
const repository = input('repository');
const folder = path.join(env.GITHUB_WORKSPACE ?? '', input('path'));
const depth = Number(input('fetch-depth'));
const asked = input('ref');

if (input('persist-credentials') !== 'false') {
  fail('A job of this suite says `persist-credentials: false`: a token on disk is read by whatever runs there.');
}
if (/^(workflow_run|pull_request_target)$/.test(env.GITHUB_EVENT_NAME ?? '')) {
  // As actions/checkout does since its version 7.
  if (repository !== env.GITHUB_REPOSITORY || asked.startsWith('refs/pull/')) {
    fail(`No pull request's code in a run of ${env.GITHUB_EVENT_NAME}.`);
  }
}
mkdirSync(folder, { recursive: true });
git('init', '--quiet', '--initial-branch', 'main');
git('remote', 'add', 'origin', `${env.GITHUB_SERVER_URL}/${repository}.git`);
if (depth === 0) git('fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*');
// Without `ref` it is the run's commit, not where its branch may be by now.
const wanted = asked === '' ? (env.GITHUB_SHA ?? '') : asked;
git('fetch', '--quiet', '--no-tags', ...(depth === 0 ? [] : ['--depth', String(depth)]), 'origin', wanted);
const branch = /^refs\/heads\/(.+)$/.exec(asked === '' ? (env.GITHUB_REF ?? '') : '')?.[1];
if (branch === undefined) git('checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD');
else git('checkout', '--quiet', '--force', '-B', branch, 'FETCH_HEAD');
git('--no-pager', 'log', '-1', '--format=%H %s');

function input(name: string): string {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
}

function git(...args: string[]): void {
  const login = Buffer.from(`x-access-token:${input('token')}`).toString('base64');
  const header = { GIT_CONFIG_KEY_0: 'http.extraheader', GIT_CONFIG_VALUE_0: `AUTHORIZATION: basic ${login}` };
  const { status } = spawnSync('git', args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: env.PATH, HOME: env.RUNNER_TEMP, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_COUNT: '1', ...header },
  });
  if (status !== 0) fail(`git ${args[0]} failed. Does the job have \`contents: read\`?`);
}

function fail(message: string): never {
  console.log(`::error::${message}`);
  process.exit(1);
}
