import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type ImageDocument, parseDocument } from '@passloop/documents';
import type { JobPermissions } from '@passloop/local-github';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, createWorld, type World } from '../world/world.ts';

/**
 * A private repository with its results and images in the forge's own registry: the built command logs in with nothing but the
 * token that its job has. The steps build on one another.
 */
let folder: TemporaryFolder;
let world: World;

beforeAll(async () => {
  folder = await temporaryFolder('forge-registry');
  world = await createWorld({
    folder: folder.path,
    base: 'passloop-base:bookworm',
    private: true,
    forgeRegistry: true,
  });
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function job(args: string[], permissions: JobPermissions, repository = 'acme/flights'): Promise<Answer> {
  const token = await world.github.jobToken({ repository, event: 'push', permissions });
  const answer = await world.passloop([...args, '--json', path.join(folder.path, 'document.json')], {
    env: { GITHUB_TOKEN: token, GITHUB_ACTOR: 'ada', HOME: folder.path, DOCKER_CONFIG: '' },
  });
  for (const stream of [answer.stdout, answer.stderr]) expect(stream).not.toContain(token);
  return answer;
}

async function refusal(answer: Answer): Promise<string> {
  expect(answer.exitCode, answer.stdout + answer.stderr).not.toBe(0);
  const error = parseDocument('error', await readFile(path.join(folder.path, 'document.json'), 'utf8'), 'error');
  return `${error.message} ${error.hint}`;
}

const write: JobPermissions = { contents: 'read', packages: 'write' };
const read: JobPermissions = { contents: 'read', packages: 'read' };

it('is told what the job lacks before the first push', async () => {
  expect(await refusal(await job(['train', 'run'], read))).toMatch(/packages: write/);
});

it('stores a run and pushes an image with the token of a job that may write packages', async () => {
  const trained = await job(['train', 'run'], write);
  expect(trained.exitCode, trained.stdout + trained.stderr).toBe(0);
  const pushed = await job(['package', 'push'], write);
  expect(pushed.exitCode, pushed.stdout + pushed.stderr).toBe(0);

  const image = JSON.parse(await readFile(path.join(folder.path, 'document.json'), 'utf8')) as ImageDocument;
  // no login is left on the disk
  expect(await readdir(folder.path)).not.toContain('.docker');
  expect(image.reference?.startsWith(world.image) ?? false).toBe(true);
  expect(world.github.log.some((call) => call.operations.includes('registry/push') && call.status === 201)).toBe(true);
}, 300_000);

describe('a second job', () => {
  it('that may read finds the run again, and trains nothing', async () => {
    const pushes = () => world.github.log.filter((call) => call.operations.includes('registry/push')).length;
    const before = pushes();
    const again = await job(['train', 'run'], read);

    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    expect(JSON.parse(await readFile(path.join(folder.path, 'document.json'), 'utf8'))).toMatchObject({ cache: 'hit' });
    expect(pushes()).toBe(before);
  });

  it('of the deploy repository is refused until the package is shared with it', async () => {
    const refused = await refusal(await job(['train', 'run'], read, 'acme/deploy'));
    await world.github.grantPackage('acme/flight-delay-runs', 'acme/deploy', 'read');
    const granted = await job(['train', 'run'], read, 'acme/deploy');

    expect(refused).toMatch(/Manage Actions access/);
    expect(granted.exitCode, granted.stdout + granted.stderr).toBe(0);
  });
});
