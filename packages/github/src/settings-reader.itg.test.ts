import { temporaryFolder } from '@passloop/core';
import { type Fault, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, askInstallation, settingsReader } from './settings-reader.ts';

const DefaultPermissions = z.object({ default_workflow_permissions: z.string() });
const question = {
  what: 'the default permissions',
  permission: 'administration: read',
  route: 'GET /repos/{owner}/{repo}/actions/permissions/workflow',
};

async function inWorld<T>(work: (github: LocalGithub, token: string) => Promise<T>): Promise<T> {
  await using folder = await temporaryFolder('settings-test');
  await using github = await startLocalGithub({ root: folder.path });
  await github.createRepository({ owner: 'acme', name: 'flights', private: true });
  const token = await github.createToken({ login: 'ada', permissions: { administration: 'read' } });
  return await work(github, token);
}

function reader(github: LocalGithub, token: string | null, repository = 'acme/flights', timeoutMs = 5000) {
  return settingsReader({ repository, token, baseUrl: github.restUrl, timeoutMs, sleep: async () => {} });
}

it('tells found, absent and refused apart, and makes no call without a token', async () => {
  await inWorld(async (github, token) => {
    const weak = await github.createToken({ login: 'bob', permissions: { contents: 'read' } });
    expect(await reader(github, token).ask(question, DefaultPermissions)).toEqual({
      state: 'found',
      value: { default_workflow_permissions: 'read' },
    });
    expect(await reader(github, token, 'acme/other').ask(question, DefaultPermissions)).toMatchObject({
      state: 'absent',
    });
    expect(await reader(github, weak).ask(question, DefaultPermissions)).toMatchObject({
      state: 'refused',
      permission: 'administration: read',
    });
    const calls = github.log.length;
    expect(await reader(github, null).ask(question, DefaultPermissions)).toEqual({
      state: 'unanswered',
      said: 'there is no token',
    });
    expect(github.log).toHaveLength(calls);
  });
});

const upgrade = 'Upgrade to GitHub Pro or make this repository public to enable this feature.';
const faults: [name: string, fault: Fault, state: Answer<unknown>['state'], said: RegExp][] = [
  ['a plan without it', { status: 403, body: { message: upgrade } }, 'plan', /Upgrade to GitHub Pro/],
  ['a refused token', { status: 401, body: { message: 'Bad credentials' } }, 'unanswered', /refuses the token/],
  ['a failure of theirs', { status: 502, body: { message: 'x' } }, 'unanswered', /GitHub failed/],
  [
    'a rate limit',
    { status: 403, body: { message: 'API rate limit exceeded' }, headers: { 'x-ratelimit-remaining': '0' } },
    'unanswered',
    /rate limit/,
  ],
  ['a broken connection', 'drop-before', 'unanswered', /can't be reached/],
  ['silence', 'timeout', 'unanswered', /didn't answer within/],
  ['a login page', { status: 200, body: '<html>' }, 'unanswered', /the default permissions/],
  [
    'hostile words',
    { status: 404, body: { message: '\u202e\u001b[2Jno\n::error::x' } },
    'absent',
    /^\[2Jno ::error::x/,
  ],
];

it.each(faults)('%s is an answer', async (_, fault, state, said) => {
  await inWorld(async (github, token) => {
    github.inject({ fault });
    const asked = await reader(github, token, 'acme/flights', 500).ask(question, DefaultPermissions);
    expect(asked).toMatchObject({ state, said: expect.stringMatching(said) });
    expect(github.log).toHaveLength(1);
  });
});

it('asks as the App where it is installed, and never shows its key', async () => {
  await inWorld(async (github) => {
    const app = await github.createApp({ slug: 'bot', account: 'acme', permissions: { contents: 'write' } });
    const Installation = z.object({ app_slug: z.string(), permissions: z.record(z.string(), z.string()) });
    const ask = (repository: string, privateKey: string) =>
      askInstallation({ clientId: app.clientId, privateKey, repository, baseUrl: github.restUrl }, Installation);
    expect(await ask('acme/flights', app.privateKey)).toMatchObject({
      state: 'found',
      value: { app_slug: 'bot', permissions: { contents: 'write' } },
    });
    expect(await ask('acme/other', app.privateKey)).toMatchObject({ state: 'absent' });
    const broken = await ask('acme/flights', app.privateKey.slice(0, 200));
    expect(broken.state).toBe('unanswered');
    expect(JSON.stringify(broken)).not.toContain(app.privateKey.slice(60, 100));
  });
});

it('refuses a name that is none', () => {
  expect(() => settingsReader({ repository: '../x', token: null, sleep: async () => {} })).toThrow(
    /no repository's name/,
  );
});
