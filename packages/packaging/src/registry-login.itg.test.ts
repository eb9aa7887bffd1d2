import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../../test/fixtures/registry.ts';
import { type Engine, openEngine } from './engine.ts';
import { withLogin } from './registry-login.ts';

/** A real registry that asks for a login, and a real Docker client. bcrypt of "correct horse", made by Python's bcrypt. */
const htpasswd = 'passloop:$2b$04$QQbmyQTVAOWm96x2PkHfuO0JYcSoHMbsAWgMgDwt72JAghRYiGzoC';
const password = 'correct horse';
const searchPath = process.env.PATH ?? '';
let engine: Engine;
let registry: TestRegistry;

beforeAll(async () => {
  engine = await openEngine({ program: process.env.PASSLOOP_DOCKER, environment: process.env });
  registry = await startRegistry({ htpasswd });
});
afterAll(() => registry?.[Symbol.asyncDispose]());

/** What the registry answers of an image that nobody pushed: absent to who may look, refused to everybody else. */
async function ask(client: Engine): Promise<'absent' | 'refused' | string> {
  const { stderr } = await client.attempt(['manifest', 'inspect', '--insecure', `${registry.address}/nothing:v1`]);
  if (/no such manifest|manifest unknown/.test(stderr)) return 'absent';
  return /unauthorized|no basic auth|authentication required|denied/.test(stderr) ? 'refused' : stderr;
}

/** The text of every file below a folder, links left out. */
async function texts(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => readFile(path.join(entry.parentPath, entry.name), 'utf8')),
  );
}

it('logs a client in for a block, and writes no secret', async () => {
  await using user = await temporaryFolder('user');
  const plain = engine.with({ DOCKER_CONFIG: user.path });
  expect(await ask(plain)).toBe('refused');

  let folder = '';
  {
    const captured: Engine = {
      ...plain,
      with(variables) {
        folder = variables.DOCKER_CONFIG ?? '';
        return plain.with(variables);
      },
    };
    await using client = await withLogin(
      captured,
      { host: registry.address, username: 'passloop', password },
      { configFolder: user.path, searchPath },
    );
    expect(await ask(client)).toBe('absent');
    const written = await texts(folder);
    expect(written.length).toBe(3);
    for (const text of written) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(Buffer.from(`passloop:${password}`).toString('base64'));
    }
  }
  await expect(readdir(folder)).rejects.toThrow(/ENOENT/);
  expect(await readdir(user.path)).toEqual([]);
});

it("leaves the user's own login of that host as it is", async () => {
  await using user = await temporaryFolder('user');
  const auth = Buffer.from(`passloop:${password}`).toString('base64');
  await writeFile(path.join(user.path, 'config.json'), JSON.stringify({ auths: { [registry.address]: { auth } } }));
  await using client = await withLogin(
    engine.with({ DOCKER_CONFIG: user.path }),
    { host: registry.address, username: 'passloop', password: 'of another' },
    { configFolder: user.path, searchPath },
  );
  expect(await ask(client)).toBe('absent');
});

it("keeps the user's other logins, helpers and contexts, without copying a secret", async () => {
  await using user = await temporaryFolder('user');
  const bin = path.join(user.path, 'bin');
  await mkdir(bin);
  await mkdir(path.join(user.path, 'contexts'));
  const own = path.join(bin, 'docker-credential-own');
  await writeFile(own, `#!/bin/sh\ncat >/dev/null\necho '{"Username":"passloop","Secret":"${password}"}'\n`);
  await chmod(own, 0o700);
  const login = { host: 'other.example.com', username: 'x', password: 'job-token' };
  const auth = Buffer.from(`passloop:${password}`).toString('base64');

  for (const config of [{ auths: { [registry.address]: { auth } } }, { credHelpers: { [registry.address]: 'own' } }]) {
    await writeFile(path.join(user.path, 'config.json'), JSON.stringify(config));
    let folder = '';
    const base = engine.with({ DOCKER_CONFIG: user.path });
    const captured: Engine = {
      ...base,
      with(variables) {
        folder = variables.DOCKER_CONFIG ?? '';
        return base.with(variables);
      },
    };
    await using client = await withLogin(captured, login, {
      configFolder: user.path,
      searchPath: `${bin}${path.delimiter}${searchPath}`,
    });
    expect(await ask(client)).toBe('absent');
    expect(await readdir(folder)).toContain('contexts');
    for (const text of await texts(folder)) {
      expect(text).not.toContain(auth);
      expect(text).not.toContain('job-token');
    }
  }
});
