import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import { type FetchRemote, type Profile, parseProfile, validateDataset, verifyLock } from '@passloop/data';
import type { DataReport } from '@passloop/documents';
import { fromRoot, type LoadedModel, lockFileName } from '@passloop/model';
import type { TableFiles, TableSession } from '@passloop/tables';
import { columnRoles } from './column-roles.ts';
import type { Context } from './context.ts';
import { insideRepository } from './dataset-request.ts';
import { profileHistory } from './profile-history.ts';
import { shownDatasets } from './shown-values.ts';
import { lockAt, type Workspace } from './workspace.ts';

/** A dataset whose files are here and are what the commit's lock says. */
export type LockedFiles = { name: string; uri: string; root: string; digest: string; found: TableFiles };

/**
 * A model's dataset in the work tree, verified against the lock of the commit.
 * @param fetch brings remote ones; without it they are refused
 * @throws ConfigurationError for a stale lock (it names both digests), a missing file, or a dataset that is not locked
 */
export async function lockedFiles(
  workspace: Workspace,
  model: LoadedModel,
  name: string,
  fetch: FetchRemote | undefined,
): Promise<LockedFiles> {
  const source = model.data[name];
  if (source === undefined)
    throw new ConfigurationError(`${model.name} has no dataset ${JSON.stringify(name)}.`, { file: model.file });
  const uri = source.path ?? source.uri ?? '';
  const root = path.join(workspace.root, model.folder);
  if (source.path !== undefined) await insideRepository(workspace.root, fromRoot(model, uri), `data.${name}.path`);
  const lock = await lockAt(workspace.repository, workspace.commit, model);
  const [locked] = await verifyLock(lock, { root, uris: [uri], fetch, file: fromRoot(model, lockFileName) });
  if (locked === undefined) throw new Error('no dataset was verified');
  return { name, uri, root, digest: locked.digest, found: locked.found };
}

/**
 * Validates every dataset that has checks, under the deciding policy: checks and profiles of the target branch, data of the
 * change. A profile is read from the target branch's commit; where that has none, from the change's.
 */
export async function validateModelData(
  context: Context,
  session: TableSession,
  workspace: Workspace,
  model: LoadedModel,
  baseCommit: string | null,
  fetch: FetchRemote | undefined,
): Promise<DataReport[]> {
  const reports: DataReport[] = [];
  for (const [name, source] of Object.entries(model.data)) {
    if (source.checks.length === 0) continue;
    context.progress.phase(`validate ${name}`);
    const files = await lockedFiles(workspace, model, name, fetch);
    const profile =
      source.profile === undefined ? null : await committedProfile(workspace, model, source.profile, baseCommit);
    // What the change itself says, held to the target branch: the model here is of both.
    const own = workspace.models.find((one) => one.name === model.name) ?? model;
    const { checks } = source;
    reports.push(
      await validateDataset({
        session,
        dataset: { name, uri: files.uri, root: files.root, digest: files.digest, found: files.found },
        checks,
        profile,
        shown: await shownDatasets(context, { model: own, root: files.root, name, checks }),
        now: context.now(),
        roles: columnRoles(model),
        key: model.columns.key,
        history:
          source.profile === undefined
            ? undefined
            : () =>
                profileHistory(
                  workspace.repository,
                  baseCommit ?? workspace.commit,
                  fromRoot(model, source.profile ?? ''),
                ),
        otherDataset: (other) => lockedFiles(workspace, model, other, fetch),
      }),
    );
  }
  context.progress.done();
  return reports;
}

async function committedProfile(
  workspace: Workspace,
  model: LoadedModel,
  file: string,
  baseCommit: string | null,
): Promise<Profile | null> {
  const where = fromRoot(model, file);
  for (const commit of [baseCommit, workspace.commit]) {
    const text = commit === null ? null : await workspace.repository.readFile(commit, where);
    if (text !== null) return parseProfile(text.toString('utf8'), where);
  }
  return null;
}
