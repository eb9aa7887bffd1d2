import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { World } from '../world/world.ts';
import { type ActionsWorld, actionsWorld } from './actions-world.ts';
import { laySuite } from './suite.ts';

const flights = 'acme/flights';
const deploy = 'acme/deploy';
const templates = path.resolve(import.meta.dirname, '../../workflows-templates');

/**
 * A world whose two repositories have taken over the starters of this suite, as a team does: the workflows on main, an App that is installed on both,
 * and its key as a secret of the environment that only main reaches. The suite is laid below `folder`.
 */
export async function startersWorld(world: World, folder: string): Promise<ActionsWorld> {
  const app = await world.github.createApp({
    slug: 'passloop',
    account: 'acme',
    repositories: [deploy, flights],
    permissions: { actions: 'write', contents: 'write', pull_requests: 'write', metadata: 'read' },
  });
  const settings = {
    variables: { PASSLOOP_APP_CLIENT_ID: app.clientId },
    environments: { passloop: { secrets: { PASSLOOP_APP_PRIVATE_KEY: app.privateKey }, branches: ['main'] } },
  };
  const actions = actionsWorld(world, await laySuite(folder), { [flights]: settings, [deploy]: settings });
  await useStarters(world, world.flightsClone, ['model-check', 'model-promote', 'model-report', 'model-rollback']);
  await useStarters(world, world.deployClone, ['deploy-check', 'deploy-chain']);
  return actions;
}

async function useStarters(world: World, clone: string, names: readonly string[]): Promise<void> {
  const workflows = path.join(clone, '.github/workflows');
  await mkdir(workflows, { recursive: true });
  for (const name of names) {
    const starter = await readFile(path.join(templates, `${name}.yml`), 'utf8');
    await writeFile(path.join(workflows, `${name}.yml`), starter.replaceAll('$default-branch', 'main'));
  }
  await world.git(clone, 'add', '.');
  await world.git(clone, 'commit', '-qm', 'Use the workflows of Passloop');
  await world.git(clone, 'push', '-q');
}
