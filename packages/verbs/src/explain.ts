import { ConfigurationError, PassloopError } from '@passloop/core';
import type { RecordDocument } from '@passloop/documents';
import { type RecordVersion, readDeployState, versionsIn } from '@passloop/gitops';
import { loadModelsAt } from '@passloop/model';
import { trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import { deployQuery, openDeployRepository } from './deploy-repository.ts';
import { hasImage } from './rollback.ts';
import { openModelStore } from './store.ts';
import { openWorkspace } from './workspace.ts';

/** One link of the chain, and whether it was seen to hold. */
export type Link = { what: string; verdict: 'pass' | 'fail' | 'skipped'; detail: string };
export type Explanation = {
  record: RecordDocument;
  digest: string;
  environment: string;
  state: 'production' | 'earlier';
  deployCommit: string | null;
  links: Link[];
};

/**
 * The whole chain of one model, from any of its names: a digest of image, model, record or promotion, a run key, a commit of
 * either repository. Each link is checked again: the record's place in history, its image in the registry, its run and
 * outputs in the store, the run key computed anew from the commit's objects.
 */
export async function explain(
  context: Context,
  request: { name: string; model?: string | undefined },
): Promise<Explanation> {
  const workspace = await openWorkspace(context);
  const models = workspace.models.filter(
    (model) => model.deploy !== undefined && (request.model === undefined || model.name === request.model),
  );
  for (const model of models) {
    const { query, repository } = deployQuery(workspace, model);
    context.progress.phase(`read ${repository}`);
    const state = await readDeployState(openDeployRepository(context, repository), query);
    for (const environment of state.environments) {
      const found = versionsIn(environment).find((version) => isNamed(version, request.name));
      if (found === undefined) continue;
      const isProduction = environment.production?.digest === found.digest;
      context.progress.phase('verify the chain');
      const links = await verifyChain(context, workspace, model.name, found.record);
      if (environment.problem !== null) links.unshift({ what: 'record', verdict: 'fail', detail: environment.problem });
      const drift = environment.drift[0];
      if (isProduction) {
        links.unshift(
          drift === undefined
            ? {
                what: 'manifest',
                verdict: 'pass',
                detail: `${found.record.deployment.targets.map((target) => target.file).join(', ')} carries this image`,
              }
            : { what: 'manifest', verdict: 'fail', detail: `${drift.file} carries ${drift.found ?? 'no image'}` },
        );
      }
      return {
        record: found.record,
        digest: found.digest,
        environment: environment.name,
        state: isProduction ? 'production' : 'earlier',
        deployCommit: found.commit ?? (isProduction ? (environment.history[0]?.commit ?? null) : null),
        links,
      };
    }
  }
  throw new ConfigurationError(`Nothing that was deployed is named ${JSON.stringify(request.name.slice(0, 100))}.`, {
    hint: 'Give a digest of an image, a model or a record, a run key, a version, or a commit; `passloop status` lists what runs.',
  });
}

function isNamed({ record, digest, commit }: RecordVersion, name: string): boolean {
  const exact = [
    digest,
    record.modelDigest,
    record.image.digest,
    record.image.reference,
    record.image.imageKey,
    record.deployment.promotionId,
    record.version,
    record.runKey,
  ];
  if (exact.includes(name) || exact.includes(`sha256:${name}`)) return true;
  if (!/^[0-9a-f]{7,64}$/.test(name)) return false;
  return (commit?.startsWith(name) ?? false) || (record.source?.commit.startsWith(name) ?? false);
}

async function verifyChain(
  context: Context,
  workspace: Awaited<ReturnType<typeof openWorkspace>>,
  name: string,
  record: RecordDocument,
): Promise<Link[]> {
  const links: Link[] = [
    await attempt('image', async () => [
      await hasImage(context, record.image.reference),
      `${record.image.reference} is in its registry`,
    ]),
  ];
  const model = workspace.models.find((one) => one.name === name);
  const { runKey, source } = record;
  if (model === undefined || runKey === null) {
    links.push({ what: 'run', verdict: 'skipped', detail: 'the record names no run: it was adopted without one' });
    return links;
  }
  const store = await openModelStore(context, workspace.root, model);
  links.push(
    await attempt('run', async () => {
      const found = await store.findRun(runKey);
      if (found === null) return [false, `${runKey} is not in the ${store.description}`];
      return [
        found.run.modelDigest === record.modelDigest,
        `the ${store.description} has it, and its model is ${found.run.modelDigest}`,
      ];
    }),
  );
  links.push(
    await attempt('key', async () => {
      if (source === null) return [false, 'the record names no commit'];
      const commit = await workspace.repository.resolve(source.commit);
      if (commit === null) return [false, `${source.commit} is not in this clone`];
      const then = (await loadModelsAt(workspace.repository, commit)).find((one) => one.name === name);
      if (then === undefined) return [false, `${source.commit} has no model ${name}`];
      const key = await trainingKey(workspace.repository, commit, then);
      return [key.runKey === runKey, `computed anew from ${source.commit.slice(0, 12)}: ${key.runKey}`];
    }),
  );
  return links;
}

async function attempt(what: string, check: () => Promise<[boolean, string]>): Promise<Link> {
  try {
    const [holds, detail] = await check();
    return { what, verdict: holds ? 'pass' : 'fail', detail };
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return { what, verdict: 'fail', detail: error.message };
  }
}
