import { ConfigurationError } from '@passloop/core';
import { type AppPermissions, appToken } from '../app-token.ts';
import { actionsRunner } from './actions-runner.ts';
import type { ActionContext } from './run-action.ts';

/** Who writes another repository, as secrets of an action: by input or not at all. */
export const appSecrets = {
  'app-private-key': { variable: 'PASSLOOP_APP_PRIVATE_KEY', required: false, inputOnly: true },
} as const;
export const deploySecrets = {
  'deploy-token': { variable: 'PASSLOOP_DEPLOY_TOKEN', required: false, inputOnly: true },
  ...appSecrets,
} as const;

/** Who may ask what runs in a cluster, as secrets of an action. */
export const healthSecrets = {
  'argocd-token': { variable: 'ARGOCD_AUTH_TOKEN', required: false },
  'prometheus-token': { variable: 'PROMETHEUS_TOKEN', required: false },
} as const;

/** Tokens for other repositories than the job's own, each for one of them; all are gone at the end. */
export type RepositoryTokens = AsyncDisposable & {
  /** @param permissions in place of those that all of them have */
  tokenFor(repository: string, permissions?: AppPermissions): Promise<string>;
};

/**
 * By a given token, or by a GitHub App: exactly one of both.
 * @param given the token, and the input that holds it
 */
export function repositoryTokens(
  context: ActionContext,
  given: { input: string; token: string | undefined },
  app: { clientId: string | undefined; permissions: AppPermissions },
): RepositoryTokens {
  const privateKey = context.env.PASSLOOP_APP_PRIVATE_KEY;
  const { token } = given;
  const { clientId } = app;
  const both = `Give exactly one of \`${given.input}\`, or \`app-client-id\` with \`app-private-key\`.`;
  const hint = 'A secret that is empty may be misspelt, belong to another environment, or this is a run of a fork.';
  if (token !== undefined && (clientId !== undefined || privateKey !== undefined)) {
    throw new ConfigurationError(`Input \`${given.input}\` and a GitHub App are both given. ${both}`);
  }
  if (token !== undefined) return { tokenFor: async () => token, [Symbol.asyncDispose]: async () => {} };
  if (clientId === undefined || privateKey === undefined) {
    const missing =
      clientId !== undefined ? 'app-private-key' : privateKey !== undefined ? 'app-client-id' : given.input;
    throw new ConfigurationError(`Input \`${missing}\` is empty. ${both}`, { hint });
  }
  const minted = new Map<string, string>();
  const stack = new AsyncDisposableStack();
  return {
    async tokenFor(repository, permissions = app.permissions) {
      const key = JSON.stringify([repository, permissions]);
      const known = minted.get(key);
      if (known !== undefined) return known;
      const made = stack.use(
        await appToken({
          clientId,
          privateKey,
          repository,
          permissions,
          baseUrl: context.env.GITHUB_API_URL,
          userAgent: `passloop/${context.version}`,
          sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        }),
      );
      actionsRunner.setSecret(made.token);
      minted.set(key, made.token);
      return made.token;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What a promotion needs of a deploy repository. */
export const deployWrite: AppPermissions = { contents: 'write', pull_requests: 'write' };
export const deployRead: AppPermissions = { contents: 'read', pull_requests: 'read' };
