import { ConfigurationError, openGitRepository, plainText, readTextIfExists } from '@passloop/core';
import type { DeployChainDocument } from '@passloop/documents';
import { dispatchWorkflow, octokitForge } from '@passloop/github';
import { chainedModels, type DeployTree } from '@passloop/gitops';
import { z } from 'zod';
import { type Context, toolEnvironment } from './context.ts';
import { githubOptions } from './deploy-repository.ts';

export type DeployChainRequest = {
  /** File name of the workflow to start in each model repository. */
  workflow?: string | undefined;
  /** Where it is started; each repository's default branch by default. */
  ref?: string | undefined;
};

/** A token that may start workflows of one repository. */
export type ModelTokens = (repository: string) => Promise<string>;

const PushEvent = z.object({ before: z.string().regex(/^[0-9a-f]{40,64}$/) });

/**
 * Tells the model repositories that records of theirs moved: on a push those whose record changed with it, else all. Who is told stands in
 * records of the default branch, read from the forge, whatever commit is checked out here. One that can't be told is reported, and the
 * others are told all the same.
 */
export async function chainDeploy(
  context: Context,
  request: DeployChainRequest,
  tokens: ModelTokens,
): Promise<DeployChainDocument> {
  const { GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = context.env;
  if (repository === undefined || repository === '' || token === undefined || token === '') {
    throw new ConfigurationError('There is no job of a deploy repository here (GITHUB_REPOSITORY, GITHUB_TOKEN).', {
      hint: 'chain-deploy runs in a workflow of the deploy repository, with `permissions: contents: read`.',
    });
  }
  context.progress.phase(`read ${repository}`);
  const workflow = request.workflow ?? 'model-promote.yml';
  const after = await recordsNow(context, repository, token);
  // An agent's status comes for each of its applications, and says nothing of models that have arrived everywhere. The schedule asks them all.
  const isStatus = /^(deployment_)?status$/.test(context.env.GITHUB_EVENT_NAME ?? '');
  const { models, failed } = chainedModels(await recordsBefore(context), after, isStatus ? 'unequal' : 'all');
  const dispatched: DeployChainDocument['dispatched'] = [];
  const untold: DeployChainDocument['failed'] = [...failed];
  for (const { file, repository: told, model } of models) {
    context.progress.phase(`start ${workflow} in ${told}`);
    try {
      const options = { ...githubOptions(context), repository: told, token: await tokens(told) };
      const { ref } = await dispatchWorkflow(options, { workflow, ref: request.ref, inputs: { model } });
      dispatched.push({ repository: told, model, workflow, ref });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const hint = 'hint' in error && typeof error.hint === 'string' ? ` ${error.hint}` : '';
      untold.push({ file, repository: told, reason: plainText(`${error.message}${hint}`, 2000) });
    }
  }
  context.progress.done();
  return {
    schema: 'passloop/deploy-chain/v1',
    repository,
    commit: after.commit,
    verdict: untold.length === 0 ? 'pass' : 'fail',
    dispatched,
    failed: untold,
  };
}

/** The records at the head of the default branch, from the forge: an event may have checked out any commit. */
async function recordsNow(context: Context, repository: string, token: string): Promise<DeployTree> {
  const forge = octokitForge({ ...githubOptions(context), repository, token });
  const folder = { path: '.passloop', depth: 2 };
  const snapshot = await forge.read({
    branch: null,
    files: [],
    folders: [folder],
    histories: [],
    heads: [],
    closed: [],
  });
  const files = snapshot.folders.get(folder.path) ?? [];
  return { commit: snapshot.commit, files: new Map(files.map((file) => [file.path, file])) };
}

/** The records before the push of this job, by path; null where that isn't a push, or its `before` isn't here. */
async function recordsBefore(context: Context): Promise<ReadonlyMap<string, string> | null> {
  const { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file } = context.env;
  const text = name !== 'push' || file === undefined ? null : await readTextIfExists(file);
  if (text === null) return null;
  const event = PushEvent.safeParse(JSON.parse(text));
  if (!event.success) return null;
  const repository = await openGitRepository(context.cwd, toolEnvironment(context)).catch(() => null);
  const before = await repository?.resolve(event.data.before);
  if (repository === null || before == null) return null;
  const records = new Map<string, string>();
  for (const { path, type } of await repository.listFiles(before, '.passloop')) {
    if (type !== 'blob' || !path.endsWith('.json')) continue;
    records.set(path, (await repository.readFile(before, path))?.toString('utf8') ?? '');
  }
  return records;
}
