import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { expect, it } from 'vitest';
import { planPromotions } from './plan-promotion.ts';
import { deploy } from './testing/deployed-world.ts';
import { provenWorld } from './testing/proven-world.ts';
import { openWorkspace } from './workspace.ts';

it("finds production's predictions though the commit that was trained is in no branch any more", async () => {
  await using folder = await temporaryFolder('pointer');
  await using proven = await provenWorld(folder.path);
  const { world, context, store, model } = proven;
  const trained = await world.git(world.flightsClone, 'rev-parse', 'HEAD');
  await world.git(world.flightsClone, 'commit', '-q', '--amend', '-m', 'The same, squashed');
  await world.git(world.flightsClone, 'push', '-q', '--force', 'origin', 'main');
  const clone = path.join(folder.path, 'clone');
  await world.git(folder.path, 'clone', '-q', world.flights.cloneUrlWith(world.tokens.team), clone);
  const workspace = await openWorkspace({ ...context, cwd: clone });
  expect(await workspace.repository.resolve(trained)).toBeNull();
  const runKey = (await planPromotions({ ...context, cwd: clone }, {})).document.models[0]?.runKey ?? '';
  const run = (await store.findRun(runKey))?.run;
  expect(run?.producer.commit).toBe(trained);
  const { name: repository, commit, tree } = workspace;
  await deploy(world, 'one', {
    runKey,
    modelDigest: run?.modelDigest ?? '',
    source: { repository, commit, tree, ref: 'refs/heads/main', run: null },
    evaluation: { dataset: 'test', rows: 100, evaluationDigest: `sha256:${'e'.repeat(64)}` },
  });

  await planPromotions({ ...context, cwd: clone }, {});

  const pointer = await store.readPointer(model.name, 'prod');
  expect(pointer).toMatchObject({ runKey, modelDigest: run?.modelDigest });
  expect(pointer?.holdouts).toMatchObject([{ evaluationDigest: `sha256:${'e'.repeat(64)}`, promotions: 1 }]);
  expect(pointer?.evaluatedOn).toMatch(/^sha256:/);
  expect(await store.restorePredictions(model.name, 'prod', path.join(folder.path, 'predictions'))).not.toBeNull();
});
