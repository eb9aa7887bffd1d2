import { mkdir, readFile } from 'node:fs/promises';
import { type PromotionDocument, parseDocument, type ReportDocument } from '@passloop/documents';
import { layBundle } from '../actions/run-bundle.ts';
import { eventsOf } from '../runner/events.ts';
import { checkout } from './checkout.ts';
import { beginRun, type EventRun } from './event-run.ts';
import { jobStep } from './job-step.ts';
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

type Planned = { name: string; environment: string; needs: string; outcome: string };

export async function jobsOf(world: World, folder: string): Promise<Jobs> {
  await mkdir(folder, { recursive: true });
  const bundle = await layBundle(folder);
  const events = eventsOf(world.github, world.tokens.team, 'acme/flights');

  /** One job's one action of ours. */
  async function job(run: EventRun, id: string, action: string, inputs: Record<string, string> = {}) {
    const { ref, name } = run.event;
    const workspace = await checkout(world, folder, ref, name === 'pull_request' ? 2 : 0);
    const done = await jobStep(world, bundle, { action, workspace, inputs, of: { run, job: id } });
    if (done.outputs.error !== '') {
      throw new Error(`${run.workflow}, job ${id}, ended early:\n${done.log.slice(-4000)}`);
    }
    return done;
  }

  return {
    async check(pullRequest) {
      const run = await beginRun(world, folder, 'model-check.yml', await events.pullRequest(pullRequest.number));
      const { outputs } = await job(run, 'plan', 'plan-check');
      const { plan = '', recipient = '' } = outputs;
      for (const { name, stored } of JSON.parse(outputs.models ?? '') as { name: string; stored: string }[]) {
        await job(run, 'train', 'train-candidate', { model: name, stored, recipient });
        await job(run, 'seal', 'seal-candidate', { model: name, plan });
      }
      const results = ['plan', 'train', 'seal'].map((id) => [id, { result: 'success', outputs: {} }]);
      const needs = JSON.stringify(Object.fromEntries(results));
      const reported = await job(run, 'report', 'post-report', { plan, head: outputs.head ?? '', needs });
      await run.handle.finish(reported.exitCode === 0 ? 'success' : 'failure');
      return parseDocument('report', await readFile(reported.outputs.document ?? '', 'utf8'), 'the report');
    },

    async promote() {
      const run = await beginRun(world, folder, 'model-promote.yml', await events.dispatch({}));
      const deploy = { 'deploy-token': world.tokens.deploy };
      const planned = await job(run, 'plan', 'plan-promotion', deploy);
      const list = <T>(name: string) => JSON.parse(planned.outputs[name] ?? '') as T[];
      for (const model of list<string>('train')) {
        const { recipient = '' } = planned.outputs;
        await job(run, 'train', 'train-candidate', { model, recipient });
        await job(run, 'image', 'seal-candidate', { model, compare: 'false' });
      }
      for (const { name: model, environment } of list<Planned>('image')) {
        await job(run, 'image', 'package-model', { model, push: 'true', prove: 'false' });
        await job(run, 'prove', 'prove-model', { model, environment });
      }
      const [last] = list<Planned>('promote');
      if (last === undefined) {
        await run.handle.finish('success');
        const [model] = parseDocument(
          'promotion-plan',
          await readFile(planned.outputs.document ?? '', 'utf8'),
          'the plan',
        ).models;
        if (model === undefined || model.outcome === 'pending') throw new Error('nothing was planned');
        return { outcome: model.outcome, reason: model.reason, change: null };
      }
      const { name: model, environment } = last;
      const done = await job(run, 'promote', 'promote-model', { model, environment, proof: 'true', ...deploy });
      await run.handle.finish(done.exitCode === 0 ? 'success' : 'failure');
      return parseDocument('promotion', await readFile(done.outputs.document ?? '', 'utf8'), 'the promotion');
    },
  };
}
