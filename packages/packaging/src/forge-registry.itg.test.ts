import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { type JobPermissions, startLocalGithub } from '@passloop/local-github';
import { expect, it } from 'vitest';
import { startRegistry } from './testing/registry.ts';

const run = promisify(execFile);

async function startWorld(clock?: () => Date) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('forge-registry'));
  const upstream = stack.use(await startRegistry());
  const github = stack.use(
    await startLocalGithub({
      root: `${folder.path}/root`,
      registry: { upstream: `http://${upstream.host}` },
      ...(clock === undefined ? {} : { clock }),
    }),
  );
  await github.createRepository({ owner: 'acme', name: 'model', private: true });
  await github.createRepository({ owner: 'acme', name: 'other', private: true });
  await github.createRepository({ owner: 'eve', name: 'own', private: true });
  const host = new URL(github.url).host;
  const token = (permissions: JobPermissions, repository = 'acme/model') =>
    github.jobToken({ repository, event: 'push', permissions });
  const bearer = async (secret: string | undefined, name: string, actions: string) => {
    const headers = secret === undefined ? {} : { authorization: `Basic ${btoa(`ci:${secret}`)}` };
    const answer = await fetch(`${github.url}/token?scope=repository:${name}:${actions}`, { headers });
    return answer.status === 200 ? ((await answer.json()) as { token: string }).token : String(answer.status);
  };
  const call = async (method: string, path: string, value: string, body?: string) => {
    const headers = { authorization: `Bearer ${value}`, 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
    return fetch(`${github.url}/v2/${path}`, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
  };
  const docker = async (...args: string[]) => {
    const ran = run('/usr/bin/docker', ['--config', folder.path, ...args]);
    return ran.then(
      ({ stdout }) => stdout.trim(),
      ({ stderr }: { stderr: string }) => `failed: ${stderr}`,
    );
  };
  const login = (secret: string) => docker('login', host, '--username', 'ci', '--password', secret);
  return {
    github,
    host,
    token,
    bearer,
    call,
    docker,
    login,
    folder: folder.path,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

it('challenges as a registry of a forge does, and refuses a token that there is none of', async () => {
  await using world = await startWorld();
  const answer = await fetch(`${world.github.url}/v2/`);
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBe(
    `Bearer realm="${world.github.url}/token",service="${world.host}"`,
  );
  expect(await world.bearer('ghs_none', 'acme/image', 'pull')).toBe('403');
});

it('lets the engine push and pull by what the tokens of jobs may', async () => {
  await using world = await startWorld();
  const image = `${world.host}/acme/image:1`;
  const name = `passloop-forge-${randomUUID()}`;
  await run('/bin/sh', [
    '-c',
    'tar -cf - -C "$1" . --exclude=root | /usr/bin/docker import - "$2"',
    'sh',
    '/usr/share/doc/git',
    name,
  ]);
  try {
    await world.docker('tag', name, image);
    expect(await world.login(await world.token({ packages: 'read' }))).toContain('Login Succeeded');
    expect(await world.docker('push', image)).toContain('denied');
    await world.login(await world.token({ packages: 'write' }));
    expect(await world.docker('push', image)).toContain('digest: sha256:');
    await world.docker('rmi', image);
    await world.login(await world.token({ packages: 'write' }, 'acme/other'));
    expect(await world.docker('pull', image)).toMatch(/^failed: .*(denied|forbidden)/is);
    await world.login(await world.token({ packages: 'read' }));
    expect(await world.docker('pull', image)).toContain(image);
    await world.docker('logout', world.host);
    await world.docker('rmi', image);
    expect(await world.docker('pull', image)).toMatch(/^failed/);
    await world.github.linkPackage('acme/image', 'acme/model', { private: false });
    expect(await world.docker('pull', image)).toContain(image);
  } finally {
    await world.docker('rmi', '--force', image, name);
  }
});

it('mounts no layer out of a package that the token cannot read', async () => {
  await using world = await startWorld();
  const mine = await world.bearer(await world.token({ packages: 'write' }), 'acme/image', 'pull,push');
  const digest = `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('secret'))).toString('hex')}`;
  const begun = await world.call('POST', 'acme/image/blobs/uploads/', mine);
  const location = begun.headers.get('location') ?? '';
  expect(location.startsWith(`${world.github.url}/v2/acme/image/blobs/uploads/`)).toBe(true);
  const put = await fetch(`${location}&digest=${digest}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${mine}` },
    body: 'secret',
  });
  await world.github.linkPackage('acme/image', 'acme/model');
  const eve = await world.bearer(await world.token({ packages: 'write' }, 'eve/own'), 'eve/own', 'pull,push');

  const theirs = await world.call('POST', `eve/own/blobs/uploads/?mount=${digest}&from=acme/image`, eve);
  const owns = await world.call('POST', `acme/image/blobs/uploads/?mount=${digest}&from=acme/image`, mine);

  expect(put.status).toBe(201);
  expect(theirs.status).toBe(202);
  expect((await world.call('GET', `eve/own/blobs/${digest}`, eve)).status).toBe(404);
  expect((await world.call('GET', `acme/image/blobs/${digest}`, eve)).status).toBe(403);
  expect(owns.status).toBe(201);
});

it('shares a package with one more repository, to read or to write', async () => {
  await using world = await startWorld();
  const other = async () =>
    world.bearer(await world.token({ packages: 'write' }, 'acme/other'), 'acme/image', 'pull,push');
  const read = async () => (await world.call('GET', 'acme/image/tags/list', await other())).status;
  const write = async () => (await world.call('POST', 'acme/image/blobs/uploads/', await other())).status;
  await expect(world.github.grantPackage('acme/image', 'acme/other', 'read')).rejects.toThrow('no package acme/image');
  await world.github.linkPackage('acme/image', 'acme/model');

  const before = [await read(), await write()];
  await world.github.grantPackage('acme/image', 'acme/other', 'read');
  const reader = [await read(), await write()];
  await world.github.grantPackage('acme/image', 'acme/other', 'write');

  expect(before).toEqual([403, 403]);
  expect(reader).toEqual([404, 403]);
  expect([await read(), await write()]).toEqual([404, 202]);
});

it.each([
  'acme%2fimage/blobs/x',
  'acme/../_catalog',
  '_catalog',
  'eve/own/../../acme/image/manifests/1',
])('passes nothing on for %s', async (path) => {
  await using world = await startWorld();
  const eve = await world.bearer(await world.token({ packages: 'write' }, 'eve/own'), 'eve/own', 'pull,push');
  expect([403, 404]).toContain((await world.call('GET', path, eve)).status);
});

it('ends a bearer with the token that it was given for', async () => {
  let time = Date.parse('2026-01-01T00:00:00Z');
  await using world = await startWorld(() => new Date(time));
  const expiresAt = '2026-01-01T00:01:00Z';
  const secret = await world.github.jobToken({
    repository: 'acme/model',
    event: 'push',
    permissions: { packages: 'write' },
    expiresAt,
  });
  const value = await world.bearer(secret, 'acme/image', 'pull,push');
  const before = await world.call('POST', 'acme/image/blobs/uploads/', value);
  time += 60_000;
  const after = await world.call('POST', 'acme/image/blobs/uploads/', value);

  expect([before.status, after.status]).toEqual([202, 401]);
  expect(after.headers.get('www-authenticate')).toContain('scope="repository:acme/image:pull,push"');
});
