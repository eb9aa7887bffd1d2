import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ConfigurationError } from '@passloop/core';
import { type GithubOptions, octokitForge } from '@passloop/github';
import type { DeployQuery, Forge, RetryPorts } from '@passloop/gitops';
import { type Environment, type LoadedModel, productionEnvironment } from '@passloop/model';
import type { Context } from './context.ts';
import { modelIdentity, type Workspace } from './workspace.ts';

/**
 * The deploy repository on its forge. The token is PASSLOOP_DEPLOY_TOKEN (an App's installation token or a fine-grained
 * one), or GITHUB_TOKEN where both repositories are one; the forge is the job's own (GITHUB_API_URL) or github.com.
 */
export async function openDeployRepository(context: Context, repository: string): Promise<Forge> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new ConfigurationError(
      `deploy.repository is ${JSON.stringify(repository)}; this version reads deploy repositories on GitHub.`,
      { hint: 'Write owner/name. The forge is the one of the job (GITHUB_API_URL), github.com by default.' },
    );
  }
  const token = context.env.PASSLOOP_DEPLOY_TOKEN ?? (await context.tokenFor?.(repository)) ?? context.env.GITHUB_TOKEN;
  if (token === undefined || token === '') {
    throw new ConfigurationError(`There is no token for ${repository}.`, {
      hint: 'Set PASSLOOP_DEPLOY_TOKEN to a token with `contents: write` and `pull_requests: write` on that repository (reading needs `contents: read`).',
    });
  }
  return octokitForge({ ...githubOptions(context), repository, token });
}

/** The forge of the job, or github.com. */
export function githubOptions(context: Context): Pick<GithubOptions, 'baseUrl' | 'sleep' | 'userAgent'> {
  return { baseUrl: context.env.GITHUB_API_URL, sleep: retryPorts.sleep, userAgent: `passloop/${context.version}` };
}

/** What a model's promotions read and write. @throws ConfigurationError where the model file has no `deploy` */
export function deployQuery(
  workspace: Workspace,
  model: LoadedModel,
): { query: DeployQuery; repository: string; environments: Environment[] } {
  if (model.deploy === undefined) {
    throw new ConfigurationError(`${model.name} has no \`deploy\` section: nothing says where it runs.`, {
      file: model.file,
      line: model.lineOf([]),
      hint: 'Add deploy: {repository: owner/name, environments: [{name: prod, targets: [{kind: kustomize, file: …, image: …}]}]}.',
    });
  }
  return {
    repository: model.deploy.repository,
    environments: model.deploy.environments,
    query: {
      model: model.name,
      identity: modelIdentity(workspace, model),
      environments: model.deploy.environments,
      branch: model.deploy.branch ?? null,
    },
  };
}

/** The environment that was asked for, or production. @throws ConfigurationError that lists the names */
export function environmentNamed(model: LoadedModel, name: string | undefined): Environment {
  const environments = model.deploy?.environments ?? [];
  const found =
    name === undefined ? productionEnvironment(model) : environments.find((environment) => environment.name === name);
  if (found === null || found === undefined) {
    throw new ConfigurationError(`${model.name} has no environment ${JSON.stringify(name ?? 'production')}.`, {
      hint:
        environments.length === 0
          ? 'It has none: `passloop manifests` writes the first manifests, and says what to add to the model file.'
          : `It has: ${environments.map((environment) => environment.name).join(', ')}.`,
    });
  }
  return found;
}

export const retryPorts: RetryPorts = {
  sleep: async (milliseconds) => {
    await setTimeout(milliseconds);
  },
  random: () => randomInt(2 ** 32) / 2 ** 32,
};

/** Who acts, as holds and records say it. */
export function actor(context: Context): string {
  return context.env.GITHUB_ACTOR ?? context.env.USER ?? 'unknown';
}
