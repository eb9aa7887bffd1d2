import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { type PromotionDocument, parseDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createWorld, type World } from '../../../test/world/world.ts';

/** `passloop promote` on the sources, up to where it would need an engine. */
const command = path.resolve(import.meta.dirname, '../../cli/src/main.ts');

async function changed(world: World, change: (text: string) => string): Promise<void> {
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const before = await readFile(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(file, after);
  await world.git(world.flightsClone, 'commit', '-qam', 'Change the model file');
}

async function promote(world: World, args: string[], exitCode: number): Promise<PromotionDocument> {
  const answer = await world.passloop(['promote', ...args, '--json', '-']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
  return parseDocument('promotion', answer.stdout, 'promotion.json');
}

it('plans without training, building, pushing or writing anything', async () => {
  await using folder = await temporaryFolder('promote');
  await using world = await createWorld({ folder: folder.path, command });

  const plan = await promote(world, ['--plan'], 0);

  expect(plan).toMatchObject({
    outcome: 'unchanged',
    reason: expect.stringMatching(
      /^A plan: the key of this commit \(rk1-[0-9a-f]{64}\) is unknown and would be trained/,
    ),
  });
  const catalog = await fetch(`${world.registry?.url}/v2/_catalog`);
  expect(await catalog.json()).toEqual({ repositories: [] });
  expect(world.github.log.filter((call) => call.login === 'passloop-bot').map((call) => call.operations)).toEqual([
    ['repository'],
  ]);
  expect(await readdir(world.flightsClone)).not.toContain('.passloop');
});

it('stops before training where a manifest cannot be edited, or nothing would measure the model', async () => {
  await using folder = await temporaryFolder('promote');
  await using world = await createWorld({ folder: folder.path, command });

  await changed(world, (text) => text.replace('prod/kustomization.yaml', 'prod/gone.yaml'));
  const gone = await world.passloop(['promote']);
  expect(gone.exitCode).toBe(2);
  expect(gone.stderr).toMatch(/has no file apps\/flight-delay\/prod\/gone\.yaml/);

  await changed(world, (text) =>
    text
      .replace('prod/gone.yaml', 'prod/kustomization.yaml')
      .replace(/\n {4}evaluate:[\s\S]*?\n {4}gates:/, '\n    gates:'),
  );
  const answer = await world.passloop(['promote']);
  expect(answer.exitCode).toBe(2);
  expect(answer.stderr).toMatch(/flight-delay has no `evaluate` section/);
  expect(await readdir(world.flightsClone)).not.toContain('.passloop');
});

it('stops before training where the data of the commit fails, or nothing checks it: a branch can be pushed to', async () => {
  await using folder = await temporaryFolder('promote');
  await using world = await createWorld({ folder: folder.path, command });

  await changed(world, (text) =>
    text.replace('column: distance, min: 1, max: 5000', 'column: distance, min: 1, max: 3000'),
  );
  const failing = await promote(world, [], 1);
  expect(failing.outcome).toBe('blocked');
  expect(failing.reason).toMatch(/^[\d,]+ rows of distance of train are out of range/);

  await changed(world, (text) => text.replace(/\n {8}checks:\n(?: {10}.*\n)+/g, '\n'));
  const unchecked = await promote(world, [], 1);
  expect(unchecked).toMatchObject({ outcome: 'blocked', reason: expect.stringMatching(/declares a check/) });

  const catalog = await fetch(`${world.registry?.url}/v2/_catalog`);
  expect(await catalog.json()).toEqual({ repositories: [] });
});
