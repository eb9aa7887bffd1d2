import { ConfigurationError, PassloopError, temporaryFolder } from '@passloop/core';
import type { RecordDocument } from '@passloop/documents';
import { type EnvironmentState, historyLimit, type RecordVersion, readDeployState, versionsIn } from '@passloop/gitops';
import { type LoadedModel, loadModelsAt } from '@passloop/model';
import { differsFromImage, differsFromKey, differsFromRun } from '@passloop/record';
import { trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import { deployQuery, openDeployRepository } from './deploy-repository.ts';
import { hasImage } from './rollback.ts';
import { openModelStore } from './store.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

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
 * either repository. Each link is checked again: the record and what it followed, its image in the registry and the store, its
 * run, every output restored and verified, the run key and all that it is made of computed anew from the commit's objects.
 */
export async function explain(
  context: Context,
  request: { name: string; model?: string | undefined },
): Promise<Explanation> {
  const workspace = await openWorkspace(context);
  const models = workspace.models.filter(
    (model) => model.deploy !== undefined && (request.model === undefined || model.name === request.model),
  );
  const problems: string[] = [];
  for (const model of models) {
    const { query, repository } = deployQuery(workspace, model);
    const forge = await openDeployRepository(context, repository);
    context.progress.phase(`read ${forge.repository}`);
    const state = await readDeployState(forge, query);
    for (const environment of state.environments) {
      const found = versionsIn(environment).find((version) => isNamed(version, request.name));
      if (environment.problem !== null) problems.push(environment.problem);
      if (found === undefined) continue;
      const isProduction = environment.production?.digest === found.digest;
      context.progress.phase('verify the chain');
      const links = [
        ...(isProduction ? [manifestLink(environment)] : []),
        recordLink(environment, found),
        ...(await verifyChain(context, workspace, model, found.record)),
      ];
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
    hint: [
      ...problems,
      'Give a digest of an image, a model or a record, a run key, a version, or a commit; `passloop status` lists what runs.',
    ].join(' '),
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

function manifestLink({ drift, targets }: EnvironmentState): Link {
  const [other] = drift;
  if (other !== undefined) {
    return { what: 'manifest', verdict: 'fail', detail: `${other.file} carries ${other.found ?? 'no image'}` };
  }
  const files = targets.map(({ target }) => target.file).join(', ');
  return { what: 'manifest', verdict: 'pass', detail: `${files} carries this image` };
}

/** The record itself was verified when it was read; here its place: what it says it followed is what was there. */
function recordLink(environment: EnvironmentState, { record }: RecordVersion): Link {
  const link = (verdict: Link['verdict'], detail: string): Link => ({ what: 'record', verdict, detail });
  if (environment.problem !== null) return link('fail', environment.problem);
  const { previous } = record.deployment;
  if (previous === null) return link('pass', 'its id, image and targets agree; it is the first one here');
  const followed = versionsIn(environment).find(({ digest }) => digest === previous.record);
  if (followed !== undefined) {
    const isSame =
      followed.record.modelDigest === previous.modelDigest && followed.record.image.digest === previous.imageDigest;
    return isSame
      ? link('pass', `its id, image and targets agree; it followed ${followed.record.version}`)
      : link(
          'fail',
          `it says that it followed ${previous.modelDigest}, but that record is of ${followed.record.modelDigest}`,
        );
  }
  return environment.history.length >= historyLimit
    ? link('skipped', `what it followed lies further back than the ${historyLimit} records that are read`)
    : link('fail', `it says that it followed record ${previous.record}, which was never there`);
}

async function verifyChain(
  context: Context,
  workspace: Workspace,
  model: LoadedModel,
  record: RecordDocument,
): Promise<Link[]> {
  const { image, runKey, source } = record;
  const links: Link[] = [
    await attempt('image', async () => {
      const isThere = await hasImage(context, image.reference);
      return [isThere, `${image.reference} is ${isThere ? '' : 'not '}in its registry`];
    }),
  ];
  const store = await openModelStore(context, workspace.root, model);
  const { imageKey } = image;
  if (imageKey === null) links.push({ what: 'built', verdict: 'skipped', detail: 'the record names no image key' });
  else {
    links.push(
      await attempt('built', async () => {
        const stored = await store.findImage(imageKey);
        if (stored === null) return [false, `${imageKey} is not in the ${store.description}`];
        return agreement(differsFromImage(record, stored), `the ${store.description} has this image of this model`);
      }),
    );
  }
  if (runKey === null) {
    const detail = 'the record names no run: it was adopted without one';
    return [...links, ...['run', 'key'].map((what): Link => ({ what, verdict: 'skipped', detail }))];
  }
  links.push(
    await attempt('run', async () => {
      const found = await store.findRun(runKey);
      if (found === null) return [false, `${runKey} is not in the ${store.description}`];
      const differing = differsFromRun(record, found.run);
      if (differing.length > 0) return agreement(differing, '');
      await using folder = await temporaryFolder('explain');
      const { outputs } = await store.restoreRun(runKey, folder.path);
      return [true, `the ${store.description} has it; ${outputs.length} outputs restored and verified`];
    }),
    await attempt('key', async () => {
      if (source === null) return [false, 'the record names no commit'];
      const commit = await workspace.repository.resolve(source.commit);
      if (commit === null) return [false, `${source.commit} is not in this clone`];
      const then = (await loadModelsAt(workspace.repository, commit)).find((one) => one.name === model.name);
      if (then === undefined) return [false, `${source.commit} has no model ${model.name}`];
      const key = await trainingKey(workspace.repository, commit, then);
      return agreement(differsFromKey(record, key), `computed anew from ${source.commit.slice(0, 12)}: ${key.runKey}`);
    }),
  );
  return links;
}

function agreement(differing: readonly string[], detail: string): [boolean, string] {
  return differing.length === 0 ? [true, detail] : [false, `the record says otherwise: ${differing.join(', ')}`];
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
