import type { PolicyDifference } from '@passloop/documents';
import { fromRoot, type LoadedModel } from '@passloop/model';
import { blobAt, lockAt, type Workspace } from './workspace.ts';

/**
 * How the files that a policy names differ between two commits: the profiles that drift is measured against, and the rows that
 * decide the gates. Neither loosens by itself (the target branch's profile judges, and both models are scored on the same
 * rows), but whoever reads the verdict must know.
 */
export async function policyFileDifferences(
  workspace: Workspace,
  sides: { base: LoadedModel; baseCommit: string; head: LoadedModel },
): Promise<PolicyDifference[]> {
  const { base, baseCommit, head } = sides;
  const differences: PolicyDifference[] = [];
  for (const [name, source] of Object.entries(base.data)) {
    if (source.profile === undefined) continue;
    const profile = source.profile;
    const [from, to] = await Promise.all([
      blobAt(workspace, baseCommit, fromRoot(base, profile)),
      blobAt(workspace, workspace.commit, fromRoot(head, profile)),
    ]);
    if (from !== to) differences.push({ path: `data.${name}.profile`, from, to, loosens: false });
  }
  if (base.evaluate === undefined) return differences;
  const dataset = base.evaluate.dataset;
  const [from, to] = await Promise.all([
    rowsAt(workspace, baseCommit, base, dataset),
    rowsAt(workspace, workspace.commit, head, dataset),
  ]);
  if (from !== to) differences.push({ path: 'evaluate.rows', from, to, loosens: false });
  return differences;
}

/** Which rows a dataset has at a commit: its digest by the lock, or null where it is not locked. */
async function rowsAt(
  workspace: Workspace,
  commit: string,
  model: LoadedModel,
  dataset: string,
): Promise<string | null> {
  const source = model.data[dataset];
  const lock = await lockAt(workspace.repository, commit, model);
  return lock?.datasets.find((entry) => entry.uri === (source?.path ?? source?.uri))?.digest ?? null;
}
