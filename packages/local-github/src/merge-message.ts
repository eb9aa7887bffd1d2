import type { Repository } from './forge.ts';
import { headOwnerOf } from './forks.ts';
import type { Commit, Signature } from './git-objects.ts';
import type { PullRequest } from './state.ts';

export type Message = { headline: string; body: string };

/** What the caller gives replaces what GitHub would write; a squash's number stays only in GitHub's own headline. */
export function joinMessage(
  standard: Message,
  request: { headline?: string | undefined; body?: string | undefined },
): string {
  const headline = request.headline ?? standard.headline;
  const body = request.body ?? standard.body;
  return body === '' ? `${headline}\n` : `${headline}\n\n${body.replace(/\n*$/, '')}\n`;
}

/** GitHub's message of a merge commit, by the repository's settings. */
export function mergeMessage(repository: Repository, pull: PullRequest): Message {
  const { settings } = repository.state;
  const owner = headOwnerOf(repository.state, pull);
  const title = `${pull.title} (#${pull.number})`;
  const headline =
    settings.mergeCommitTitle === 'PR_TITLE'
      ? title
      : `Merge pull request #${pull.number} from ${owner}/${pull.head.ref}`;
  const bodies = { BLANK: '', PR_BODY: pull.body ?? '', PR_TITLE: pull.title };
  return { headline, body: bodies[settings.mergeCommitMessage] };
}

function splitMessage(message: string): Message {
  const [headline = '', ...rest] = message.trim().split('\n');
  return { headline, body: rest.join('\n').trim() };
}

function endsWithTrailers(body: string): boolean {
  const last = body.split('\n\n').at(-1) ?? '';
  return last.split('\n').every((line) => /^[A-Za-z0-9-]+: /.test(line));
}

/** GitHub's squash: one commit keeps its message, several become a list; other authors are credited at the end. */
export function squashMessage(
  repository: Repository,
  pull: PullRequest,
  commits: Commit[],
  author: Signature,
): Message {
  const { settings } = repository.state;
  const [only] = commits.length === 1 ? commits : [];
  const single = only === undefined ? undefined : splitMessage(only.message);
  const useCommit = settings.squashMergeCommitTitle === 'COMMIT_OR_PR_TITLE' && single !== undefined;
  const headline = `${useCommit ? single.headline : pull.title} (#${pull.number})`;
  if (settings.squashMergeCommitMessage === 'BLANK') return { headline, body: '' };
  if (settings.squashMergeCommitMessage === 'PR_BODY') return { headline, body: pull.body ?? '' };
  const listed = commits.map(({ message }) => `* ${message.trim()}`).join('\n\n');
  const others = new Map<string, string>();
  for (const commit of commits) {
    const { name, email } = commit.author;
    if (email !== author.email) others.set(email.toLowerCase(), `Co-authored-by: ${name} <${email}>`);
  }
  const credits = [...others.values()].join('\n');
  const body = single === undefined ? listed : single.body;
  if (credits === '' || body === '') return { headline, body: body + credits };
  // a list is ruled off, and trailers that one commit ends with go on
  const between = single === undefined ? '\n\n---------\n\n' : endsWithTrailers(body) ? '\n' : '\n\n';
  return { headline, body: body + between + credits };
}
