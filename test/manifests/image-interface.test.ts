import { readFileSync } from 'node:fs';
import path from 'node:path';
import { imageInterface } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { dockerfile } from '../../packages/packaging/src/recipe.ts';

/** What manifests say of an image is what its recipe and its server say of themselves. */
it('has the ports, the user, the variable and the paths of the image', () => {
  const { restPort, grpcPort, user, nameVariable, live, ready, metrics } = imageInterface;
  const recipe = dockerfile({
    model: 'flight',
    modelDigest: `sha256:${'a'.repeat(64)}`,
    base: `python:3.11-slim@sha256:${'b'.repeat(64)}`,
    imageKey: `ik1-${'c'.repeat(64)}`,
    runtimeVersion: '1',
  });
  expect(recipe).toContain(`EXPOSE ${restPort} ${grpcPort}\n`);
  expect(recipe).toContain(`USER ${user}:${user}\n`);
  expect(recipe).toContain(`${nameVariable}="flight"`);
  const server = path.resolve(import.meta.dirname, '../../packages/packaging/src/runtime/passloop_runtime');
  const routes = readFileSync(path.join(server, 'rest.py'), 'utf8');
  for (const route of [live, ready, metrics]) expect(routes).toContain(`"${route}": (`);
  // What the analysis of a rollout asks for.
  const names = readFileSync(path.join(server, 'metrics.py'), 'utf8');
  for (const name of ['passloop_requests_total', 'passloop_infer_seconds_bucket']) expect(names).toContain(name);
});
