import { describe, expect, it } from 'vitest';
import { createWorld, git, pushBranch, type World } from '../fixture.ts';

const ZERO = '0'.repeat(40);

const READ = `query($o:String!,$r:String!,$baseRef:String!,$headRef:String!,$base:String!,$head:String!,$f0:String!){
 repository(owner:$o,name:$r){ id autoMergeAllowed mergeQueue(branch:$base){id}
  base:ref(qualifiedName:$baseRef){target{oid ... on Commit{tree{oid}}}} head:ref(qualifiedName:$headRef){target{oid}}
  f0:object(expression:$f0){... on Blob{oid text isBinary isTruncated byteSize}}
  pullRequests(first:5,states:[OPEN],headRefName:$head,baseRefName:$base){nodes{id number body headRefOid isDraft mergeStateStatus isMergeQueueEnabled autoMergeRequest{enabledAt}}} }
 rateLimit{cost remaining resetAt} }`;
const UPDATE_REFS = 'mutation($i:UpdateRefsInput!){updateRefs(input:$i){clientMutationId}}';
const IN_ONE = `mutation($ref:CreateRefInput!,$c:CreateCommitOnBranchInput!,$pr:CreatePullRequestInput!){ a:createRef(input:$ref){ref{id}}
 b:createCommitOnBranch(input:$c){commit{oid signature{isValid wasSignedByGitHub}}} d:createPullRequest(input:$pr){pullRequest{id number url headRefOid}} }`;

type Read = {
  repository: {
    id: string;
    base: { target: { oid: string; tree: { oid: string } } };
    head: { target: { oid: string } } | null;
    f0: { oid: string; text: string; isBinary: boolean; isTruncated: boolean; byteSize: number };
    pullRequests: { nodes: { id: string; number: number; headRefOid: string; mergeStateStatus: string }[] };
  };
};

async function read({ octokit }: World, head = 'promote/app/prod'): Promise<Read['repository']> {
  const variables = {
    o: 'acme',
    r: 'deploy',
    baseRef: 'refs/heads/main',
    headRef: `refs/heads/${head}`,
    base: 'main',
    head,
    f0: 'main:app/values.yaml',
  };
  return (await octokit.graphql<Read>(READ, variables)).repository;
}

/** A commit made by the Git Data API with an inline file. */
async function commitFile({ octokit }: World, base: { oid: string; tree: { oid: string } }, content: string) {
  const repo = { owner: 'acme', repo: 'deploy' };
  const entry = { path: 'app/values.yaml', mode: '100644', type: 'blob', content } as const;
  const tree = await octokit.rest.git.createTree({ ...repo, base_tree: base.tree.oid, tree: [entry] });
  const commit = await octokit.rest.git.createCommit({
    ...repo,
    message: 'edit',
    tree: tree.data.sha,
    parents: [base.oid],
  });
  return commit.data.sha;
}

describe('a promotion', () => {
  it('takes one read, tree, commit, updateRefs and a pull request', async () => {
    await using world = await createWorld();
    const { octokit, server } = world;
    const from = server.log.length;

    const before = await read(world);
    const sha = await commitFile(world, before.base.target, 'image:\n  tag: "2"\n');
    const update = { name: 'refs/heads/promote/app/prod', beforeOid: ZERO, afterOid: sha, force: true };
    await octokit.graphql(UPDATE_REFS, { i: { repositoryId: before.id, refUpdates: [update] } });
    const pull = await octokit.rest.pulls.create({
      owner: 'acme',
      repo: 'deploy',
      title: 'promote',
      head: 'promote/app/prod',
      base: 'main',
    });
    const after = await read(world);

    expect(before.head).toBeNull();
    expect(before.f0).toMatchObject({
      text: 'image:\n  tag: "1"\n',
      isBinary: false,
      isTruncated: false,
      byteSize: 18,
    });
    expect(after.pullRequests.nodes).toMatchObject([
      { number: pull.data.number, headRefOid: sha, mergeStateStatus: 'CLEAN' },
    ]);
    expect(server.log.slice(from, from + 5).map(({ operations }) => operations.join())).toEqual([
      'repository,rateLimit',
      'git/create-tree',
      'git/create-commit',
      'updateRefs',
      'pulls/create',
    ]);
    expect(server.counts(from)).toMatchObject({ total: 6, reads: 2, writes: 4 });
  });

  it('is one document, of fields that run one after the other', async () => {
    await using world = await createWorld();
    const { id, base } = await read(world);

    const result = await world.octokit.graphql<{ d: { pullRequest: { number: number; headRefOid: string } } }>(IN_ONE, {
      ref: { repositoryId: id, name: 'refs/heads/promote/one', oid: base.target.oid },
      c: {
        branch: { repositoryNameWithOwner: 'acme/deploy', branchName: 'promote/one' },
        expectedHeadOid: base.target.oid,
        message: { headline: 'promote', body: 'Promotion-Id: 1' },
        fileChanges: { additions: [{ path: 'app/values.yaml', contents: Buffer.from('x: 1\n').toString('base64') }] },
      },
      pr: { repositoryId: id, baseRefName: 'main', headRefName: 'promote/one', title: 'promote' },
    });

    await git(world.clone, 'fetch', '--quiet', 'origin');
    expect(await git(world.clone, 'rev-parse', 'origin/promote/one')).toBe(result.d.pullRequest.headRefOid);
    expect(await git(world.clone, 'show', 'origin/promote/one:app/values.yaml')).toBe('x: 1');
  });

  it('lets exactly one of two racing updates win', async () => {
    await using world = await createWorld();
    const { id, base } = await read(world);
    const shas = [await commitFile(world, base.target, 'a: 1\n'), await commitFile(world, base.target, 'a: 2\n')];

    const updates = shas.map((afterOid) =>
      world.octokit.graphql(UPDATE_REFS, {
        i: { repositoryId: id, refUpdates: [{ name: 'refs/heads/main', beforeOid: base.target.oid, afterOid }] },
      }),
    );
    const results = await Promise.allSettled(updates);

    const won = results.findIndex(({ status }) => status === 'fulfilled');
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = results.find((result) => result.status === 'rejected');
    expect(lost?.reason.errors[0]).toMatchObject({ type: 'STALE_DATA', path: ['updateRefs'] });
    expect((await read(world)).base.target.oid).toBe(shas[won]);
  });

  it('moves all references or none', async () => {
    await using world = await createWorld();
    const { id, base } = await read(world);
    const sha = await commitFile(world, base.target, 'a: 1\n');

    const refUpdates = [
      { name: 'refs/heads/new', beforeOid: ZERO, afterOid: sha },
      { name: 'refs/heads/main', beforeOid: sha, afterOid: sha },
    ];
    const update = world.octokit.graphql(UPDATE_REFS, { i: { repositoryId: id, refUpdates } });

    await expect(update).rejects.toThrow(`refs/heads/main is at ${base.target.oid} but expected ${sha}`);
    expect((await read(world, 'new')).head).toBeNull();
  });

  it('answers a stale head with STALE_DATA', async () => {
    await using world = await createWorld();
    const { base } = await read(world);
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);

    const stale = world.octokit.graphql(
      'mutation($i:CreateCommitOnBranchInput!){createCommitOnBranch(input:$i){commit{oid}}}',
      {
        i: {
          branch: { repositoryNameWithOwner: 'acme/deploy', branchName: 'topic' },
          expectedHeadOid: base.target.oid,
          message: { headline: 'x' },
        },
      },
    );

    await expect(stale).rejects.toMatchObject({
      errors: [{ type: 'STALE_DATA', message: expect.stringContaining('Expected branch to point to') }],
    });
  });
});
