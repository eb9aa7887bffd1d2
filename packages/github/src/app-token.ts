import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';
import { type GithubOptions, githubClient } from './client.ts';

/** Levels by the API's own names: `contents`, `pull_requests`, `actions`. */
export type AppPermissions = Readonly<Record<string, 'read' | 'write'>>;

export type AppTokenRequest = Omit<GithubOptions, 'token'> & {
  clientId: string;
  /** PEM. */
  privateKey: string;
  permissions: AppPermissions;
};

const Installation = z.object({ id: z.int(), permissions: z.record(z.string(), z.string()), html_url: z.string() });
const Token = z.object({ token: z.string().min(1) });

/**
 * A token of a GitHub App for one repository and these permissions alone; it is revoked when it is disposed of.
 * @throws ConfigurationError where the App isn't installed there, or its installation lacks a permission
 */
export async function appToken(request: AppTokenRequest): Promise<AsyncDisposable & { token: string }> {
  const { clientId, privateKey, repository, permissions, ...options } = request;
  const app = githubClient({ ...options, repository, token: await appJwt(clientId, privateKey) });
  const finding = { what: `finding the App's installation`, permission: 'metadata', level: 'read' } as const;
  const installation = await app
    .rest(finding, 'GET /repos/{owner}/{repo}/installation', {}, Installation)
    .catch((error: unknown) => {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ConfigurationError(`The GitHub App ${clientId} can't be used for ${repository}: ${error.message}`, {
        hint: `Install it on ${repository} (the App's settings, "Install App"), and check its client id and private key.`,
        cause: error,
      });
    });
  for (const [name, level] of Object.entries(permissions)) {
    const granted = installation.permissions[name];
    if (granted === 'write' || granted === level) continue;
    throw new ConfigurationError(
      `The GitHub App ${clientId} has ${granted === undefined ? 'no' : `only ${granted} of`} \`${name}\` on ${repository}; \`${name}: ${level}\` is needed.`,
      { hint: `Grant it in the App's settings, and accept it at ${installation.html_url}.` },
    );
  }
  const minting = { what: `making a token for ${repository}`, permission: 'metadata', level: 'write' } as const;
  const { token } = await app.rest(
    minting,
    'POST /app/installations/{installation_id}/access_tokens',
    { installation_id: installation.id, repositories: [app.name], permissions },
    Token,
  );
  const own = githubClient({ ...options, repository, token });
  return {
    token,
    async [Symbol.asyncDispose]() {
      // It ends by itself within the hour: what can't be revoked is no reason to fail what was done with it.
      await own.rest({ ...minting, what: 'revoking the token' }, 'DELETE /installation/token').catch(() => {});
    },
  };
}

async function appJwt(clientId: string, privateKey: string): Promise<string> {
  const { App } = await import('octokit');
  try {
    const app = new App({ appId: clientId, privateKey });
    const { token } = (await app.octokit.auth({ type: 'app' })) as { token: string };
    return token;
  } catch (error) {
    throw new ConfigurationError('The private key of the GitHub App can not be read.', {
      hint: 'Store the whole PEM file that GitHub gave, with its BEGIN and END lines.',
      cause: error,
    });
  }
}
