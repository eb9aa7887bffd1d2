import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '@passloop/core';
import { octokitForge } from '@passloop/github';
import { promote } from '@passloop/gitops';
import { type CandidateRecord, openRegistry } from '@passloop/record';
import { createWorld, type World } from '../../../../test/world/world.ts';
import { createCandidate } from '../../../record/src/fixtures/documents.ts';

/** The command on the sources. */
export const command = path.resolve(import.meta.dirname, '../../../cli/src/main.ts');
export const recordFile = '.passloop/prod/flight-delay.json';
export const manifestFile = 'apps/flight-delay/prod/kustomization.yaml';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** A team whose prod merges promotions and rollbacks by itself. No engine and no training: what runs comes by `deploy`. */
export async function deployedWorld(folder: string): Promise<World> {
  const world = await createWorld({ folder, command });
  const file = path.join(world.flightsClone, 'passloop.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('merge: review', 'merge: auto'));
  await world.git(world.flightsClone, 'commit', '-qam', 'Merge promotions');
  return world;
}

/** An image of nothing, but a real one: its manifest is in the world's registry. */
export async function pushedImage(world: World, version: string): Promise<CandidateRecord['image']> {
  const registry = openRegistry({ repository: world.image, credentials: null });
  await registry.pushBlob(sha256('{}'), { text: '{}' });
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 };
  const annotations = { version };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [], annotations });
  const digest = await registry.pushManifest(sha256(manifest), manifestType, manifest);
  return { reference: `${world.image}@${digest}`, digest, imageKey: null, bytes: null };
}

/** A version of the model, in an image that is pushed. */
export async function versionOfImage(world: World, version: string): Promise<CandidateRecord> {
  return createCandidate(version, { image: await pushedImage(world, version), runKey: null, source: null });
}

/**
 * A version that runs in prod from now on, with whatever its record says beside its image. With `merge: 'review'` its pull request waits.
 */
export async function deploy(
  world: World,
  version: string,
  record: Partial<CandidateRecord> = {},
  merge: 'auto' | 'review' = 'auto',
  place: { file: string; image: string } = { file: manifestFile, image: world.image },
): Promise<CandidateRecord> {
  const candidate = { ...(await versionOfImage(world, version)), ...record };
  const forge = octokitForge({
    repository: 'acme/deploy',
    token: world.tokens.deploy,
    baseUrl: world.github.restUrl,
    sleep: async () => {},
  });
  const target = { kind: 'kustomize' as const, ...place };
  const query = {
    model: candidate.model,
    identity: candidate.identity,
    environments: [{ name: 'prod', targets: [target] }],
    branch: null,
  };
  const evidence = { comparison: null, changes: [], facts: [], previousImage: null };
  const request = { environment: 'prod', candidate, evidence, at: '2026-11-22T10:10:00Z' };
  const ports = { sleep: async () => {}, random: () => 0.5 };
  const promoted = await promote(forge, query, request, { merge, ports });
  if (promoted.merged !== (merge === 'auto') || promoted.pullRequest === null)
    throw new Error(`${version} was not deployed: ${promoted.reason}`);
  return candidate;
}
