import { silentProgress } from '@passloop/core';
import { expect, it } from 'vitest';
import { commitReports } from '../commit-reports.ts';
import { deployWorld } from '../testing/deploy-world.ts';
import { deployRead, repositoryTokens } from './repository-tokens.ts';

it('makes for each set of permissions a token of these alone, once, and takes all of them back', async () => {
  await using world = await deployWorld();
  const { clientId, privateKey } = await world.server.createApp({
    slug: 'passloop',
    account: 'acme',
    permissions: { contents: 'write', pull_requests: 'write', deployments: 'read', metadata: 'read' },
    repositories: ['acme/deploy'],
  });
  const context = {
    cwd: '/',
    env: { GITHUB_API_URL: world.server.restUrl, PASSLOOP_APP_PRIVATE_KEY: privateKey },
    now: () => new Date(),
    progress: silentProgress,
    version: '0.0.0',
  };
  const given = { input: 'deploy-token', token: undefined };
  const deployments = async (token: string) =>
    commitReports({
      repository: 'acme/deploy',
      token,
      baseUrl: world.server.restUrl,
      sleep: async () => {},
    }).deployments('staging');
  let health = '';
  {
    await using tokens = repositoryTokens(context, given, { clientId, permissions: deployRead });
    const reading = await tokens.tokenFor('acme/deploy');
    health = await tokens.tokenFor('acme/deploy', { deployments: 'read' });

    expect(await tokens.tokenFor('acme/deploy')).toBe(reading);
    expect(await tokens.tokenFor('acme/deploy', { deployments: 'read' })).toBe(health);
    await expect(deployments(reading)).rejects.toThrow(/lacks `deployments: read`/);
    expect(await deployments(health)).toEqual([]);
    await expect(tokens.tokenFor('acme/deploy', { statuses: 'read' })).rejects.toThrow(
      /has no `statuses` on acme\/deploy; `statuses: read` is needed/,
    );
  }
  await expect(deployments(health)).rejects.toThrow(/refuses the token/);
});
