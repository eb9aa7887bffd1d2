import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileDigest, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installer } from './recipe.ts';
import { downloadArguments, pipWheelSource } from './wheels.ts';

let cache: TemporaryFolder;

beforeAll(async () => {
  cache = await temporaryFolder('wheels-test');
});
afterAll(() => cache[Symbol.asyncDispose]());

const request = { requirements: [installer], python: '3.11', platform: 'linux/amd64' };

describe('pipWheelSource', () => {
  it('downloads by hash, and the second time asks nobody', async () => {
    const folder = await pipWheelSource({ cache: cache.path, python: 'python3', environment: process.env })(request);
    const [wheel = '', ...more] = await readdir(folder);
    expect(more).toEqual([]);
    expect(await fileDigest(path.join(folder, wheel))).toBe(installer.hashes[0]);

    const again = pipWheelSource({ cache: cache.path, python: '/nowhere/python3', environment: {} });
    expect(await again(request)).toBe(folder);
  }, 120_000);

  it('keeps other interpreters apart, and leaves nothing half-made behind', async () => {
    const source = pipWheelSource({ cache: cache.path, python: '/nowhere/python3', environment: {} });
    await expect(source({ ...request, python: '3.12' })).rejects.toMatchObject({
      code: 'infrastructure',
      hint: expect.stringContaining('python3-pip'),
    });
    expect(await readdir(cache.path)).toHaveLength(1);
  });

  it('refuses a file whose hash the lock does not name', async () => {
    const wrong = { ...installer, hashes: [`sha256:${'0'.repeat(64)}`] };
    const source = pipWheelSource({ cache: cache.path, python: 'python3', environment: process.env });
    await expect(source({ ...request, requirements: [wrong] })).rejects.toMatchObject({ code: 'configuration' });
    expect(await readdir(cache.path)).toHaveLength(1);
  }, 120_000);

  it('an empty lock needs no download', async () => {
    const source = pipWheelSource({ cache: cache.path, python: '/nowhere/python3', environment: {} });
    expect(await readdir(await source({ ...request, requirements: [] }))).toEqual([]);
  });
});

it('knows no wheels of other machines', () => {
  expect(() => downloadArguments({ ...request, platform: 'windows/amd64' })).toThrow(/No wheels are known/);
  expect(() => downloadArguments({ ...request, python: '3.11 --pre' })).toThrow(/No wheels are known/);
});
