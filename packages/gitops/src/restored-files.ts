import type { EnvironmentState } from './deploy-state.ts';
import type { CommitFiles, DeploySnapshot, PathVersion } from './forge.ts';
import type { RecordVersion } from './record-history.ts';
import { imageOfRecord, readTarget, targetOf, targetValue } from './targets.ts';

/** Beyond that many changes of the record the older contents aren't looked for: fields are edited. */
const maxChain = 20;

/** What the older commit of a return says of its manifests. */
export type Restoration = {
  /** By path, the older content of files that nothing touched since but the promotions that are undone: what `git revert` would bring back. */
  files: ReadonlyMap<string, string>;
  /** Whether the manifests of that commit carried the record's image: it ran there. */
  ranThere: boolean;
};

export const noRestoration: Restoration = { files: new Map(), ranThere: false };

/** The commits that changed the record, from the one in production back to the one that is returned to, newest first. */
export function changesSince(versions: readonly PathVersion[], to: RecordVersion): string[] {
  const end = versions.findIndex(({ commit }) => commit === to.commit);
  if (to.commit === null || end < 0 || end > maxChain) return to.commit === null ? [] : [to.commit];
  return versions.slice(0, end + 1).map(({ commit }) => commit);
}

/**
 * Which manifests can come back whole. A file can where it is as the newest of these commits left it, and each of them began with
 * it as the one before had left it: then no other change is lost. Not where the older content still names the image that is left (a canary
 * beside it), not where it names another image of somebody else than now (one of these commits moved several models, and their records
 * would say something else), and not where it doesn't carry the older record's image everywhere.
 */
export function restorationOf(
  snapshot: DeploySnapshot,
  environment: EnvironmentState,
  { from, to }: { from: RecordVersion; to: RecordVersion },
  { chain, commits }: { chain: readonly string[]; commits: ReadonlyMap<string, CommitFiles | null> },
): Restoration {
  const older = commits.get(to.commit ?? '') ?? null;
  if (older === null) return noRestoration;
  const files = new Map<string, string>();
  for (const path of new Set(environment.targets.map(({ target }) => target.file))) {
    const text = older.files.get(path)?.text ?? null;
    if (text === null || !isUntouched(path, snapshot, chain, commits)) continue;
    const left = from.record.image.digest;
    if (left !== to.record.image.digest && text.includes(left)) continue;
    const own = new Set([left, to.record.image.digest]);
    if (othersIn(text, own) !== othersIn(snapshot.files.get(path)?.text ?? '', own)) continue;
    if (carries(environment, path, text, to)) files.set(path, text);
  }
  return { files, ranThere: ranAt(older, to) };
}

/** The digests that a file names beside these, in order. */
function othersIn(text: string, own: ReadonlySet<string>): string {
  return (text.match(/sha256:[0-9a-f]{64}/g) ?? []).filter((digest) => !own.has(digest)).join(' ');
}

function isUntouched(
  path: string,
  snapshot: DeploySnapshot,
  chain: readonly string[],
  commits: ReadonlyMap<string, CommitFiles | null>,
): boolean {
  if (chain.length < 2) return false;
  const current = snapshot.files.get(path);
  const mode = current?.mode;
  let expected = current?.blob;
  for (const [index, commit] of chain.entries()) {
    const found = commits.get(commit) ?? null;
    const file = found?.files.get(path) ?? null;
    if (found === null || file === null || file.blob !== expected || file.mode !== mode) return false;
    if (index < chain.length - 1) expected = found.parent?.blobs.get(path);
  }
  return true;
}

function carries(environment: EnvironmentState, path: string, text: string, { record }: RecordVersion): boolean {
  const image = imageOfRecord(record);
  return environment.targets
    .filter(({ target }) => target.file === path)
    .every(
      ({ target, file }) => file !== null && readTarget(target, { ...file, text }).value === targetValue(target, image),
    );
}

function ranAt({ files }: CommitFiles, { record }: RecordVersion): boolean {
  return record.deployment.targets.every(
    (recorded) => readTarget(targetOf(recorded), files.get(recorded.file) ?? null).value === recorded.value,
  );
}
