import path from 'node:path';
import { type GitRepository, isDigest, PassloopError, toPassloopError } from '@passloop/core';
import { parseProfile } from '@passloop/data';
import { fromRoot, type LoadedModel, loadModelsAt, lockFileName } from '@passloop/model';
import { datasetIdentity, findTableFiles, refusePointers } from '@passloop/tables';
import { lockAt } from '../workspace.ts';
import type { DatasetFact, Facts, ModelFileFact } from './facts.ts';
import { readWorkflow, type WorkflowFile } from './workflow-file.ts';

/** What a commit says: its model files, workflows and owners. Data files are those of the work tree. */
export async function gatherModelFile(repository: GitRepository, commit: string): Promise<ModelFileFact> {
  try {
    const models = await loadModelsAt(repository, commit);
    return models.length === 0 ? { state: 'absent' } : { state: 'valid', models };
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return { state: 'wrong', message: error.message, hint: error.hint };
  }
}

/** Every dataset that a model names, with its lock, its files and its profile. Reads each file once, for its digest. */
export async function gatherDatasets(
  repository: GitRepository,
  root: string,
  commit: string,
  models: readonly LoadedModel[],
): Promise<DatasetFact[]> {
  const facts: DatasetFact[] = [];
  for (const model of models) {
    const lock = await settled(() => lockAt(repository, commit, model));
    for (const [name, source] of Object.entries(model.data)) {
      const uri = source.path ?? source.uri ?? '';
      const remote = source.path === undefined;
      const found = remote ? null : await settled(async () => identityOf(root, model, uri));
      const data: DatasetFact['data'] =
        found === null || !found.ok
          ? { readable: false, said: found?.error.message ?? `${uri} is remote.`, hint: found?.error.hint ?? null }
          : { readable: true, bytes: found.value.bytes };
      facts.push({
        model,
        name,
        uri,
        remote,
        data,
        lock: lock.ok
          ? lockOf(lock.value?.datasets ?? null, uri, model, found)
          : { state: 'wrong', said: lock.error.message },
        profile: await profileOf(repository, commit, model, source.profile),
      });
    }
  }
  return facts;
}

async function identityOf(root: string, model: LoadedModel, uri: string): ReturnType<typeof datasetIdentity> {
  const found = await findTableFiles(uri, path.join(root, model.folder));
  await refusePointers(found);
  return datasetIdentity(found);
}

type Settled<T> = { ok: true; value: T } | { ok: false; error: PassloopError };

async function settled<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toPassloopError(error) };
  }
}

function lockOf(
  datasets: readonly { uri: string; digest: string; bytes: number }[] | null,
  uri: string,
  model: LoadedModel,
  found: Settled<{ digest: string; bytes: number }> | null,
): DatasetFact['lock'] {
  const entry = datasets?.find((dataset) => dataset.uri === uri);
  if (entry === undefined || !isDigest(entry.digest)) return { state: 'absent' };
  if (found?.ok !== true || (found.value.digest === entry.digest && found.value.bytes === entry.bytes)) {
    return { state: 'fresh' };
  }
  const { digest, bytes } = found.value;
  return {
    state: 'stale',
    said: `${uri} is not what ${fromRoot(model, lockFileName)} says: expected ${entry.digest} (${entry.bytes} bytes), found ${digest} (${bytes} bytes).`,
  };
}

async function profileOf(
  repository: GitRepository,
  commit: string,
  model: LoadedModel,
  profile: string | undefined,
): Promise<DatasetFact['profile']> {
  if (profile === undefined) return { state: 'none' };
  const file = fromRoot(model, profile);
  const content = await repository.readFile(commit, file);
  if (content === null) return { state: 'missing', file: profile, said: `${file} is not in this commit.` };
  const parsed = await settled(async () => parseProfile(content.toString('utf8'), file));
  return parsed.ok ? { state: 'valid' } : { state: 'missing', file: profile, said: parsed.error.message };
}

const maxWorkflowBytes = 1024 * 1024;

/** The workflows of a commit, as GitHub finds them. */
export async function gatherWorkflows(repository: GitRepository, commit: string): Promise<WorkflowFile[]> {
  const entries = (await repository.listFiles(commit, '.github/workflows')).filter(
    (entry) => entry.type === 'blob' && /^\.github\/workflows\/[^/]+\.ya?ml$/.test(entry.path),
  );
  const contents = await repository.readBlobs(entries.map((entry) => entry.oid));
  return entries.map((entry) => {
    const bytes = contents.get(entry.oid);
    return bytes === undefined || bytes.length > maxWorkflowBytes
      ? { ...readWorkflow(entry.path, ''), problem: `${entry.path} is larger than a workflow can be.` }
      : readWorkflow(entry.path, bytes.toString('utf8'));
  });
}

/** The first of the three places where GitHub looks for it. */
export async function gatherOwners(repository: GitRepository, commit: string): Promise<Facts['owners']> {
  for (const file of ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS']) {
    const content = await repository.readFile(commit, file);
    if (content !== null) return { file, text: content.toString('utf8') };
  }
  return null;
}

/** A record or a hold lies in the commit: what only a deploy repository has. */
export async function hasRecords(repository: GitRepository, commit: string): Promise<boolean> {
  const files = await repository.listFiles(commit, '.passloop');
  return files.some(
    (entry) =>
      /^\.passloop\/[a-z][-a-z0-9]*\/[a-z][-a-z0-9]*(?:\.json|\/)/.test(entry.path) &&
      !entry.path.startsWith('.passloop/overrides/'),
  );
}
