import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { promote } from './promote.ts';
import { recordFile } from './testing/deployed-world.ts';
import { type ProvenWorld, provenWorld } from './testing/proven-world.ts';

function take(proven: ProvenWorld) {
  return promote(proven.context, { proof: { folder: proven.folder } });
}

it('records what callers of the image send and get, and says how its data was checked', async () => {
  await using folder = await temporaryFolder('promotion-origin');
  await using proven = await provenWorld(folder.path);

  const document = await take(proven);

  expect(document, document.reason ?? '').toMatchObject({ outcome: 'created' });
  const { deploy } = proven.world;
  const text = await proven.world.git(deploy.directory, 'show', `promote/flight-delay/prod:${recordFile}`);
  const { image } = parseDocument('record', text, recordFile);
  expect(image.signature?.inputs.map(({ name }) => name)).toContain('distance');
  expect(image.signature?.outputs.map(({ name }) => name)).toContain('score');
  expect(deploy.pullRequests()[0]?.body).toMatch(/^\*\*Data\*\* `train` \d+ checks passed on 60,000 rows · `test` /m);
});

it('promotes nothing whose image is gone from its registry, though the store knows it and its proof passes', async () => {
  await using folder = await temporaryFolder('promotion-origin');
  await using proven = await provenWorld(folder.path);
  const image = parseDocument('image', await readFile(path.join(proven.folder, 'image.json'), 'utf8'), 'image.json');
  const digest = image.digest ?? '';
  const blobs = path.join(proven.world.registry?.storage ?? '', 'docker/registry/v2/blobs/sha256');
  await rm(path.join(blobs, digest.slice(7, 9), digest.slice(7)), { recursive: true });

  const document = await take(proven);

  expect(document).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringContaining(`The image is not in its registry: ${image.reference}`),
    pullRequest: null,
  });
  expect(proven.writes()).toBe(0);
});

it('promotes nothing that a fork made, however it came into the store', async () => {
  await using folder = await temporaryFolder('promotion-origin');
  await using proven = await provenWorld(folder.path, { producer: 'mallory/flights' });

  expect(await take(proven)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringMatching(/was made by mallory\/flights, not by acme\/flights: nothing of a fork is promoted/),
  });
  expect(proven.writes()).toBe(0);
});
