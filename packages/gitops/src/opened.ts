import type { Proposal, PullRequestReference } from '@passloop/documents';
import type { OpenPullRequest, PullRequestText } from './forge.ts';

/** What documents say of a change that waits: its pull request or, where a remote has none, what a person opens one with. */
export type Opened = { pullRequest: PullRequestReference | null; proposal?: Proposal };

export function openedAs(pullRequest: OpenPullRequest, text: PullRequestText, isMerged: boolean): Opened {
  const { number, url } = pullRequest;
  if (number !== null) return { pullRequest: { number, url } };
  return { pullRequest: null, ...(isMerged ? {} : { proposal: { title: text.title, body: text.body, url } }) };
}
