import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { load } from 'js-yaml';
import { type Bundle, type BundleRun, runBundle } from '../actions/run-bundle.ts';
import type { EventRun } from './event-run.ts';
import { jobTokenOf } from './job-token.ts';
import type { World } from './world.ts';

/** A step of a job that runs one of our actions. */
export type JobStep = {
  action: string;
  workspace: string;
  /** Without `token` an action that takes one gets that of its job. */
  inputs?: Record<string, string>;
  /** The run, and the id of the job in it; without them a step has inputs and addresses alone. */
  of?: { run: EventRun; job: string };
  env?: Record<string, string>;
};

const actions = path.resolve(import.meta.dirname, '../../actions');

/**
 * Runs a step by the built action, as a job of a world's model repository.
 * @throws Error when a secret of the world or of the step stands in the log
 */
export async function jobStep(world: World, bundle: Bundle, step: JobStep): Promise<BundleRun> {
  const { action, workspace, of } = step;
  const inputs = { ...step.inputs };
  if (of !== undefined && inputs.token === undefined && (await takesToken(action))) {
    inputs.token = await jobTokenOf(world, of.run, of.job);
  }
  const runtimeToken = of?.run.handle.runtimeTokenOf(of.job);
  const done = await runBundle(bundle, action, {
    workspace,
    inputs,
    env: {
      GITHUB_API_URL: world.github.restUrl,
      // GitHub's artifact client takes any other name for a GitHub Enterprise Server, which it doesn't speak to.
      GITHUB_SERVER_URL: world.github.url.replace('127.0.0.1', 'github.localhost'),
      GITHUB_REPOSITORY: 'acme/flights',
      GITHUB_ACTOR: 'ada',
      PASSLOOP_DOCKER: world.docker ?? '/nowhere/docker',
      ...of?.run.env,
      ...(runtimeToken === undefined ? {} : { ACTIONS_RUNTIME_TOKEN: runtimeToken }),
      ...step.env,
    },
  });
  const given = Object.entries(inputs).flatMap(([name, value]) => (/token/.test(name) && value !== '' ? [value] : []));
  const runtimeTokens = of === undefined ? [] : [of.run.handle.runtimeToken, runtimeToken ?? ''];
  refuseSecrets(done.log, [...Object.values(world.tokens), ...given, ...runtimeTokens, 'AGE-SECRET-KEY-1']);
  return done;
}

async function takesToken(action: string): Promise<boolean> {
  const { inputs } = load(await readFile(path.join(actions, action, 'action.yml'), 'utf8')) as { inputs: object };
  return 'token' in inputs;
}

function refuseSecrets(log: string, secrets: readonly string[]): void {
  const lines = log.split('\n').filter((line) => !line.startsWith('::add-mask::'));
  const found = lines.filter((line) => secrets.some((secret) => line.includes(secret)));
  if (found.length > 0) throw new Error(`A secret in the log:\n${found.join('\n')}`);
}
