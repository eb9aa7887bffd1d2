import { type GitOutput, runGit } from './git.ts';

export type Change = {
  path: string;
  previousPath: string | null;
  status: 'added' | 'changed' | 'modified' | 'removed' | 'renamed';
  oid: string;
  /** null for a binary file. */
  additions: number | null;
  deletions: number | null;
};

const STATUSES: Record<string, Change['status']> = {
  A: 'added',
  C: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  T: 'changed',
};

/**
 * What git says of commits and trees that are named by their full ids: the same in every repository that holds them, and for ever.
 * @throws GitError as `runGit` does; a failure isn't kept
 */
export function runGitOnce(directory: string, args: string[], options: { expect?: number[] } = {}): Promise<GitOutput> {
  const key = args.join('\0');
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = runGit(directory, args, options);
  answers.set(key, answer);
  answer.catch(() => answers.delete(key));
  if (answers.size > 2_000) answers.delete(answers.keys().next().value ?? '');
  return answer;
}

const answers = new Map<string, Promise<GitOutput>>();

/** The files that differ between two trees or commits, renames found as GitHub finds them (50 % alike). */
export async function diffTrees(directory: string, from: string, to: string): Promise<Change[]> {
  const args = ['diff-tree', '-r', '-M', '-z', '--raw', '--numstat', '--no-abbrev', from, to];
  const fields = (await runGitOnce(directory, args)).stdout.toString().split('\0');
  const changes: Change[] = [];
  const byPath = new Map<string, Change>();
  for (let at = 0; at < fields.length - 1; ) {
    const raw = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) (\w)\d*$/.exec(fields[at]!);
    if (raw !== null) {
      const moved = raw[3] === 'R' || raw[3] === 'C';
      const path = fields[at + (moved ? 2 : 1)]!;
      const change: Change = {
        path,
        previousPath: raw[3] === 'R' ? fields[at + 1]! : null,
        status: STATUSES[raw[3]!] ?? 'changed',
        oid: raw[3] === 'D' ? raw[1]! : raw[2]!,
        additions: 0,
        deletions: 0,
      };
      changes.push(change);
      byPath.set(path, change);
      at += moved ? 3 : 2;
      continue;
    }
    const [added, deleted, name] = fields[at]!.split('\t');
    const path = name === '' ? fields[at + 2]! : name!;
    const change = byPath.get(path);
    if (change !== undefined) {
      change.additions = added === '-' ? null : Number(added);
      change.deletions = deleted === '-' ? null : Number(deleted);
    }
    at += name === '' ? 3 : 1;
  }
  return changes;
}

/** The hunks of one file's patch, from the first `@@`; undefined for binary files and pure renames. */
export async function patchOf(
  directory: string,
  from: string,
  to: string,
  change: Change,
): Promise<string | undefined> {
  const paths = change.previousPath === null ? [change.path] : [change.previousPath, change.path];
  const args = ['--literal-pathspecs', 'diff-tree', '-r', '-M', '-p', from, to, '--', ...paths];
  const text = (await runGitOnce(directory, args)).stdout.toString();
  const start = text.startsWith('@@') ? 0 : text.indexOf('\n@@') + 1;
  return start === 0 && !text.startsWith('@@') ? undefined : text.slice(start).replace(/\n$/, '');
}

/** Whether `ancestor` is reachable from `descendant`. */
export async function isAncestor(directory: string, ancestor: string, descendant: string): Promise<boolean> {
  if (ancestor === descendant) return true;
  const args = ['merge-base', '--is-ancestor', ancestor, descendant];
  return (await runGitOnce(directory, args, { expect: [0, 1] })).code === 0;
}

/** The best common ancestor; undefined for unrelated histories. */
export async function mergeBase(directory: string, a: string, b: string): Promise<string | undefined> {
  const { code, stdout } = await runGitOnce(directory, ['merge-base', a, b], { expect: [0, 1] });
  return code === 0 ? stdout.toString().trim() : undefined;
}

/**
 * Commit oids, newest first as `git rev-list` orders them.
 * @param run `runGit` where the arguments name branches or times, whose commits change
 */
export async function revList(directory: string, args: string[], run = runGitOnce): Promise<string[]> {
  const { stdout } = await run(directory, ['--literal-pathspecs', 'rev-list', ...args]);
  return stdout.toString().split('\n').slice(0, -1);
}
