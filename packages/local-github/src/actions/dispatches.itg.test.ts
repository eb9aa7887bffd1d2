import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch, type World } from '../fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const workflow = `name: Promote
on:
  push:
  workflow_dispatch:
    inputs:
      model: { required: true }
      level: { type: choice, options: [warn, fail], default: warn }
`;
let world: World;

beforeAll(async () => {
  world = await createWorld();
  const files = { '.github/workflows/promote.yml': workflow, '.github/workflows/push.yml': 'on: push\n' };
  await pushBranch(world.clone, 'main', [files]);
  await pushBranch(world.clone, 'bare', []);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function dispatch(
  workflow_id: number | string,
  inputs: Record<string, unknown>,
  ref = 'main',
  octokit = world.octokit,
) {
  return octokit.rest.actions.createWorkflowDispatch({ ...repo, workflow_id, ref, inputs });
}

describe('a workflow dispatch', () => {
  it('leaves a queued run behind, with the inputs that the workflow would see', async () => {
    const main = await git(world.clone, 'rev-parse', 'origin/main');
    await dispatch('promote.yml', { model: 'churn' });

    const [recorded] = world.server.dispatches();
    expect(recorded).toMatchObject({ ref: 'main', inputs: { model: 'churn', level: 'warn' }, login: 'ada' });
    const run = await world.octokit.rest.actions.getWorkflowRun({ ...repo, run_id: recorded!.runId });
    expect(run.data).toMatchObject({ event: 'workflow_dispatch', status: 'queued', name: 'Promote', head_sha: main });
    const job = await world.server.startWorkflowRun(recorded!.runId);
    expect(job.payload()).toMatchObject({ action: 'in_progress', workflow_run: { id: recorded!.runId } });
    await expect(world.server.startWorkflowRun(recorded!.runId)).rejects.toThrow('in the queue');
    await dispatch(run.data.workflow_id, { model: 'churn' }, 'refs/heads/bare');
    expect(world.server.dispatches().at(-1)).toMatchObject({ workflow: 'promote.yml', ref: 'bare' });
  });

  it.each([
    ['an unknown workflow', 'nothing.yml', {}, 'main', 404, 'Not Found'],
    ['a path', '../../README.md', {}, 'main', 404, 'Not Found'],
    [
      'a workflow without the trigger',
      'push.yml',
      {},
      'main',
      422,
      "Workflow does not have 'workflow_dispatch' trigger",
    ],
    ['an unknown ref', 'promote.yml', { model: 'a' }, 'gone', 422, 'No ref found for: gone'],
    ['an input too many', 'promote.yml', { model: 'a', x: '1' }, 'main', 422, 'Unexpected inputs provided: ["x"]'],
    ['an input too few', 'promote.yml', {}, 'main', 422, "Required input 'model' not provided"],
    ['a choice that there isn’t', 'promote.yml', { model: 'a', level: 'x' }, 'main', 422, 'not in the list of allowed'],
  ])('of %s is refused', async (_name, file, inputs, ref, status, message) => {
    const before = world.server.dispatches().length;

    await expect(dispatch(file, inputs, ref)).rejects.toMatchObject({
      status,
      message: expect.stringContaining(message),
    });
    expect(world.server.dispatches()).toHaveLength(before);
  });

  it('needs `actions: write`', async () => {
    const token = await world.server.createToken({ login: 'bot', kind: 'job', permissions: { actions: 'read' } });

    await expect(
      dispatch('promote.yml', { model: 'a' }, 'main', octokitFor(world.server, token)),
    ).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
    });
  });
});
