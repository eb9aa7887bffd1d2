import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type JobPermissions, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../../test/fixtures/registry.ts';
import { createPointer, createResult, createRun, hex } from './fixtures/documents.ts';
import { DeniedError } from './oci-registry.ts';
import { openOciStore } from './oci-store.ts';
import type { Store } from './store.ts';

/** A store in the registry of a forge, reached with the tokens that jobs get. */
let folder: TemporaryFolder;
let upstream: TestRegistry;
let github: LocalGithub;
let repository: string;
let time: number;
let count: number;

beforeEach(async () => {
  folder = await temporaryFolder('oci-forge');
  upstream = await startRegistry();
  time = Date.parse('2026-01-01T00:00:00Z');
  count = 0;
  github = await startLocalGithub({
    root: `${folder.path}/github`,
    registry: { upstream: upstream.url },
    clock: () => new Date(time),
  });
  await github.createRepository({ owner: 'acme', name: 'flights', private: true });
  await github.createRepository({ owner: 'acme', name: 'other', private: true });
  await github.createRepository({ owner: 'eve', name: 'flights', private: true });
  repository = `${new URL(github.url).host}/acme/flight-runs`;
});
afterEach(async () => {
  await github?.close();
  await upstream?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

type Job = { permissions?: JobPermissions; of?: string; isFork?: boolean };

async function open({
  permissions = { packages: 'write' },
  of = 'acme/flights',
  isFork = false,
}: Job = {}): Promise<Store> {
  const event = 'pull_request';
  const expiresAt = new Date(time + 60_000).toISOString();
  const password = await github.jobToken({ repository: of, event, permissions, isFork, expiresAt });
  return openStore(password);
}

function openStore(password: string): Store {
  return openOciStore({ repository, credentials: { username: 'ada', password }, retryDelaysMs: [] });
}

async function save(store: Store, runKey = `rk1-${hex('5')}`): Promise<string> {
  count += 1;
  const result = await createResult(`${folder.path}/${count}`, { 'out/model.joblib': `model ${runKey}` }, { runKey });
  return store.saveRun(result);
}

/** The message and what to do about it, in one text. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => `it was not refused: ${JSON.stringify(value)}`,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DeniedError);
  const { message, hint } = error as DeniedError;
  expect(message).not.toMatch(/404|not found|unknown/i);
  return `${message} ${hint}`;
}

const WRITE = /packages: write/;

describe('a job with packages: write', () => {
  it('makes the package with its first push, and reads it back; so does another job of the repository', async () => {
    const store = await open();
    expect(await store.findRun(`rk1-${hex('5')}`)).toBeNull();
    expect(await save(store)).toBe('stored');
    await store.writePointer(createPointer(), null);

    const reader = await open({ permissions: { packages: 'read' } });

    expect((await reader.findRun(`rk1-${hex('5')}`))?.run.runKey).toBe(createRun().runKey);
    await reader.restoreRun(`rk1-${hex('5')}`, `${folder.path}/restored`);
    expect(await reader.readPointer('flight-delay', 'prod')).toMatchObject({ model: 'flight-delay' });
    expect(await save(await open())).toBe('present');
  });
});

describe('a job that may not write', () => {
  it.each<[string, Job]>([
    ['asks for packages: read', { permissions: { packages: 'read' } }],
    ["is of a fork's pull request, whatever it asks for", { isFork: true }],
    ['is of a repository that may read', { of: 'acme/other' }],
  ])('because it %s is told so by its first write', async (_, job) => {
    await save(await open());
    await github.grantPackage('acme/flight-runs', 'acme/other', 'read');
    const pushed = github.counts().byOperation['registry/push'];
    const store = await open(job);

    expect(await store.findRun(`rk1-${hex('5')}`)).not.toBeNull();
    const said = await refusal(save(store, `rk1-${hex('7')}`));

    expect(said).toMatch(/answered 403 \(DENIED .*\): write to .*\/acme\/flight-runs/);
    expect(said).toMatch(/permissions: \{packages: write\}/);
    expect(said).toMatch(/Manage Actions access/);
    expect(await (await open()).findRun(`rk1-${hex('7')}`)).toBeNull();
    expect(github.counts().byOperation['registry/push']).toBeGreaterThan(pushed ?? 0);
  });

  it.each<[string, Job]>([
    ['may only read', { permissions: { packages: 'read' } }],
    ['asks for nothing', { permissions: {} }],
  ])('finds no package that is not there yet when it %s, and is told who makes it', async (_, job) => {
    const store = await open(job);
    expect(await refusal(store.findRun(`rk1-${hex('5')}`))).toMatch(WRITE);
    expect(await refusal(save(store))).toMatch(WRITE);
    expect(await refusal(store.writePointer(createPointer(), null))).toMatch(
      /job needs `permissions: \{packages: write\}`/,
    );
  });
});

describe('a job of another owner', () => {
  it('neither reads nor writes nor makes the package', async () => {
    const store = await open({ of: 'eve/flights' });
    expect(await refusal(store.writePointer(createPointer(), null))).toMatch(/same owner/);
    await save(await open());
    expect(await refusal(store.findRun(`rk1-${hex('5')}`))).toMatch(/packages: read/);
    expect(await refusal(store.writePointer(createPointer(), null))).toMatch(WRITE);
  });
});

describe('a token', () => {
  it('that ends between two calls is named at the next write, and at the next read', async () => {
    const store = await open();
    await save(store);
    time += 60_000;

    const written = await refusal(store.writePointer(createPointer(), null));
    const read = await refusal(store.findRun(`rk1-${hex('5')}`));

    expect(written).toMatch(/answered 401/);
    expect(written).toMatch(/they have ended .*job needs `permissions: \{packages: write\}`/);
    expect(read).toMatch(/they have ended .*job needs `permissions: \{packages: read\}`/);
    expect(await (await open()).readPointer('flight-delay', 'prod')).toBeNull();
  });

  it.each([
    ['the second blob', 2],
    ['the manifest', 3],
    ['the tag', 4],
  ])('that ends at %s leaves no entry behind, and the next job writes it whole', async (_, nth) => {
    await save(await open());
    const store = await open();
    github.inject({ match: { method: 'PUT', operation: 'registry/push', nth }, fault: 'token-expired' });

    const said = await refusal(save(store, `rk1-${hex('7')}`));

    expect(said).toMatch(/answered 401 .*packages: write/);
    expect(await (await open()).findRun(`rk1-${hex('7')}`)).toBeNull();
    expect(await save(await open(), `rk1-${hex('7')}`)).toBe('stored');
  });

  it('that nobody gave is told apart from none', async () => {
    expect(await refusal(openStore('ghs_none').findRun(`rk1-${hex('5')}`))).toMatch(/does not accept the credentials/);
    const anonymous = openOciStore({ repository, credentials: null, retryDelaysMs: [] });
    expect(await refusal(anonymous.findRun(`rk1-${hex('5')}`))).toMatch(/Nobody is logged in/);
  });
});
