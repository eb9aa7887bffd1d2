import type { PlannedFile } from './edits.ts';
import type { DeploySnapshot, FileAt, HeadSnapshot, PullRequestText } from './forge.ts';

/** A plan: one commit on one branch, and its pull request. It can be printed, tested and refused. */
export type DeployChange = {
  branch: string;
  files: readonly PlannedFile[];
  message: string;
  text: PullRequestText;
};

/** Collects the files of a change on top of a snapshot; the same file may be edited several times. */
export type FileEditor = {
  /** The text as it stands now, edits included; null where there is none. */
  read(path: string): string | null;
  write(path: string, content: string): void;
  remove(path: string): void;
  /** What differs from the snapshot, by path. */
  files(): PlannedFile[];
};

export function fileEditor(snapshot: DeploySnapshot): FileEditor {
  const contents = new Map<string, string | null>();
  return {
    read: (path) => (contents.has(path) ? (contents.get(path) ?? null) : (fileIn(snapshot, path)?.text ?? null)),
    write: (path, content) => void contents.set(path, content),
    remove: (path) => void contents.set(path, null),
    files: () =>
      [...contents]
        .map(([path, content]) => {
          const found = fileIn(snapshot, path);
          return { path, content, mode: found?.mode ?? '100644', before: found?.text ?? null };
        })
        .filter(({ content, before }) => content !== before)
        .sort((left, right) => (left.path < right.path ? -1 : 1)),
  };
}

function fileIn(snapshot: DeploySnapshot, path: string): FileAt | null {
  const file = snapshot.files.get(path);
  if (file !== undefined && file !== null) return file;
  for (const folder of snapshot.folders.values()) {
    const found = folder.find((one) => one.path === path);
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * True where the branch already is what the change would make of it: its commit says the same, on a parent in which all
 * the addressed files are as they are on the base branch now.
 */
export function isApplied(head: HeadSnapshot | null, change: DeployChange, snapshot: DeploySnapshot): boolean {
  if (head === null || head.parent === null || head.message.trim() !== change.message.trim()) return false;
  const changed = new Map(change.files.map((file) => [file.path, file]));
  const read = [...snapshot.files.keys(), ...[...snapshot.folders.values()].flat().map(({ path }) => path)];
  for (const path of new Set([...changed.keys(), ...read, ...head.files.keys()])) {
    const base = fileIn(snapshot, path)?.blob ?? null;
    if ((head.parent.blobs.get(path) ?? null) !== base) return false;
    const file = changed.get(path);
    const found = head.files.get(path) ?? null;
    if (file === undefined ? (found?.blob ?? null) !== base : (found?.text ?? null) !== file.content) return false;
  }
  return true;
}
