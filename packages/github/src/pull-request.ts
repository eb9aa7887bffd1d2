import { ConfigurationError } from '@passloop/core';
import type { Action, GithubClient } from './client.ts';

/** A pull request as a check needs it; everything in it is the author's word. */
export type PullRequest = {
  number: number;
  url: string;
  title: string;
  author: string | null;
  state: 'open' | 'closed' | 'merged';
  base: { ref: string; commit: string };
  head: { ref: string; commit: string; repository: string | null };
  /** From a fork, or a repository that is gone: its code and artifacts are hostile. */
  isFork: boolean;
  /** Paths on both sides of a rename; null where GitHub lists only the first 3,000 of them. */
  files: readonly ChangedFile[] | null;
};

export type ChangedFile = {
  path: string;
  change: 'added' | 'modified' | 'deleted' | 'renamed' | 'other';
  previous: string | null;
};

type RestPull = {
  number: number;
  html_url: string;
  title: string;
  state: string;
  merged_at: string | null;
  changed_files: number;
  user: { login: string } | null;
  base: { ref: string; sha: string; repo: { full_name: string } };
  head: { ref: string; sha: string; repo: { full_name: string } | null };
};
type RestFile = { filename: string; status: string; previous_filename?: string };

const reading: Action = { what: 'reading the pull request', permission: 'pull-requests', level: 'read' };
/** GitHub lists no more of a pull request's files. */
const maxFiles = 3000;
const pageSize = 100;

/** @throws ConfigurationError where there is none, or the token may not see it */
export async function readPullRequest(client: GithubClient, number: number): Promise<PullRequest> {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new ConfigurationError(`${number} is no pull request's number.`);
  const pull = await client.rest<RestPull>(reading, 'GET /repos/{owner}/{repo}/pulls/{pull_number}', {
    pull_number: number,
  });
  const files: ChangedFile[] = [];
  for (let page = 1; files.length < Math.min(pull.changed_files, maxFiles); page += 1) {
    const listed = await client.rest<RestFile[]>(reading, 'GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
      pull_number: number,
      per_page: pageSize,
      page,
    });
    files.push(...listed.map(changedFile));
    if (listed.length < pageSize) break;
  }
  return {
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    author: pull.user?.login ?? null,
    state: pull.merged_at !== null ? 'merged' : pull.state === 'open' ? 'open' : 'closed',
    base: { ref: pull.base.ref, commit: pull.base.sha },
    head: { ref: pull.head.ref, commit: pull.head.sha, repository: pull.head.repo?.full_name ?? null },
    isFork:
      pull.head.repo === null || pull.head.repo.full_name.toLowerCase() !== pull.base.repo.full_name.toLowerCase(),
    files: files.length < pull.changed_files ? null : files,
  };
}

function changedFile({ filename, status, previous_filename: previous }: RestFile): ChangedFile {
  const changes: Record<string, ChangedFile['change']> = {
    added: 'added',
    copied: 'added',
    modified: 'modified',
    changed: 'modified',
    removed: 'deleted',
    renamed: 'renamed',
  };
  return { path: filename, change: changes[status] ?? 'other', previous: previous ?? null };
}
