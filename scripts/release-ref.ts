/**
 * Makes the second commit of a release: its child, in which workflows and templates name each action by repository and commit
 * in place of `$/`. No work tree is touched. The same release makes the same commit, wherever it is made; it is signed by nobody, and the
 * tag on it is what a maintainer signs. Prints the commit.
 *
 *   node scripts/release-ref.ts --tag v1.2.3 [--repository passloop/passloop] [--in FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pinnedWorkflow } from './pinned-workflow.ts';

const { values } = parseArgs({
  options: {
    tag: { type: 'string' },
    repository: { type: 'string', default: 'passloop/passloop' },
    in: { type: 'string', default: path.resolve(import.meta.dirname, '..') },
  },
});
const { tag = '', repository } = values;
const index = mkdtempSync(path.join(tmpdir(), 'passloop-release-'));
try {
  console.log(pinnedCommit());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(index, { recursive: true, force: true });
}

function pinnedCommit(): string {
  if (!/^v\d+\.\d+\.\d+$/.test(tag)) throw new Error(`--tag ${tag}: a release is named vX.Y.Z.`);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new Error(`--repository ${repository}: it is owner/name.`);
  const commit = git(['rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`]);
  const { version } = JSON.parse(git(['show', `${commit}:package.json`])) as { version: string };
  if (tag !== `v${version}`) throw new Error(`${tag} is on a commit whose package.json says ${version}.`);
  git(['read-tree', commit]);
  const files = git(['ls-files', '-z', '.github/workflows', 'workflows-templates']).split('\0').filter(isShipped);
  if (files.length === 0) throw new Error(`${tag} has no workflows.`);
  for (const file of files) {
    // Not by `git`, which takes the end of line away.
    const text = run(['cat-file', 'blob', `${commit}:${file}`]);
    const blob = git(['hash-object', '-w', '--stdin'], pinnedWorkflow(text, { repository, commit, tag }));
    git(['update-index', '--cacheinfo', `100644,${blob},${file}`]);
  }
  const message = `Name the actions of ${tag} by its commit\n\nFor runners and servers that don't know $/. Made by scripts/release-ref.ts from ${commit}.\n`;
  return git(['commit-tree', git(['write-tree']), '-p', commit], message, identity(commit));
}

/** Reusable workflows and templates; those with a leading dot are this repository's own. */
function isShipped(file: string): boolean {
  return /^(?:\.github\/workflows|workflows-templates)\/[a-z][\w-]*\.yml$/.test(file);
}

/** Who and when come from the released commit, so that the second one can be made again and compared. */
function identity(commit: string): Record<string, string> {
  const [name = '', email = '', date = ''] = git(['show', '--no-patch', '--format=%cn%n%ce%n%cI', commit]).split('\n');
  const people = ['AUTHOR', 'COMMITTER'].flatMap((who) => [
    [`GIT_${who}_NAME`, name],
    [`GIT_${who}_EMAIL`, email],
    [`GIT_${who}_DATE`, date],
  ]);
  return Object.fromEntries(people);
}

function git(args: string[], input?: string, env?: Record<string, string>): string {
  return run(args, input, env).trimEnd();
}

function run(args: string[], input = '', env: Record<string, string> = {}): string {
  return execFileSync('git', ['-c', 'commit.gpgSign=false', ...args], {
    cwd: values.in,
    encoding: 'utf8',
    input,
    env: { ...process.env, GIT_INDEX_FILE: path.join(index, 'index'), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
}
