import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openGitRepository, sha256, silentProgress } from '@passloop/core';
import { octokitForge } from '@passloop/github';
import { promote } from '@passloop/gitops';
import { loadModelsAt } from '@passloop/model';
import type { CandidateRecord } from '@passloop/record';
import { trainingKey } from '@passloop/training';
import { createWorld, type World } from '../../../../test/world/world.ts';
import { createCandidate } from '../../../record/src/fixtures/documents.ts';
import type { Context } from '../context.ts';
import { command, pushedImage } from './deployed-world.ts';

export type ChainedWorld = World & {
  /** For the verbs themselves, at a time that a test chooses. */
  context(now: string | Date, env?: Record<string, string>): Context;
  /** Writes the environments of the model file anew, and commits. */
  environments(...lines: string[]): Promise<void>;
  /** Lands a version in an environment; HEAD's own where it is named `head`. With `review` its pull request waits. */
  land(environment: string, version: string, merge?: 'auto' | 'review'): Promise<CandidateRecord>;
  landedAt(): Promise<Date>;
};

/** A team with staging, eu and us beside prod in its deploy repository; what runs comes by `land`, so no engine and no training. */
export async function chainedWorld(folder: string, options: { private?: boolean } = {}): Promise<ChainedWorld> {
  const world = await createWorld({ folder, command, ...options });
  const apps = path.join(world.deployClone, 'apps/flight-delay');
  for (const name of ['staging', 'eu', 'us'])
    await cp(path.join(apps, 'prod'), path.join(apps, name), { recursive: true });
  await world.git(world.deployClone, 'add', '.');
  await world.git(world.deployClone, 'commit', '-qm', 'More environments');
  await world.git(world.deployClone, 'push', '-q');
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' };

  return {
    ...world,
    context: (now, more = {}) => ({
      cwd: world.flightsClone,
      env: {
        ...env,
        GITHUB_API_URL: world.github.restUrl,
        GITHUB_TOKEN: world.tokens.job,
        PASSLOOP_DEPLOY_TOKEN: world.tokens.deploy,
        ...more,
      },
      now: () => new Date(now),
      progress: silentProgress,
      version: '0.0.0',
    }),
    async environments(...lines) {
      const file = path.join(world.flightsClone, 'passloop.yaml');
      const text = await readFile(file, 'utf8');
      const list = lines.map((line) => {
        const name = /^(?:name: )?([a-z-]+)/.exec(line)?.[1] ?? '';
        const target = `{kind: kustomize, file: apps/flight-delay/${name}/kustomization.yaml, image: "${world.image}"}`;
        return `        - {name: ${line}, targets: [${target}]}`;
      });
      await writeFile(file, text.replace(/ {6}environments:\n[\s\S]*$/, `      environments:\n${list.join('\n')}\n`));
      await world.git(world.flightsClone, 'commit', '-qam', 'Change the environments');
    },
    async land(environment, version, merge = 'auto') {
      const candidate = await landedCandidate(world, version);
      const target = {
        kind: 'kustomize' as const,
        file: `apps/flight-delay/${environment}/kustomization.yaml`,
        image: world.image,
      };
      const { model, identity } = candidate;
      const query = { model, identity, environments: [{ name: environment, targets: [target] }], branch: null };
      const evidence = { comparison: null, changes: [], facts: [], previousImage: null };
      const token = world.tokens.deploy;
      const repository = 'acme/deploy';
      const forge = octokitForge({ repository, token, baseUrl: world.github.restUrl, sleep: async () => {} });
      const request = { environment, candidate, evidence, at: '2026-11-22T10:10:00Z' };
      const ports = { sleep: async () => {}, random: () => 0.5 };
      const promoted = await promote(forge, query, request, { merge, ports });
      if (promoted.merged !== (merge === 'auto'))
        throw new Error(`${version} did not land in ${environment}: ${promoted.reason}`);
      return candidate;
    },
    async landedAt() {
      return new Date(await world.git(world.deploy.directory, 'log', '-1', '--format=%cI', 'main'));
    },
  };
}

async function landedCandidate(world: World, version: string): Promise<CandidateRecord> {
  const repository = await openGitRepository(world.flightsClone, { PATH: process.env.PATH ?? '' });
  const [model] = await loadModelsAt(repository, 'HEAD');
  if (model === undefined) throw new Error('there is no model');
  const runKey = version === 'head' ? (await trainingKey(repository, 'HEAD', model)).runKey : null;
  const image = await pushedImage(world, version);
  return createCandidate(version, { modelDigest: sha256(`model ${version}`), image, runKey, source: null });
}
