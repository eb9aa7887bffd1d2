import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type PromotionDocument, parseDocument, type ReportDocument } from '@passloop/documents';
import type { CreatedWorkflowRun } from '@passloop/local-github';
import { load } from 'js-yaml';
import { type BundleRun, layBundle, runBundle } from '../actions/run-bundle.ts';
import type { PullRequest } from './team.ts';
import type { World } from './world.ts';

/**
 * The jobs of the two workflows that a model repository lives by, run by the built actions in the order of the workflows' files: each in a checkout of
 * its own, with a token of exactly the scopes that its YAML names, and artifacts between them.
 */
export type Jobs = {
  /** plan, train, seal, report. */
  check(pullRequest: PullRequest): Promise<ReportDocument>;
  /** plan, train, image, prove, promote, as far as the plan says that they are needed. */
  promote(): Promise<PromotedBy>;
};

/** What the last job of a promotion said, or the plan where no job followed. */
type PromotedBy = Pick<PromotionDocument, 'outcome' | 'reason'> & { change: string | null };

type Place = { run: CreatedWorkflowRun; env: Record<string, string>; checkout: () => Promise<string> };
type Planned = { name: string; environment: string; needs: string; outcome: string };

const workflows = path.resolve(import.meta.dirname, '../../.github/workflows');

