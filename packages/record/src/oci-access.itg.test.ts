import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../../test/fixtures/registry.ts';
import { registryAccess } from './oci-access.ts';

// password: `opensesame`
const htpasswd = 'ada:$2b$05$abcdefghijklmnopqrstuuQbLfdQZSxZ9gjhA5V9o8Tyc6aQRO0Qi';
const ada = { username: 'ada', password: 'opensesame' };

/** What a token server answers for a scope; the registry behind it is a real one and takes any token. */
type Reply = { status: number; body: string };
const replies: { pull: Reply; push: Reply } = { pull: { status: 200, body: '' }, push: { status: 200, body: '' } };
const asked: { scope: string | null; authorization: string | undefined }[] = [];

const tokens = createServer((request, response) => {
  const scope = new URL(request.url ?? '/', 'http://localhost').searchParams.get('scope');
  asked.push({ scope, authorization: request.headers.authorization });
  const reply = scope?.endsWith(':pull,push') === true ? replies.push : replies.pull;
  response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
});

/** A distribution token, unsigned: who asks reads only what it says. */
function jwt(actions: string[], name = 'acme/runs'): Reply {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    status: 200,
    body: JSON.stringify({
      token: `${part({ alg: 'none' })}.${part({ access: [{ type: 'repository', name, actions }] })}.x`,
    }),
  };
}
const sealed: Reply = { status: 200, body: JSON.stringify({ token: 'c2VhbGVk' }) };
const denied: Reply = { status: 403, body: '{"errors":[{"code":"DENIED","message":"requested access is denied"}]}' };

let open: TestRegistry;
let locked: TestRegistry;
let bearer: TestRegistry;

beforeAll(async () => {
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
  open = await startRegistry();
  locked = await startRegistry({ htpasswd });
  bearer = await startRegistry({ tokenServer: `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token` });
});
afterAll(async () => {
  for (const registry of [open, locked, bearer]) await registry?.[Symbol.asyncDispose]();
  tokens.close();
});

describe('a registry that asks for no token', () => {
  it('tells that it can be read, and nothing about writing', async () => {
    expect(await registryAccess({ repository: `${open.address}/acme/runs`, credentials: null })).toEqual({
      state: 'answered',
      read: 'granted',
      write: 'unknown',
      asked: 'nothing',
      said: '',
    });
  });

  it('lets in by password only who has it', async () => {
    const repository = `${locked.address}/acme/runs`;
    expect(await registryAccess({ repository, credentials: ada })).toMatchObject({ read: 'granted', write: 'unknown' });
    const others = [null, { ...ada, password: 'x' }];
    for (const credentials of others) {
      expect(await registryAccess({ repository, credentials })).toMatchObject({ read: 'denied', write: 'denied' });
    }
  });
});

describe('a token server', () => {
  it.each([
    ['names both actions', jwt(['pull']), jwt(['pull', 'push']), 'granted', 'granted'],
    ['grants less than was asked for', jwt(['pull']), jwt(['pull']), 'granted', 'denied'],
    ['grants another repository', jwt(['pull']), jwt(['pull', 'push'], 'acme/other'), 'granted', 'denied'],
    ['refuses to push', jwt(['pull']), denied, 'granted', 'denied'],
    ['refuses', denied, denied, 'denied', 'denied'],
    ['seals its tokens', sealed, sealed, 'granted', 'unknown'],
    ['sends a JWT without access', jwt(['pull']), { status: 200, body: '{"token":"e30.e30.x"}' }, 'granted', 'unknown'],
    ['sends no token', { status: 200, body: '[]' }, { status: 200, body: 'x' }, 'denied', 'denied'],
  ] as const)('%s', async (_, pull, push, read, write) => {
    Object.assign(replies, { pull, push });
    asked.length = 0;
    const access = await registryAccess({ repository: `${bearer.address}/acme/runs`, credentials: ada });
    expect(access).toMatchObject({ state: 'answered', read, write, asked: 'token' });
    expect(asked.map(({ scope }) => scope)).toEqual(['repository:acme/runs:pull', 'repository:acme/runs:pull,push']);
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from('ada:opensesame').toString('base64')}`);
  });
});

it('a registry that is not there is said to be so', async () => {
  expect(await registryAccess({ repository: 'localhost:1/acme/runs', credentials: null })).toMatchObject({
    state: 'unanswered',
    said: expect.stringMatching(/./),
  });
});

it('writes nothing', async () => {
  const answer = await fetch(`${open.url}/v2/_catalog`);
  expect(await answer.json()).toEqual({ repositories: [] });
});
