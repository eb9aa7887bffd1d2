import {
  type GraphQLField,
  type GraphQLNamedType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch } from '../fixture.ts';
import { schema } from './serve.ts';

const repo = { owner: 'acme', repo: 'deploy' };

/** Values for arguments that a field must have; connections take `first`. */
const VALUES: Record<string, string> = {
  expression: '"main"',
  first: '3',
  headRef: '"every"',
  input: '',
  name: '"promotion"',
  number: '1',
  path: '"app/values.yaml"',
  qualifiedName: '"every"',
  refPrefix: '"refs/heads/"',
};

function callOf(field: GraphQLField<unknown, unknown>): string {
  const wanted = field.args.filter((one) => isRequiredArgument(one) || ['expression', 'first'].includes(one.name));
  return wanted.length === 0
    ? field.name
    : `${field.name}(${wanted.map(({ name }) => `${name}: ${VALUES[name]}`).join(' ')})`;
}

/** Every field of a type, and of what its fields give, to a depth; each alias once. */
function selectionOf(type: GraphQLNamedType, depth: number): string {
  if (isAbstractType(type)) {
    const parts = schema.getPossibleTypes(type).map((one) => `... on ${one.name} ${prefixed(one, depth)}`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  return isObjectType(type) ? prefixed(type, depth) : '';
}

function prefixed(type: GraphQLNamedType, depth: number): string {
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const inner = getNamedType(field.type);
    if (!isLeafType(inner) && depth === 0) return [];
    return [`${type.name}_${field.name}: ${callOf(field)} ${isLeafType(inner) ? '' : selectionOf(inner, depth - 1)}`];
  });
  return `{ __typename ${fields.join(' ')} }`;
}

describe('the GraphQL extract', () => {
  it('has a resolver for every field of every object that a query can reach', async () => {
    await using world = await createWorld({ autoMerge: true });
    const { octokit, repository, server } = world;
    const head = await pushBranch(world.clone, 'every', [{ 'app/values.yaml': 'a: 1\n' }]);
    await git(world.clone, 'tag', '-a', '-m', 'one', 'v1');
    await git(world.clone, 'push', '--quiet', 'origin', 'v1');
    await octokit.rest.pulls.create({ ...repo, title: 'Every', head: 'every', base: 'main' });
    await octokit.rest.issues.addLabels({ ...repo, issue_number: 1, labels: ['promotion'] });
    await octokit.rest.issues.createComment({ ...repo, issue_number: 1, body: 'one' });
    await octokit.rest.repos.createCommitStatus({ ...repo, sha: head, state: 'pending', context: 'ci' });
    const job = octokitFor(server, await server.createToken({ login: 'github-actions[bot]', kind: 'job' }));
    await job.rest.checks.create({ ...repo, name: 'passloop', head_sha: head, status: 'queued' });
    await job.rest.pulls.createReview({ ...repo, pull_number: 1, event: 'COMMENT', body: 'seen' });
    await repository.protectBranch('main', { requiredChecks: ['ci'] });
    await repository.addDeployment({ sha: head, environment: 'staging', state: 'success' });
    await repository.requireMergeQueue('main');
    const query = 'query($i: ID!) { node(id: $i) { ... on PullRequest { id } } }';
    const pull = await octokit.graphql<{ repository: { pullRequest: { id: string } } }>(
      '{ repository(owner: "acme", name: "deploy") { pullRequest(number: 1) { id } } }',
    );
    const { id } = pull.repository.pullRequest;
    await octokit.graphql(
      'mutation($i: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $i}) { actor { login } } }',
      {
        i: id,
      },
    );
    const seen = new Set<string>();
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(collect);
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        seen.add(key);
        collect(inner);
      }
    };

    const everything = selectionOf(schema.getType('Repository')!, 3);
    collect(await octokit.graphql(`{ repository(owner: "acme", name: "deploy") ${everything} }`));
    const tag = selectionOf(schema.getType('GitObject')!, 1);
    collect(await octokit.graphql(`{ repository(owner: "acme", name: "deploy") { object(expression: "v1") ${tag} } }`));
    const file = 'object(expression: "main:app/values.yaml")';
    collect(await octokit.graphql(`{ repository(owner: "acme", name: "deploy") { ${file} ${tag} } }`));
    const pullFields = selectionOf(schema.getType('PullRequest')!, 3);
    collect(await octokit.graphql(`query($i: ID!) { node(id: $i) { ... on PullRequest ${pullFields} } }`, { i: id }));
    collect(
      await octokit.graphql(
        `{ viewer ${selectionOf(schema.getType('User')!, 1)} rateLimit ${selectionOf(schema.getType('RateLimit')!, 1)} }`,
      ),
    );
    const commit = selectionOf(schema.getType('Commit')!, 3);
    const onCommit = `object(expression: "every") { ... on Commit ${commit} }`;
    collect(await octokit.graphql(`{ repository(owner: "acme", name: "deploy") { ${onCommit} } }`));
    const comparison = selectionOf(schema.getType('Comparison')!, 2);
    const onRef = `ref(qualifiedName: "main") { compare(headRef: "every") ${comparison} }`;
    collect(await octokit.graphql(`{ repository(owner: "acme", name: "deploy") { ${onRef} } }`));
    await octokit.rest.pulls.update({ ...repo, pull_number: 1, state: 'closed' });
    collect(await octokit.graphql(`query($i: ID!) { node(id: $i) { ... on PullRequest ${pullFields} } }`, { i: id }));
    const again = await octokit.graphql<{ node: { id: string } }>(query, { i: id });

    const fields = Object.values(schema.getTypeMap())
      .filter(
        (type) => isObjectType(type) && !type.name.startsWith('__') && !/^(Query|Mutation|.*Payload)$/.test(type.name),
      )
      .flatMap((type) =>
        isObjectType(type) ? Object.keys(type.getFields()).map((name) => `${type.name}_${name}`) : [],
      );
    const silent = fields.filter((name) => !seen.has(name)).sort();
    expect(again.node.id).toBe(id);
    // only a mutation gives an entry of a merge queue, and the edge of a review
    expect(silent).toEqual([
      'MergeQueueEntry_enqueuedAt',
      'MergeQueueEntry_enqueuer',
      'MergeQueueEntry_id',
      'MergeQueueEntry_position',
      'MergeQueueEntry_pullRequest',
      'MergeQueueEntry_state',
      'PullRequestReviewEdge_cursor',
      'PullRequestReviewEdge_node',
    ]);
  });
});
