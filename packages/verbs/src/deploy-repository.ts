import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ConfigurationError, plainText } from '@passloop/core';
import { type GithubOptions, gitForge, gitRemote, gitRemoteVariables, isGitUrl, octokitForge } from '@passloop/github';
import type { DeployQuery, Forge, RetryPorts } from '@passloop/gitops';
import { type Environment, type LoadedModel, productionEnvironment } from '@passloop/model';
import { type Context, toolEnvironment } from './context.ts';
import { modelIdentity, type Workspace } from './workspace.ts';

/** Where a verb finds its deploy repository, if not where the model file says: what the person or the job asked for. */
export type DeployPlace = {
  /** `owner/name` or a git URL; the one of the model file by default. */
  deployRepo?: string | undefined;
};

/**
 * The deploy repository on its forge: `owner/name` on the forge of the job (GITHUB_API_URL) or github.com, with the token
 * PASSLOOP_DEPLOY_TOKEN (an App's installation token or a fine-grained one), or GITHUB_TOKEN where both repositories are one;
 * a URL by git alone and git's own credentials, which get none of these tokens.
 * @param declared what the model file says; null where it isn't asked
 * @throws ConfigurationError
 */
export async function openDeployRepository(
  context: Context,
  declared: string | null,
  { deployRepo }: DeployPlace = {},
): Promise<Forge> {
  const asked = deployRepo ?? (context.env.PASSLOOP_DEPLOY_REPO || null);
  const repository = asked ?? declared ?? '';
  if (isGitUrl(repository)) {
    const remote = gitRemote(repository, asked === null ? 'model-file' : 'operator');
    return gitForge({ remote, env: toolEnvironment(context, gitRemoteVariables) });
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new ConfigurationError(
      `${asked === null ? 'deploy.repository' : 'The deploy repository'} is ${JSON.stringify(plainText(repository))}, neither owner/name nor a git URL.`,
      {
        hint: 'Write owner/name, on the forge of the job (GITHUB_API_URL, github.com by default), or a git URL such as https://host/team/deploy.git or git@host:team/deploy.git.',
      },
    );
  }
  return octokitForge({ ...githubOptions(context), repository, token: await deployToken(context, repository) });
}

/** A token for the deploy repository: the one that was given, else the App's with these permissions alone, else the job's own. */
export async function deployToken(
  context: Context,
  repository: string,
  permissions?: Readonly<Record<string, 'read' | 'write'>>,
): Promise<string> {
  const { PASSLOOP_DEPLOY_TOKEN: given, GITHUB_TOKEN: own } = context.env;
  const token = given || (await context.tokenFor?.(repository, permissions)) || own;
  if (token) return token;
  throw new ConfigurationError(`There is no token for ${repository}.`, {
    hint: 'Set PASSLOOP_DEPLOY_TOKEN to a token with `contents: write` and `pull_requests: write` on that repository (reading needs `contents: read`).',
  });
}

/** The forge of the job, or github.com. */
export function githubOptions(context: Context): Pick<GithubOptions, 'baseUrl' | 'note' | 'sleep' | 'userAgent'> {
  return {
    baseUrl: context.env.GITHUB_API_URL,
    note: (line) => context.progress.note(line),
    sleep: retryPorts.sleep,
    userAgent: `passloop/${context.version}`,
  };
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
