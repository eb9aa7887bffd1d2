import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type GitRepository, temporaryFolder } from '@passloop/core';

/** Beyond that many files only exact contents are compared. */
const maxMergedFiles = 500;

type ChangedPath = { path: string; before: Content; after: Content };
/** Null where there is no file. */
type Content = { mode: string; oid: string } | null;

/**
 * Whether a commit holds nothing any more of what an earlier one changed: each of its files is as it was before, or differs from that only by other
 * changes (then undoing it once more would change nothing). A commit that changed nothing can't be undone.
 * @param change a commit; of a merge, what it brought to its first parent
 */
export async function isUndone(repository: GitRepository, change: string, at: string): Promise<boolean> {
  const changed = await changedPaths(repository, change);
  if (changed.length === 0) return false;
  const now = new Map((await repository.listFiles(at)).map((entry) => [entry.path, entry]));
  const unequal = changed.filter(({ path: name, before }) => !isSame(now.get(name) ?? null, before));
  if (unequal.length === 0) return true;
  if (unequal.length > maxMergedFiles) return false;
  await using folder = await temporaryFolder('undone');
  for (const { path: name, before, after } of unequal) {
    const found = now.get(name);
    if (before === null || after === null || found === undefined) return false;
    if (![before, after, found].every(({ mode }) => mode.startsWith('100')) || found.mode !== before.mode) return false;
    if (!(await isMergedIn(repository, folder.path, { ours: found.oid, base: after.oid, theirs: before.oid })))
      return false;
  }
  return true;
}

function isSame(found: Content, before: Content): boolean {
  return found?.oid === before?.oid && found?.mode === before?.mode;
}

async function changedPaths(repository: GitRepository, commit: string): Promise<ChangedPath[]> {
  const parents = (await repository.run(['rev-parse', `${commit}^@`])).split('\n').filter((line) => line !== '');
  const sides = parents[0] === undefined ? ['--root', commit] : [parents[0], commit];
  const listed = await repository.run(['diff-tree', '-r', '-z', '--no-renames', '--no-commit-id', ...sides]);
  const fields = listed.split('\0');
  const changed: ChangedPath[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [from = '', to = '', before = '', after = ''] = (fields[index] ?? '').replace(/^:/, '').split(' ');
    const content = (mode: string, oid: string) => (/^0+$/.test(mode) ? null : { mode, oid });
    changed.push({ path: fields[index + 1] ?? '', before: content(from, before), after: content(to, after) });
  }
  return changed;
}

/** True where a three-way merge of undoing `base` into `ours` leaves `ours` as it is. */
async function isMergedIn(
  repository: GitRepository,
  folder: string,
  oids: { ours: string; base: string; theirs: string },
): Promise<boolean> {
  const blobs = await repository.readBlobs(Object.values(oids));
  const files: Record<string, string> = {};
  for (const [side, oid] of Object.entries(oids)) {
    const content = blobs.get(oid);
    if (content === undefined || content.includes(0)) return false;
    files[side] = path.join(folder, side);
    await writeFile(files[side], content);
  }
  const { ours = '', base = '', theirs = '' } = files;
  const merged = await repository.run(['merge-file', '-p', '--quiet', ours, base, theirs], { allowFailure: true });
  return merged === blobs.get(oids.ours)?.toString('utf8');
}
