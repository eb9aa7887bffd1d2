import { ConfigurationError, plainText } from '@passloop/core';
import type { CommitReport, CommitReports, DeploymentReport } from '@passloop/gitops';
import { z } from 'zod';
import { type Action, type GithubClient, type GithubOptions, githubClient } from './client.ts';

/** Of a hundred statuses and check runs each. */
const maxPages = 20;

const Oid = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const Line = z.object({
  repository: z.object({
    object: z
      .object({
        history: z.object({
          nodes: z.array(
            z.object({
              oid: Oid,
              committedDate: z.iso.datetime({ offset: true }),
              parents: z.object({ nodes: z.array(z.object({ oid: Oid })) }),
            }),
          ),
        }),
      })
      .nullable(),
  }),
});

const StatusNode = z.object({ __typename: z.literal('StatusContext'), context: z.string(), state: z.string() });
const CheckNode = z.object({
  __typename: z.literal('CheckRun'),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
});
const Rollup = z
  .object({
    statusCheckRollup: z
      .object({
        contexts: z.object({
          nodes: z.array(z.union([StatusNode, CheckNode])),
          pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
        }),
      })
      .nullable(),
  })
  .nullable();
const Reports = z.object({ repository: z.record(z.string(), Rollup) });
const Deployments = z.object({
  repository: z.object({
    deployments: z.object({
      nodes: z.array(z.object({ commitOid: Oid, latestStatus: z.object({ state: z.string() }).nullable() })),
    }),
  }),
});

const listing: Action = { what: 'listing the commits of the deploy repository', permission: 'contents', level: 'read' };
const reading: Action = {
  what: 'reading statuses and check runs of the promotion (it takes `statuses: read` and `checks: read`)',
  permission: 'statuses',
  level: 'read',
};
const deploying: Action = { what: 'reading deployments', permission: 'deployments', level: 'read' };

/** What agents in a cluster and workflows reported on a deploy repository's commits, by GitHub's API. */
export function commitReports(options: GithubOptions): CommitReports {
  const client = githubClient(options);
  const repository = { o: client.owner, r: client.name };
  return {
    async commits(head) {
      const query =
        'query($o:String!,$r:String!,$c:GitObjectID!){repository(owner:$o,name:$r){object(oid:$c){... on Commit{history(first:100){nodes{oid committedDate parents(first:8){nodes{oid}}}}}}}}';
      const { repository: found } = await client.graphql(listing, query, { ...repository, c: head }, Line);
      return (found.object?.history.nodes ?? []).map(({ oid, committedDate, parents }) => ({
        commit: oid,
        at: committedDate,
        parents: parents.nodes.map((parent) => parent.oid),
      }));
    },

    async reports(commits, names) {
      const found: CommitReport[] = [];
      let open: { commit: string; after: string | null }[] = commits.map((commit) => ({ commit, after: null }));
      for (let page = 1; open.length > 0; page += 1) {
        // One that was not read might be the one that failed.
        if (page > maxPages) throw new ConfigurationError(`${client.repository} has too many statuses on one commit.`);
        const contexts = await contextsOf(client, open);
        open = open.flatMap(({ commit }, index) => {
          const { nodes = [], pageInfo } = contexts[index] ?? {};
          for (const node of nodes) {
            const report = node.__typename === 'StatusContext' ? statusReport(node) : checkReport(node);
            if (names.includes(report.name)) found.push({ commit, ...report });
          }
          return pageInfo?.hasNextPage === true ? [{ commit, after: pageInfo.endCursor }] : [];
        });
      }
      return found;
    },

    async deployments(environment) {
      const query =
        'query($o:String!,$r:String!,$e:String!){repository(owner:$o,name:$r){deployments(first:50,environments:[$e],orderBy:{field:CREATED_AT,direction:DESC}){nodes{commitOid latestStatus{state}}}}}';
      const variables = { ...repository, e: environment };
      const { repository: found } = await client.graphql(deploying, query, variables, Deployments);
      return found.deployments.nodes.map(
        ({ commitOid, latestStatus }): DeploymentReport => ({
          commit: commitOid,
          ...deploymentState(latestStatus?.state),
        }),
      );
    },
  };
}

/** One page of statuses and check runs of each commit, from a cursor on. */
async function contextsOf(client: GithubClient, open: readonly { commit: string; after: string | null }[]) {
  const types = open.map((_, index) => `$c${index}:GitObjectID!,$a${index}:String`);
  const fields = open.map(
    (_, index) =>
      `c${index}:object(oid:$c${index}){... on Commit{statusCheckRollup{contexts(first:100,after:$a${index}){pageInfo{hasNextPage endCursor} nodes{__typename ... on StatusContext{context state} ... on CheckRun{name status conclusion}}}}}}`,
  );
  const query = `query($o:String!,$r:String!,${types.join(',')}){repository(owner:$o,name:$r){${fields.join(' ')}}}`;
  const variables = Object.fromEntries(
    open.flatMap(({ commit, after }, index) => [
      [`c${index}`, commit],
      [`a${index}`, after],
    ]),
  );
  const place = { o: client.owner, r: client.name };
  const { repository } = await client.graphql(reading, query, { ...place, ...variables }, Reports);
  return open.map((_, index) => repository[`c${index}`]?.statusCheckRollup?.contexts);
}

type Said = Pick<CommitReport, 'state' | 'said'>;

function statusReport({ context, state }: z.infer<typeof StatusNode>): Omit<CommitReport, 'commit'> {
  const judged = state === 'SUCCESS' ? 'healthy' : state === 'FAILURE' || state === 'ERROR' ? 'failed' : 'pending';
  return { name: context, state: judged, said: words(state) };
}

/** What was skipped, cancelled or is neutral has judged nothing. */
function checkReport({ name, status, conclusion }: z.infer<typeof CheckNode>): Omit<CommitReport, 'commit'> {
  if (status !== 'COMPLETED' || conclusion === null) return { name, state: 'pending', said: words(status) };
  const failures = ['FAILURE', 'TIMED_OUT', 'STARTUP_FAILURE'];
  const state = conclusion === 'SUCCESS' ? 'healthy' : failures.includes(conclusion) ? 'failed' : 'pending';
  return { name, state, said: words(conclusion) };
}

function deploymentState(state: string | undefined): Said {
  const judged = state === 'SUCCESS' ? 'healthy' : state === 'FAILURE' || state === 'ERROR' ? 'failed' : 'pending';
  return { state: judged, said: state === undefined ? 'without a status' : words(state) };
}

function words(constant: string): string {
  return plainText(constant.toLowerCase().replaceAll('_', ' '), 40);
}
