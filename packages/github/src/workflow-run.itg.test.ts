import { expect, it } from 'vitest';
import { githubClient } from './client.ts';
import { deployWorld } from './testing/deploy-world.ts';
import { pullOfRun, readRun } from './workflow-run.ts';

const run = {
  id: 1,
  number: 1,
  attempt: 1,
  event: 'pull_request',
  workflow: '.github/workflows/model-check.yml',
  conclusion: 'success',
  head: 'a'.repeat(40),
  branch: 'stranger',
  headRepository: 'mallory/deploy',
  actor: 'mallory',
  startedAt: 0,
};

it("names the line that lets the job read, and post: the word in the documentation's address is no permission", async () => {
  await using world = await deployWorld();
  const token = await world.server.jobToken({ repository: 'acme/deploy', event: 'workflow_run', permissions: {} });
  const client = githubClient({
    repository: 'acme/deploy',
    token,
    baseUrl: world.server.restUrl,
    sleep: async () => {},
  });

  await expect(readRun(client, 1)).rejects.toMatchObject({
    message: expect.stringMatching(/lacks `actions: read` .*docs\.github\.com\/rest\/actions\/workflow-runs/),
    hint: expect.stringContaining('permissions:\n  actions: read'),
  });
  await expect(pullOfRun(client, run)).rejects.toMatchObject({
    lacks: { permission: 'pull-requests', level: 'write' },
  });
});
