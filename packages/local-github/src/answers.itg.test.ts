import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch, type World } from './fixture.ts';
import type { Permissions } from './index.ts';

const repo = { owner: 'acme', repo: 'deploy' };
let world: World;
let main: string;

beforeAll(async () => {
  world = await createWorld();
  main = await git(world.clone, 'rev-parse', 'HEAD');
  await pushBranch(world.clone, 'topic', [{ a: '1' }]);
  await world.octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' });
  await pushBranch(world.clone, 'kept', [{ b: '1' }]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

type Answer = {
  status: number;
  body: { message: string; documentation_url: string; status: string; errors?: unknown[] };
};

async function call(method: string, path: string, options: { token?: string; body?: unknown } = {}): Promise<Answer> {
  const authorization = options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` };
  const response = await fetch(world.server.restUrl + path, {
    method,
    headers: { ...authorization, Connection: 'close' },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

const PATH = '/repos/acme/deploy';
const NOWHERE = 'f'.repeat(40);

describe('errors', () => {
  it.each([
    ['POST', '/git/refs', { ref: 'refs/heads/main', sha: 'MAIN' }, 422, 'Reference already exists'],
    ['POST', '/git/refs', { ref: 'refs/heads/new', sha: NOWHERE }, 422, 'Object does not exist'],
    ['POST', '/git/refs', { ref: 'new', sha: 'MAIN' }, 422, "Reference does not begin with 'refs'"],
    ['POST', '/git/refs', { ref: 'refs/heads/a..b', sha: 'MAIN' }, 422, 'is not a valid ref name'],
    ['POST', '/git/refs', { ref: 'refs/heads/x' }, 422, 'Invalid request.\n\n"sha" wasn\'t supplied.'],
    [
      'POST',
      '/git/refs',
      { ref: 'refs/heads/x', sha: 'main' },
      422,
      'At least 40 characters are required; only 4 were',
    ],
    ['POST', '/git/refs', { ref: 'refs/heads/x', sha: 'x'.repeat(40) }, 422, 'contain only [0-9a-f].'],
    ['PATCH', '/git/refs/heads/topic', { sha: 'MAIN' }, 422, 'Update is not a fast forward'],
    ['PATCH', '/git/refs/heads/none', { sha: 'MAIN' }, 422, 'Reference does not exist'],
    [
      'PATCH',
      '/git/refs/heads/main',
      { sha: 'MAIN', force: 'yes' },
      422,
      'For \'properties/force\', "yes" is not a boolean.',
    ],
    ['PATCH', '/git/refs/pull/1/head', { sha: 'MAIN', force: true }, 422, 'deny updating a hidden ref'],
    ['DELETE', '/git/refs/heads/none', undefined, 422, 'Reference does not exist'],
    ['DELETE', '/git/refs/heads/main', undefined, 422, 'refusing to delete the current branch'],
    ['GET', '/git/ref/heads/none', undefined, 404, 'Not Found'],
    ['GET', '/git/commits/MAIN0', undefined, 404, 'Not Found'],
    ['GET', '/commits/none', undefined, 422, 'No commit found for SHA: none'],
    ['GET', '/branches/none', undefined, 404, 'Branch not found'],
    ['GET', '/branches/main/protection', undefined, 404, 'Branch not protected'],
    ['GET', '/contents/none.txt', undefined, 404, 'Not Found'],
    ['GET', '/compare/main...none', undefined, 404, 'Not Found'],
    ['POST', '/git/trees', { tree: [{ path: '../x', mode: '100644', content: '' }] }, 422, 'malformed path component'],
    [
      'POST',
      '/git/trees',
      { tree: [{ path: '.git/config', mode: '100644', content: '' }] },
      422,
      'malformed path component',
    ],
    [
      'POST',
      '/git/trees',
      { base_tree: 'MAIN', tree: [{ path: 'none', mode: '100644', sha: null }] },
      422,
      'BadObjectState',
    ],
    ['POST', '/git/commits', { message: 'm', tree: NOWHERE }, 422, 'Tree SHA does not exist'],
    ['POST', '/git/commits', { message: 'm', tree: 'main^{tree}' }, 422, 'Tree SHA does not exist'],
    ['POST', '/git/trees', { base_tree: 'main', tree: [] }, 422, 'base_tree is not a valid tree oid'],
    [
      'POST',
      '/git/trees',
      { tree: [{ path: 'x', mode: '100644', sha: 'main:README.md' }] },
      422,
      'tree.sha main:README.md is not a valid blob',
    ],
    [
      'POST',
      '/git/trees',
      {
        tree: [
          { path: 'x\u0000040000 tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\t.git', mode: '100644', content: '' },
        ],
      },
      422,
      'malformed path component',
    ],
    ['GET', '/git/trees/@{upstream}', undefined, 404, 'Not Found'],
    ['POST', '/pulls', { title: 'x', head: 'none', base: 'main' }, 422, 'Validation Failed'],
    [
      'POST',
      '/pulls',
      { title: 'x', head: 'topic', base: 'main' },
      422,
      'A pull request already exists for acme:topic.',
    ],
    ['POST', '/pulls', { title: 'x', head: 'main', base: 'topic' }, 422, 'No commits between topic and main'],
    ['POST', '/pulls', { head: 'topic', base: 'main' }, 422, 'missing_field'],
    ['GET', '/pulls/99', undefined, 404, 'Not Found'],
    ['GET', '/pulls?state=odd', undefined, 422, 'Invalid request.'],
    ['GET', '/pulls?stat=open', undefined, 422, 'pulls/list has no parameter stat'],
    ['POST', '/issues/1/comments', { text: 'x' }, 422, 'has no field text'],
    [
      'POST',
      '/issues/1/comments',
      { body: ' ' },
      422,
      '{"resource":"IssueComment","code":"unprocessable","field":"data","message":"Body cannot be blank"}',
    ],
    [
      'POST',
      '/issues/1/comments',
      { body: 'LONG' },
      422,
      '"code":"unprocessable","field":"data","message":"Body is too long (maximum is 65536 characters)"}',
    ],
    [
      'POST',
      '/pulls',
      { title: 'x', head: 'kept', base: 'main', body: 'LONG' },
      422,
      '{"resource":"Issue","code":"custom","field":"body","message":"body is too long (maximum is 65536 characters)"}',
    ],
    [
      'PATCH',
      '/pulls/1',
      { title: 'x'.repeat(257) },
      422,
      '{"resource":"Issue","code":"custom","field":"title","message":"title is too long (maximum is 256 characters)"}',
    ],
    ['POST', '/issues/99/comments', { body: 'x' }, 404, 'Not Found'],
    ['POST', '/check-runs', { name: 'x', head_sha: 'MAIN' }, 403, 'You must authenticate via a GitHub App.'],
    ['POST', '/statuses/none', { state: 'success' }, 422, 'No commit found for SHA: none'],
    ['GET', '/milestones', undefined, 500, 'is no route of this server'],
    ['GET', '/commits?committer=ada', undefined, 500, 'repos/list-commits is served without committer'],
    [
      'POST',
      '/git/commits',
      { message: 'm', tree: '4b825dc642cb6eb9a060e54bf8d69288fbee4904', signature: 'x' },
      500,
      'git/create-commit is served without signature',
    ],
    ['GET', '/pulls?sort=popularity', undefined, 422, 'Sorting by popularity is not served here.'],
  ])('%s %s %j is %i: %s', async (method, path, body, status, message) => {
    const filled =
      body === undefined
        ? undefined
        : JSON.parse(JSON.stringify(body).replaceAll('"MAIN"', `"${main}"`).replaceAll('LONG', 'x'.repeat(65_537)));

    const answer = await call(method, PATH + path, {
      token: world.token,
      ...(filled === undefined ? {} : { body: filled }),
    });

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ documentation_url: expect.any(String), status: String(status) });
    const said = [answer.body.message, ...(answer.body.errors ?? []).map((error) => JSON.stringify(error))].join('\n');
    expect(said).toContain(message);
  });

  it('of texts that are too long, as an edit of a comment and as GraphQL say it', async () => {
    const { octokit } = world;
    const long = 'x'.repeat(65_537);
    const { data } = await octokit.rest.issues.createComment({ ...repo, issue_number: 1, body: 'x' });
    const pull = (await octokit.rest.pulls.get({ ...repo, pull_number: 1 })).data;

    const edit = octokit.rest.issues.updateComment({ ...repo, comment_id: data.id, body: long });
    const comment = octokit.graphql(
      'mutation($s: ID!, $b: String!) { addComment(input: {subjectId: $s, body: $b}) { clientMutationId } }',
      { s: pull.node_id, b: long },
    );
    const description = octokit.graphql(
      'mutation($i: UpdatePullRequestInput!) { updatePullRequest(input: $i) { clientMutationId } }',
      { i: { pullRequestId: pull.node_id, body: long } },
    );

    const message = 'body is too long (maximum is 65536 characters)';
    await expect(edit).rejects.toMatchObject({
      response: { data: { errors: [{ resource: 'IssueComment', code: 'custom', field: 'body', message }] } },
    });
    const said = { errors: [{ type: 'UNPROCESSABLE', message: message.replace('b', 'B') }] };
    await expect(comment).rejects.toMatchObject(said);
    await expect(description).rejects.toMatchObject(said);
  });

  it('a body that is no JSON is a 400', async () => {
    const response = await fetch(`${world.server.restUrl}${PATH}/git/blobs`, {
      method: 'POST',
      headers: { Authorization: `token ${world.token}` },
      body: '{',
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: 'Problems parsing JSON' });
  });

  it('an empty repository is a 409', async () => {
    await world.server.createRepository({ owner: 'acme', name: 'empty' });

    const answer = await call('POST', '/repos/acme/empty/git/blobs', { token: world.token, body: { content: 'x' } });

    expect(answer).toMatchObject({ status: 409, body: { message: 'Git Repository is empty.' } });
  });
});

describe('permissions', () => {
  const routes: [string, string, unknown, keyof Permissions, 'read' | 'write'][] = [
    ['GET', '', undefined, 'metadata', 'read'],
    ['GET', '/git/ref/heads/main', undefined, 'contents', 'read'],
    ['POST', '/git/blobs', { content: 'x' }, 'contents', 'write'],
    ['GET', '/pulls', undefined, 'pull_requests', 'read'],
    ['PATCH', '/pulls/1', { title: 'T' }, 'pull_requests', 'write'],
    ['POST', '/issues/1/comments', { body: 'x' }, 'issues', 'write'],
    ['POST', '/issues/1/comments', { body: 'x' }, 'pull_requests', 'write'],
    ['POST', '/statuses/MAIN', { state: 'success' }, 'statuses', 'write'],
    ['GET', '/commits/main/status', undefined, 'statuses', 'read'],
    ['GET', '/commits/main/check-runs', undefined, 'checks', 'read'],
    ['PATCH', '', { description: 'x' }, 'administration', 'write'],
  ];
  const others: Permissions = {
    administration: 'write',
    checks: 'write',
    contents: 'write',
    issues: 'write',
    pull_requests: 'write',
    statuses: 'write',
  };

  it.each(routes)('%s %s %j needs %s: %s', async (method, path, body, name, level) => {
    const { server } = world;
    const login = 'deployer[bot]';
    const kind = 'installation';
    const allowed = await server.createToken({ login, kind, permissions: { [name]: level } });
    const rest = { ...others, [name]: undefined };
    if (name === 'issues') rest.pull_requests = undefined;
    if (name === 'pull_requests') rest.issues = undefined;
    const permissions = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const refused = await server.createToken({ login, kind, permissions });
    const reader = await server.createToken({ login, kind, permissions: { [name]: 'read' } });
    const options = body === undefined ? {} : { body };
    const target = PATH + path.replace('MAIN', main);

    const good = await call(method, target, { token: allowed, ...options });
    const bad = await call(method, target, { token: refused, ...options });
    const weak = await call(method, target, { token: reader, ...options });

    expect(good.status).toBeLessThan(300);
    const forbidden = { status: 403, body: { message: 'Resource not accessible by integration' } };
    if (name !== 'metadata') expect(bad).toMatchObject(forbidden);
    if (level === 'write') expect(weak).toMatchObject(forbidden);
  });

  it('says which permission would do', async () => {
    const token = await world.server.createToken({ login: 'eve', permissions: { contents: 'read' } });
    const response = await fetch(`${world.server.restUrl}${PATH}/issues/1/comments`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: JSON.stringify({ body: 'x' }),
    });

    expect(response.status).toBe(403);
    expect(response.headers.get('x-accepted-github-permissions')).toBe('issues=write; pull_requests=write');
    expect(await response.json()).toMatchObject({ message: 'Resource not accessible by personal access token' });
  });

  it.each([
    ['nobody', undefined, 404, 'Not Found'],
    ['a wrong token', 'ghp_wrong', 401, 'Bad credentials'],
    ['a forged JWT', 'a.b.c', 401, 'Bad credentials'],
  ])('a private repository is not there for %s', async (_who, token, status, message) => {
    const answer = await call('GET', PATH, token === undefined ? {} : { token });

    expect(answer).toMatchObject({ status, body: { message, status: String(status) } });
  });

  it('a token sees its own repositories alone, and dies at its time', async () => {
    const { server } = world;
    const other = await server.createToken({ login: 'eve', repositories: ['acme/other'] });
    const expired = await server.createToken({ login: 'eve', expiresAt: '2020-01-01T00:00:00Z' });

    expect(await call('GET', PATH, { token: other })).toMatchObject({ status: 404, body: { message: 'Not Found' } });
    expect(await call('POST', `${PATH}/git/refs`, { token: other, body: {} })).toMatchObject({ status: 404 });
    expect(await call('GET', PATH, { token: expired })).toMatchObject({ status: 401 });
  });

  it('a public repository is read by everyone and written by nobody without a token', async () => {
    await world.server.createRepository({ owner: 'acme', name: 'public' });

    expect(await call('GET', '/repos/acme/public')).toMatchObject({ status: 200 });
    expect(await call('POST', '/repos/acme/public/git/blobs', { body: { content: 'x' } })).toMatchObject({
      status: 401,
      body: { message: 'Requires authentication' },
    });
  });

  it('GraphQL answers the same way, in its own form', async () => {
    const { server } = world;
    const query = '{ repository(owner: "acme", name: "deploy") { id ref(qualifiedName: "main") { name } } }';
    const ask = async (token: string | undefined) => {
      const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const response = await fetch(server.graphqlUrl, { method: 'POST', headers, body: JSON.stringify({ query }) });
      return { status: response.status, body: await response.json() };
    };
    const other = await server.createToken({ login: 'eve', repositories: ['acme/other'] });
    const blind = await server.createToken({ login: 'x[bot]', kind: 'installation', permissions: { issues: 'write' } });

    expect(await ask(undefined)).toMatchObject({ status: 401 });
    expect(await ask('ghp_wrong')).toMatchObject({ status: 401, body: { message: 'Bad credentials' } });
    expect(await ask(other)).toMatchObject({
      status: 200,
      body: {
        data: { repository: null },
        errors: [{ type: 'NOT_FOUND', message: "Could not resolve to a Repository with the name 'acme/deploy'." }],
      },
    });
    expect(await ask(blind)).toMatchObject({
      status: 200,
      body: {
        data: { repository: { ref: null } },
        errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }],
      },
    });
  });

  it.each<[string, keyof Permissions, keyof Permissions]>([
    ['node(id: "$PULL") { ... on PullRequest { title } }', 'pull_requests', 'contents'],
    ['node(id: "$LABEL") { ... on Label { name } }', 'issues', 'contents'],
    ['node(id: "$COMMENT") { ... on IssueComment { body } }', 'pull_requests', 'contents'],
    ['node(id: "$COMMIT") { ... on Commit { message } }', 'contents', 'pull_requests'],
    ['repository(owner: "acme", name: "deploy") { labels(first: 1) { totalCount } }', 'issues', 'contents'],
    ['repository(owner: "acme", name: "deploy") { label(name: "one") { name } }', 'pull_requests', 'contents'],
  ])('GraphQL %s needs %s', async (selection, name, other) => {
    const { server, octokit } = world;
    const pull = (await octokit.rest.pulls.get({ ...repo, pull_number: 1 })).data.node_id;
    const [label] = (await octokit.rest.issues.addLabels({ ...repo, issue_number: 1, labels: ['one'] })).data;
    const comment = (await octokit.rest.issues.createComment({ ...repo, issue_number: 1, body: 'x' })).data.node_id;
    const commit = (await octokit.rest.repos.getCommit({ ...repo, ref: main })).data.node_id;
    const filled = selection
      .replace('$PULL', pull)
      .replace('$LABEL', label!.node_id)
      .replace('$COMMENT', comment)
      .replace('$COMMIT', commit);
    const as = async (permission: keyof Permissions) => {
      const permissions = { [permission]: 'read' };
      const token = await server.createToken({ login: 'x[bot]', kind: 'installation', permissions });
      return octokitFor(server, token).graphql(`{ ${filled} }`);
    };

    await expect(as(other)).rejects.toMatchObject({ errors: [{ type: 'FORBIDDEN' }] });
    expect(JSON.stringify(await as(name))).not.toContain('null');
  });

  it('GraphQL shows code, checks and statuses by a pull request only to who may read each', async () => {
    const { server, octokit } = world;
    const { head } = (await octokit.rest.pulls.get({ ...repo, pull_number: 1 })).data;
    await octokit.rest.repos.createCommitStatus({ ...repo, sha: head.sha, state: 'success', context: 'status' });
    const job = octokitFor(server, await server.createToken({ login: 'github-actions[bot]', kind: 'job' }));
    await job.rest.checks.create({ ...repo, name: 'run', head_sha: head.sha, conclusion: 'success' });
    const query = `{ repository(owner: "acme", name: "deploy") { pullRequest(number: 1) { title
      statusCheckRollup { contexts(first: 9) { nodes { __typename } } }
      commits(last: 1) { nodes { commit { file(path: "a") { oid } } } } } } }`;
    const as = async (permissions: Permissions) => {
      const login = 'x[bot]';
      const token = await server.createToken({ login, kind: 'installation', permissions });
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(server.graphqlUrl, { method: 'POST', headers, body: JSON.stringify({ query }) });
      const { data, errors = [] } = (await response.json()) as {
        data: { repository: { pullRequest: { statusCheckRollup: { contexts: { nodes: unknown[] } } | null } } };
        errors?: { type: string; path: (number | string)[] }[];
      };
      const seen = data.repository.pullRequest.statusCheckRollup?.contexts.nodes ?? null;
      return { seen, refused: errors.map(({ type, path }) => `${type} ${path.at(-1)}`) };
    };

    const pull_requests = 'read';
    expect(await as({ pull_requests })).toEqual({
      seen: null,
      refused: ['FORBIDDEN statusCheckRollup', 'FORBIDDEN file'],
    });
    expect(await as({ pull_requests, statuses: 'read', contents: 'read' })).toEqual({
      seen: [null, { __typename: 'StatusContext' }],
      refused: ['FORBIDDEN 0'],
    });
    expect(await as({ pull_requests, statuses: 'read', checks: 'read', contents: 'read' })).toEqual({
      seen: [{ __typename: 'CheckRun' }, { __typename: 'StatusContext' }],
      refused: [],
    });
  });

  it('an app token may not land workflow files by any API without that permission', async () => {
    const { server, octokit } = world;
    const kind = 'installation';
    const token = await server.createToken({ login: 'x[bot]', kind, permissions: { contents: 'write' } });
    const path = '.github/workflows/ci.yml';
    const base = await octokit.rest.git.getCommit({ ...repo, commit_sha: main });
    const entry = { path, mode: '100644', type: 'blob', content: 'on: push\n' } as const;
    const tree = await octokit.rest.git.createTree({ ...repo, base_tree: base.data.tree.sha, tree: [entry] });
    const made = await octokit.rest.git.createCommit({ ...repo, message: 'm', tree: tree.data.sha, parents: [main] });
    const app = octokitFor(server, token);

    const ref = app.rest.git.createRef({ ...repo, ref: 'refs/heads/sneaky', sha: made.data.sha });
    const file = app.rest.repos.createOrUpdateFileContents({ ...repo, path, message: 'm', content: 'YQ==' });

    const refused = { status: 403, message: /refusing to allow a GitHub App to create or update workflow/ };
    await expect(ref).rejects.toMatchObject(refused);
    await expect(file).rejects.toMatchObject(refused);
  });
});

describe('what every answer has', () => {
  it('pages of more than a hundred comments, by their links', async () => {
    for (let count = 0; count < 105; count += 1) {
      await world.octokit.rest.issues.createComment({ ...repo, issue_number: 1, body: `comment ${count}` });
    }
    const issue = { ...repo, issue_number: 1 };

    const all = await world.octokit.paginate(world.octokit.rest.issues.listComments, { ...issue, per_page: 50 });
    const second = await world.octokit.rest.issues.listComments({ ...issue, per_page: 50, page: 2 });
    const standard = await world.octokit.rest.issues.listComments(issue);
    const most = await world.octokit.rest.issues.listComments({ ...issue, per_page: 1000 });

    expect(all.filter(({ body }) => body?.startsWith('comment ')).map(({ body }) => body)).toEqual(
      Array.from({ length: 105 }, (_, index) => `comment ${index}`),
    );
    expect(second.headers.link).toMatch(
      /page=1>; rel="prev".*page=3>; rel="next".*page=3>; rel="last".*page=1>; rel="first"/,
    );
    expect([standard.data.length, most.data.length]).toEqual([30, 100]);
  });

  it('cursors over the same comments', async () => {
    const query = `query($after: String) { repository(owner: "acme", name: "deploy") { pullRequest(number: 1) {
      comments(first: 60, after: $after) { totalCount nodes { body } pageInfo { endCursor hasNextPage } } } } }`;
    type Page = {
      totalCount: number;
      nodes: { body: string }[];
      pageInfo: { endCursor: string; hasNextPage: boolean };
    };
    type Result = { repository: { pullRequest: { comments: Page } } };
    const ask = async (after: string | null) =>
      (await world.octokit.graphql<Result>(query, { after })).repository.pullRequest.comments;

    const first = await ask(null);
    const second = await ask(first.pageInfo.endCursor);
    const unbounded = world.octokit.graphql('{ repository(owner: "acme", name: "deploy") { labels { totalCount } } }');

    expect([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([true, false]);
    expect(first.nodes.length + second.nodes.length).toBe(first.totalCount);
    await expect(unbounded).rejects.toThrow('You must provide a `first` or `last` value');
  });

  it('its filters, also where there is nothing to filter', async () => {
    await world.server.createRepository({ owner: 'acme', name: 'bare' });
    const pulls = '/repos/acme/bare/pulls?head=acme:x&base=main&sort=updated&direction=asc';
    const branches = '/repos/acme/bare/branches?protected=true';

    expect(await call('GET', pulls, { token: world.token })).toEqual({ status: 200, body: [] });
    expect(await call('GET', branches, { token: world.token })).toEqual({ status: 200, body: [] });
  });

  it('an ETag that turns an unchanged answer into a 304', async () => {
    const url = `${world.server.restUrl}${PATH}/git/ref/heads/main`;
    const headers = { Authorization: `Bearer ${world.token}` };
    const first = await fetch(url, { headers });
    await first.text();

    const etag = first.headers.get('etag')!;
    const again = await fetch(url, { headers: { ...headers, 'If-None-Match': etag } });
    const other = await fetch(url, { headers: { ...headers, 'If-None-Match': 'W/"0"' } });

    expect([again.status, await again.text(), other.status]).toEqual([304, '', 200]);
    expect(etag).toMatch(/^W\/"[0-9a-f]{64}"$/);
  });

  it('a request id, which the log knows, and the rate limit', async () => {
    const response = await fetch(`${world.server.url}/repos/acme/deploy`, {
      headers: { Authorization: `Basic ${Buffer.from(`x-access-token:${world.token}`).toString('base64')}` },
    });
    await response.text();

    const logged = world.server.log.at(-1);
    expect(response.headers.get('x-github-request-id')).toBe(logged?.requestId);
    expect(logged).toMatchObject({
      method: 'GET',
      route: '/repos/{owner}/{repo}',
      operations: ['repos/get'],
      status: 200,
      login: 'ada',
      writes: false,
    });
    expect(Number(response.headers.get('x-ratelimit-remaining'))).toBeLessThan(5000);
    expect(response.headers.get('x-ratelimit-resource')).toBe('core');
  });

  it('403 when the hour is used up, with the time to wait for; by GraphQL 200, counted apart', async () => {
    await using small = await createWorld({ rateLimit: 2 });
    await small.octokit.rest.repos.get(repo);
    await small.octokit.rest.repos.get(repo);
    const asked = [1, 2].map(() => small.octokit.graphql('{ viewer { login } }'));
    await Promise.all(asked);

    const graphql = small.octokit.graphql('{ viewer { login } }');
    await expect(graphql).rejects.toMatchObject({
      errors: [{ type: 'RATE_LIMIT', message: /^API rate limit already exceeded for user ID \d+\.$/ }],
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-resource': 'graphql' },
    });
    const third = small.octokit.rest.repos.get(repo);

    await expect(third).rejects.toMatchObject({
      status: 403,
      message: /^API rate limit exceeded for user ID \d+\./,
      response: { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': expect.stringMatching(/^\d+$/) } },
    });
  });

  it('a page for people, with nothing of theirs unescaped', async () => {
    const body = '<script>alert(1)</script>';
    await world.octokit.rest.pulls.update({ ...repo, pull_number: 1, title: body, body });
    const { data } = await world.octokit.rest.pulls.get({ ...repo, pull_number: 1 });

    const html = await (await fetch(data.html_url, { headers: { Authorization: `token ${world.token}` } })).text();
    const hidden = await fetch(data.html_url);

    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toContain('<script>');
    expect(hidden.status).toBe(404);
  });
});