export async function jobsOf(world: World, folder: string): Promise<Jobs> {
  await mkdir(folder, { recursive: true });
  const bundle = await layBundle(folder);
  let checkouts = 0;

  async function clone(ref: string, depth: string[]): Promise<string> {
    checkouts += 1;
    const place = path.join(folder, `work-${checkouts}`);
    await mkdir(place);
    const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
    const remote = branch === undefined ? 'refs/remotes/event' : `refs/remotes/origin/${branch}`;
    await world.git(place, 'init', '-q', '-b', 'unborn');
    await world.git(place, 'fetch', '-q', ...depth, world.flights.cloneUrlWith(world.tokens.team), `+${ref}:${remote}`);
    await world.git(place, 'checkout', '-q', '--force', ...(branch === undefined ? [] : ['-B', branch]), remote);
    return place;
  }

  async function begin(workflow: string, event: string, head: { sha: string; branch: string }, payload: unknown) {
    const run = await world.github.createWorkflowRun({
      repository: 'acme/flights',
      workflow,
      name: workflow.replace('.yml', ''),
      event,
      headSha: head.sha,
      headBranch: head.branch,
    });
    const file = path.join(folder, `event-${run.id}.json`);
    await writeFile(file, JSON.stringify(payload));
    return {
      run,
      env: {
        GITHUB_EVENT_NAME: event,
        GITHUB_EVENT_PATH: file,
        GITHUB_SHA: head.sha,
        ...(event === 'pull_request' ? { GITHUB_BASE_REF: 'main' } : {}),
      },
    };
  }

  /** One job's one action of ours. */
  async function job(
    place: Place,
    [workflow, id, action]: readonly [string, string, string],
    inputs: Record<string, string> = {},
  ): Promise<BundleRun> {
    const token = await tokenOf(world, workflow, id);
    const takesToken = action !== 'train-candidate';
    const done = await runBundle(bundle, action, {
      workspace: await place.checkout(),
      inputs: { ...inputs, ...(takesToken ? { token } : {}) },
      env: {
        ...place.run.environment,
        ...place.env,
        ACTIONS_RUNTIME_TOKEN: place.run.runtimeTokenOf(id),
        GITHUB_API_URL: world.github.restUrl,
        GITHUB_REPOSITORY: 'acme/flights',
        GITHUB_ACTOR: 'ada',
        PASSLOOP_DOCKER: world.docker ?? '/nowhere/docker',
      },
    });
    if (done.outputs.error !== '') throw new Error(`${workflow}, job ${id}, ended early:\n${done.log.slice(-4000)}`);
    return done;
  }

  return {
    async check(pullRequest) {
      const payload = await world.flights.pullRequestPayload(pullRequest.number, 'opened');
      const { head } = payload.pull_request as { head: { sha: string } };
      const started = await begin('model-check.yml', 'pull_request', { ...head, branch: pullRequest.branch }, payload);
      const checkout = () => clone(`refs/pull/${pullRequest.number}/merge`, ['--depth=2']);
      const place = { ...started, checkout };
      const of = (id: string, action: string) => ['model-check.yml', id, action] as const;
      const { outputs } = await job(place, of('plan', 'plan-check'));
      const { plan = '', recipient = '' } = outputs;
      for (const { name, stored } of JSON.parse(outputs.models ?? '') as { name: string; stored: string }[]) {
        await job(place, of('train', 'train-candidate'), { model: name, stored, recipient });
        await job(place, of('seal', 'seal-candidate'), { model: name, plan });
      }
      const results = ['plan', 'train', 'seal'].map((id) => [id, { result: 'success', outputs: {} }]);
      const needs = JSON.stringify(Object.fromEntries(results));
      const reported = await job(place, of('report', 'post-report'), { plan, head: outputs.head ?? '', needs });
      await place.run.finish(reported.exitCode === 0 ? 'success' : 'failure');
      return parseDocument('report', await readFile(reported.outputs.document ?? '', 'utf8'), 'the report');
    },

    async promote() {
      const sha = await world.git(world.flightsClone, 'rev-parse', 'origin/main');
      const started = await begin('model-promote.yml', 'workflow_dispatch', { sha, branch: 'main' }, { ref: 'main' });
      const place = { ...started, checkout: () => clone('refs/heads/main', []) };
      const of = (id: string, action: string) => ['model-promote.yml', id, action] as const;
      const deploy = { 'deploy-token': world.tokens.deploy };
      const planned = await job(place, of('plan', 'plan-promotion'), deploy);
      const list = <T>(name: string) => JSON.parse(planned.outputs[name] ?? '') as T[];
      for (const model of list<string>('train')) {
        const { recipient = '' } = planned.outputs;
        await job(place, of('train', 'train-candidate'), { model, recipient });
        await job(place, of('image', 'seal-candidate'), { model, compare: 'false' });
      }
      for (const { name: model, environment } of list<Planned>('image')) {
        await job(place, of('image', 'package-model'), { model, push: 'true', prove: 'false' });
        await job(place, of('prove', 'prove-model'), { model, environment });
      }
      const [last] = list<Planned>('promote');
      if (last === undefined) {
        await place.run.finish('success');
        const [model] = parseDocument(
          'promotion-plan',
          await readFile(planned.outputs.document ?? '', 'utf8'),
          'the plan',
        ).models;
        if (model === undefined || model.outcome === 'pending') throw new Error('nothing was planned');
        return { outcome: model.outcome, reason: model.reason, change: null };
      }
      const { name: model, environment } = last;
      const done = await job(place, of('promote', 'promote-model'), { model, environment, proof: 'true', ...deploy });
      await place.run.finish(done.exitCode === 0 ? 'success' : 'failure');
      return parseDocument('promotion', await readFile(done.outputs.document ?? '', 'utf8'), 'the promotion');
    },
  };
}

/** A job's token, with the scopes of its YAML. */
async function tokenOf(world: World, workflow: string, id: string): Promise<string> {
  const { jobs } = load(await readFile(path.join(workflows, workflow), 'utf8')) as {
    jobs: Record<string, { permissions: Record<string, string> }>;
  };
  const scopes = Object.entries(jobs[id]?.permissions ?? {}).map(([name, level]) => [name.replaceAll('-', '_'), level]);
  return world.github.createToken({
    login: 'github-actions[bot]',
    kind: 'job',
    repositories: ['acme/flights'],
    permissions: { ...Object.fromEntries(scopes), metadata: 'read' },
  });
}
