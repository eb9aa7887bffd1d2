import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';
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

const RestPull = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  state: z.string(),
  merged_at: z.string().nullable(),
  changed_files: z.int(),
  user: z.object({ login: z.string() }).nullable(),
  base: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ full_name: z.string() }) }),
  head: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
});
const RestFile = z.object({ filename: z.string(), status: z.string(), previous_filename: z.string().optional() });
const RestFiles = z.array(RestFile);

const reading: Action = { what: 'reading the pull request', permission: 'pull-requests', level: 'read' };
/** GitHub lists no more of a pull request's files. */
const maxFiles = 3000;
const pageSize = 100;

/** @throws ConfigurationError where there is none, or the token may not see it */
export async function readPullRequest(client: GithubClient, number: number): Promise<PullRequest> {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new ConfigurationError(`${number} is no pull request's number.`);
  const pull = await client.rest(
    reading,
    'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    {
      pull_number: number,
    },
    RestPull,
  );
  const files: ChangedFile[] = [];
  for (let page = 1; files.length < Math.min(pull.changed_files, maxFiles); page += 1) {
    const listed = await client.rest(
      reading,
      'GET /repos/{owner}/{repo}/pulls/{pull_number}/files',
      {
        pull_number: number,
        per_page: pageSize,
        page,
      },
      RestFiles,
    );
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

function changedFile({ filename, status, previous_filename: previous }: z.infer<typeof RestFile>): ChangedFile {
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
