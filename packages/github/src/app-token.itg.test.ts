import { afterAll, beforeAll, expect, it } from 'vitest';
import { appToken } from './app-token.ts';
import { defaultBranch } from './default-branch.ts';
import { type DeployWorld, deployWorld } from './testing/deploy-world.ts';

/** Tokens of a GitHub App against the local GitHub, which verifies the App's signature and caps what it grants. */
let world: DeployWorld;
let app: { clientId: string; privateKey: string };

beforeAll(async () => {
  world = await deployWorld();
  app = await world.server.createApp({
    slug: 'passloop',
    account: 'acme',
    permissions: { contents: 'write', pull_requests: 'write', metadata: 'read' },
    repositories: ['acme/deploy'],
  });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const request = () => ({ ...app, baseUrl: world.server.restUrl, sleep: async () => {}, repository: 'acme/deploy' });

const read = (token: string) => defaultBranch({ ...request(), token });

it('gives a token for one repository, and takes it back', async () => {
  let kept = '';
  {
    await using made = await appToken({ ...request(), permissions: { contents: 'read' } });
    kept = made.token;
    await expect(read(kept)).resolves.toMatchObject({ name: 'main' });
  }
  await expect(read(kept)).rejects.toThrow(/refuses the token|401/);
});

it('says where the App is not installed, and what its installation lacks', async () => {
  await expect(
    appToken({ ...request(), repository: 'acme/elsewhere', permissions: { contents: 'read' } }),
  ).rejects.toMatchObject({ hint: expect.stringContaining('Install it on acme/elsewhere') });
  await expect(appToken({ ...request(), permissions: { actions: 'write' } })).rejects.toThrow(
    /no `actions` on acme\/deploy; `actions: write` is needed/,
  );
});

it('says that a key is none, without showing it', async () => {
  const failed = appToken({ ...request(), privateKey: 'not-a-pem', permissions: { contents: 'read' } });
  await expect(failed).rejects.toThrow(/private key of the GitHub App can not be read/);
  await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('not-a-pem') });
});
