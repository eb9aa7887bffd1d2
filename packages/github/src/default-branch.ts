import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';
import { type GithubOptions, githubClient } from './client.ts';

const Answer = z.object({
  repository: z.object({
    defaultBranchRef: z
      .object({
        name: z.string().min(1).max(255),
        target: z.object({ oid: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/) }),
      })
      .nullable(),
  }),
});

/**
 * The default branch of a repository, and the commit at its head.
 * @throws ConfigurationError where it has none, or the token may not read it
 */
export async function defaultBranch(options: GithubOptions): Promise<{ name: string; commit: string }> {
  const client = githubClient(options);
  const query = 'query($o:String!,$r:String!){repository(owner:$o,name:$r){defaultBranchRef{name target{oid}}}}';
  const reading = { what: 'reading the default branch', permission: 'contents', level: 'read' } as const;
  const { repository } = await client.graphql(reading, query, { o: client.owner, r: client.name }, Answer);
  if (repository.defaultBranchRef === null) {
    throw new ConfigurationError(`${options.repository} has no commit yet.`, {
      hint: 'Push one to its default branch.',
    });
  }
  const { name, target } = repository.defaultBranchRef;
  return { name, commit: target.oid };
}
