import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { expect, it } from 'vitest';
import { planPromotions } from './plan-promotion.ts';
import { promote } from './promote.ts';
import { provenWorld } from './testing/proven-world.ts';

it('asks nobody to prove again what people closed, warns of it, and takes it where somebody asks again', async () => {
  await using folder = await temporaryFolder('promotion-refusal');
  await using proven = await provenWorld(folder.path);
  const { world, context } = proven;
  const proof = { folder: proven.folder };
  const opened = await promote(context, { proof });
  expect(opened, opened.reason ?? '').toMatchObject({ outcome: 'created' });
  const closed = await fetch(`${world.github.restUrl}/repos/acme/deploy/pulls/${opened.pullRequest?.number}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.tokens.team}`, 'content-type': 'application/json' },
    body: JSON.stringify({ state: 'closed' }),
  });
  expect(closed.status).toBe(200);

  const said = expect.stringMatching(/^ada closed the pull request of this very promotion to prod/);
  const { document } = await planPromotions(context, {});
  expect(document).toMatchObject({ verdict: 'warn', models: [{ needs: 'nothing', outcome: 'blocked', reason: said }] });
  const writes = proven.writes();
  expect(await promote(context, { proof })).toMatchObject({ outcome: 'blocked', reason: said });
  expect(proven.writes()).toBe(writes);

  const { document: again } = await planPromotions(context, { again: true });
  expect(again.models).toMatchObject([{ needs: 'image', outcome: 'pending' }]);
  expect(await promote(context, { proof, again: true })).toMatchObject({ outcome: 'created' });
  expect((await planPromotions(context, {})).document.models).toMatchObject([{ outcome: 'unchanged' }]);
});

it('keeps what is asked for again waiting for the environment before it, as everything else', async () => {
  await using folder = await temporaryFolder('promotion-again');
  await using proven = await provenWorld(folder.path);
  const { world, context } = proven;
  const opened = await promote(context, { proof: { folder: proven.folder } });
  const closed = await fetch(`${world.github.restUrl}/repos/acme/deploy/pulls/${opened.pullRequest?.number}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.tokens.team}`, 'content-type': 'application/json' },
    body: JSON.stringify({ state: 'closed' }),
  });
  expect(closed.status).toBe(200);
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const text = await readFile(file, 'utf8');
  const target = `{kind: kustomize, file: apps/flight-delay/staging/kustomization.yaml, image: "${world.image}"}`;
  const changed = text
    .replace(/^( *)environments:\n/m, `$&$1  - {name: staging, targets: [${target}]}\n`)
    .replace('name: prod', 'name: prod\n          after: staging');
  await writeFile(file, changed);
  await world.git(world.flightsClone, 'commit', '-qam', 'Staging comes first');

  const asked = { environment: 'prod', again: true, plan: true };
  expect(await promote(context, asked)).toMatchObject({
    outcome: 'pending',
    reason: expect.stringMatching(/^It waits for staging to run this very model/),
  });
});
