import { App, Octokit } from 'octokit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch, type World } from '../fixture.ts';
import { apiOperations } from '../openapi.ts';
import { operations } from './operations.ts';

const repo = { owner: 'acme', repo: 'deploy' };
let world: World;
let octokit: Octokit;
let main: string;

/** A pull request with its own branch. */
async function openPull(branch: string, from = 'origin/main'): Promise<{ number: number; head: string }> {
  const head = await pushBranch(world.clone, branch, [{ [`${branch}.txt`]: branch }], from);
  const { data } = await octokit.rest.pulls.create({ ...repo, title: branch, head: branch, base: 'main' });
  return { number: data.number, head };
}

beforeAll(async () => {
  world = await createWorld();
  octokit = world.octokit;
  main = await git(world.clone, 'rev-parse', 'HEAD');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe('every extracted operation', () => {
  it('is served, and nothing else is', () => {
    expect(Object.keys(operations).sort()).toEqual(apiOperations.map(({ id }) => id).sort());
  });

  it('git data', async () => {
    const blob = await octokit.rest.git.createBlob({ ...repo, content: 'aGk=', encoding: 'base64' });
    const read = await octokit.rest.git.getBlob({ ...repo, file_sha: blob.data.sha });
    const base = await octokit.rest.git.getCommit({ ...repo, commit_sha: main });
    const tree = await octokit.rest.git.createTree({
      ...repo,
      base_tree: base.data.tree.sha,
      tree: [
        { path: 'bin/run', mode: '100755', type: 'blob', sha: blob.data.sha },
        { path: 'app/new.txt', mode: '100644', type: 'blob', content: 'new\n' },
        { path: 'README.md', mode: '100644', type: 'blob', sha: null },
      ],
    });
    const all = await octokit.rest.git.getTree({ ...repo, tree_sha: tree.data.sha, recursive: '1' });
    const made = await octokit.rest.git.createCommit({ ...repo, message: 'm', tree: tree.data.sha, parents: [main] });
    await octokit.rest.git.createRef({ ...repo, ref: 'refs/heads/data/one', sha: made.data.sha });
    const ref = await octokit.rest.git.getRef({ ...repo, ref: 'heads/data/one' });
    const matching = await octokit.rest.git.listMatchingRefs({ ...repo, ref: 'heads/data' });
    await octokit.rest.git.updateRef({ ...repo, ref: 'heads/data/one', sha: main, force: true });
    await octokit.rest.git.deleteRef({ ...repo, ref: 'heads/data/one' });

    expect(Buffer.from(read.data.content, 'base64').toString()).toBe('hi');
    expect(all.data.tree.map(({ path, mode }) => `${mode} ${path}`)).toEqual([
      '040000 app',
      '100644 app/new.txt',
      '100644 app/values.yaml',
      '040000 bin',
      '100755 bin/run',
    ]);
    expect(made.data.author).toMatchObject({ name: 'ada' });
    expect(ref.data.object).toMatchObject({ sha: made.data.sha, type: 'commit' });
    expect(matching.data.map((one) => one.ref)).toEqual(['refs/heads/data/one']);
  });

  it('contents', async () => {
    const file = await octokit.rest.repos.getContent({ ...repo, path: 'app/values.yaml' });
    const folder = await octokit.rest.repos.getContent({ ...repo, path: '', ref: 'main' });
    const raw = await octokit.rest.repos.getContent({
      ...repo,
      path: 'README.md',
      mediaType: { format: 'raw' },
    });
    await octokit.rest.git.createRef({ ...repo, ref: 'refs/heads/files', sha: main });
    const content = Buffer.from('two\n').toString('base64');
    const put = { ...repo, path: 'docs/a b.md', message: 'write', branch: 'files', content };
    const made = await octokit.rest.repos.createOrUpdateFileContents(put);
    const again = { ...put, content: Buffer.from('three\n').toString('base64'), sha: made.data.content?.sha ?? '' };
    const changed = await octokit.rest.repos.createOrUpdateFileContents(again);

    expect(file.data).toMatchObject({ type: 'file', encoding: 'base64', size: 18 });
    expect(Array.isArray(folder.data) && folder.data.map(({ name, type }) => `${type} ${name}`)).toEqual([
      'file README.md',
      'dir app',
    ]);
    expect(raw.data).toBe('# deploy\n');
    expect([made.status, changed.status]).toEqual([201, 200]);
    await git(world.clone, 'fetch', '--quiet', 'origin');
    expect(await git(world.clone, 'show', 'origin/files:docs/a b.md')).toBe('three');
  });

  it('commits', async () => {
    const list = await octokit.rest.repos.listCommits({ ...repo, path: 'app/values.yaml' });
    const one = await octokit.rest.repos.getCommit({ ...repo, ref: 'main' });
    const compared = await octokit.rest.repos.compareCommitsWithBasehead({ ...repo, basehead: `main...files` });

    expect(list.data.map(({ sha }) => sha)).toEqual([main]);
    expect(one.data.files?.map(({ filename, status }) => `${status} ${filename}`)).toEqual([
      'added README.md',
      'added app/values.yaml',
    ]);
    expect(compared.data).toMatchObject({ status: 'ahead', ahead_by: 2, behind_by: 0, total_commits: 2 });
    expect(compared.data.files?.[0]?.patch).toBe('@@ -0,0 +1 @@\n+three');
  });

  it('pull requests', async () => {
    const { number: pull_number, head } = await openPull('pulls');
    const pull = { ...repo, pull_number };
    await octokit.rest.pulls.update({ ...pull, title: 'Renamed', body: 'text' });
    const got = await octokit.rest.pulls.get(pull);
    const list = await octokit.rest.pulls.list({ ...repo, head: 'acme:pulls', state: 'open' });
    const files = await octokit.rest.pulls.listFiles(pull);
    const commits = await octokit.rest.pulls.listCommits(pull);
    const ofCommit = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: head });
    const grace = octokitFor(world.server, await world.server.createToken({ login: 'grace' }));
    await grace.rest.pulls.createReview({ ...pull, event: 'APPROVE' });
    const reviews = await octokit.rest.pulls.listReviews(pull);
    const behind = await world.server.createToken({ login: 'ada' });
    await pushBranch(world.clone, 'main', [{ 'other.txt': 'o' }]);
    await octokitFor(world.server, behind).rest.pulls.updateBranch(pull);
    const merged = await octokit.rest.pulls.merge({ ...pull, merge_method: 'squash' });

    expect(got.data).toMatchObject({ title: 'Renamed', body: 'text', commits: 1, additions: 1, changed_files: 1 });
    expect(list.data.map(({ number }) => number)).toEqual([pull_number]);
    expect(files.data.map(({ filename }) => filename)).toEqual(['pulls.txt']);
    expect(commits.data.map(({ sha }) => sha)).toEqual([head]);
    expect(ofCommit.data.map(({ number }) => number)).toEqual([pull_number]);
    expect(reviews.data.map(({ state, user }) => `${user?.login} ${state}`)).toEqual(['grace APPROVED']);
    expect(merged.data.merged).toBe(true);
  });

  it('comments and labels', async () => {
    const { number: issue_number } = await openPull('comments');
    const issue = { ...repo, issue_number };
    const made = await octokit.rest.issues.createComment({ ...issue, body: 'one' });
    const comment = { ...repo, comment_id: made.data.id };
    await octokit.rest.issues.updateComment({ ...comment, body: 'two' });
    const got = await octokit.rest.issues.getComment(comment);
    const list = await octokit.rest.issues.listComments(issue);
    await octokit.rest.issues.deleteComment(comment);
    await octokit.rest.issues.addLabels({ ...issue, labels: ['promotion', 'prod'] });
    await octokit.rest.issues.removeLabel({ ...issue, name: 'prod' });
    const labels = await octokit.rest.issues.listLabelsOnIssue(issue);

    expect([got.data.body, list.data.length]).toEqual(['two', 1]);
    expect(labels.data.map(({ name }) => name)).toEqual(['promotion']);
  });

  it('statuses and checks', async () => {
    await octokit.rest.repos.createCommitStatus({ ...repo, sha: main, state: 'pending', context: 'passloop' });
    await octokit.rest.repos.createCommitStatus({ ...repo, sha: main, state: 'success', context: 'passloop' });
    const combined = await octokit.rest.repos.getCombinedStatusForRef({ ...repo, ref: main });
    const statuses = await octokit.rest.repos.listCommitStatusesForRef({ ...repo, ref: main });
    const job = octokitFor(world.server, await world.server.createToken({ login: 'github-actions[bot]', kind: 'job' }));
    const run = await job.rest.checks.create({ ...repo, name: 'passloop', head_sha: main, status: 'in_progress' });
    const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' } as const;
    const output = { title: 't', summary: 's', annotations: [annotation] };
    const check = { ...repo, check_run_id: run.data.id };
    await job.rest.checks.update({ ...check, conclusion: 'failure', output });
    const got = await octokit.rest.checks.get(check);
    const annotations = await octokit.rest.checks.listAnnotations(check);
    const list = await octokit.rest.checks.listForRef({ ...repo, ref: main });

    expect(combined.data).toMatchObject({ state: 'success', total_count: 1 });
    expect(statuses.data.map(({ state }) => state)).toEqual(['success', 'pending']);
    expect(got.data).toMatchObject({ status: 'completed', conclusion: 'failure', app: { slug: 'github-actions' } });
    expect(annotations.data).toMatchObject([annotation]);
    expect(list.data.check_runs.map(({ name }) => name)).toEqual(['passloop']);
  });

  it('branches and their protection', async () => {
    await pushBranch(world.clone, 'release', [{ 'r.txt': 'r' }]);
    const release = { ...repo, branch: 'release' };
    const before = await octokit.rest.repos.getBranch(release);
    await octokit.rest.repos.updateBranchProtection({
      ...release,
      required_status_checks: { strict: true, contexts: ['ci'] },
      enforce_admins: true,
      required_pull_request_reviews: { required_approving_review_count: 2 },
      restrictions: null,
    });
    const protection = await octokit.rest.repos.getBranchProtection(release);
    const protectedOnes = await octokit.rest.repos.listBranches({ ...repo, protected: true });
    await octokit.rest.repos.deleteBranchProtection(release);

    expect(before.data.protected).toBe(false);
    expect(protection.data).toMatchObject({
      required_status_checks: { strict: true, contexts: ['ci'] },
      required_pull_request_reviews: { required_approving_review_count: 2 },
      enforce_admins: { enabled: true },
    });
    expect(protectedOnes.data.map(({ name }) => name)).toEqual(['release']);
  });

  it('workflow runs and their artifacts', async () => {
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'push',
      headSha: main,
      headBranch: 'main',
      actor: 'ada',
    });
    const { id: artifact_id } = await job.uploadArtifact('report', Buffer.from('bytes'));
    await job.uploadArtifact('other', Buffer.from('other'));
    await job.finish('failure');
    const runs = await octokit.rest.actions.listWorkflowRunsForRepo({ ...repo, head_sha: main, status: 'failure' });
    const none = await octokit.rest.actions.listWorkflowRunsForRepo({ ...repo, event: 'schedule' });
    const run = await octokit.rest.actions.getWorkflowRun({ ...repo, run_id: job.id });
    const artifacts = { ...repo, run_id: job.id };
    const all = await octokit.rest.actions.listWorkflowRunArtifacts({ ...artifacts, direction: 'asc' });
    const named = await octokit.rest.actions.listWorkflowRunArtifacts({ ...artifacts, name: 'report' });
    const got = await octokit.rest.actions.getArtifact({ ...repo, artifact_id });
    const archive = { ...repo, artifact_id, archive_format: 'zip', request: { redirect: 'manual' } } as const;
    const download = await octokit.rest.actions.downloadArtifact(archive);
    await octokit.rest.actions.deleteArtifact({ ...repo, artifact_id });

    expect(runs.data.workflow_runs.map(({ id }) => id)).toEqual([job.id]);
    expect(none.data.total_count).toBe(0);
    expect(run.data).toMatchObject({ path: '.github/workflows/check.yml', head_sha: main, conclusion: 'failure' });
    expect(run.data.head_commit).toMatchObject({ id: main, message: 'Start', author: { name: 'Ada' } });
    expect(all.data.artifacts.map(({ name }) => name)).toEqual(['report', 'other']);
    expect(named.data.artifacts).toMatchObject([{ id: artifact_id, size_in_bytes: 5, workflow_run: { id: job.id } }]);
    expect(got.data.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(download.status as number).toBe(302);
    expect(job.artifacts().map(({ name }) => name)).toEqual(['other']);
  });

  it('settings of workflows', async () => {
    await world.repository.configureActions({ defaultPermissions: 'write', variables: { App_Id: 'Iv1' } });
    const { rest } = octokit;
    const permissions = await rest.actions.getGithubActionsDefaultWorkflowPermissionsRepository(repo);
    const approval = await octokit.request(
      'GET /repos/{owner}/{repo}/actions/permissions/fork-pr-contributor-approval',
      repo,
    );
    const variable = await rest.actions.getRepoVariable({ ...repo, name: 'app_id' });
    const rules = await rest.repos.getBranchRules({ ...repo, branch: 'main' });

    expect(permissions.data).toEqual({
      default_workflow_permissions: 'write',
      can_approve_pull_request_reviews: false,
    });
    expect(approval.data).toEqual({ approval_policy: 'first_time_contributors' });
    expect(variable.data).toMatchObject({ name: 'APP_ID', value: 'Iv1' });
    expect(rules.data).toEqual([]);
    await expect(rest.actions.getRepoVariable({ ...repo, name: 'OTHER' })).rejects.toMatchObject({ status: 404 });
  });

  it('environments, and rules of a branch', async () => {
    await world.repository.configureActions({
      environments: {
        open: { refs: 'all', secrets: [], variables: {} },
        passloop: {
          refs: { branches: ['main'], tags: ['v*'] },
          secrets: ['KEY', 'OTHER'],
          variables: { APP_ID: 'Iv2' },
        },
      },
      rules: {
        main: {
          checks: [
            { context: 'passloop', appId: 15368 },
            { context: 'lint', appId: null },
          ],
          mergeQueue: true,
        },
      },
    });
    const { rest } = octokit;
    const named = { ...repo, environment_name: 'Passloop' };
    const open = await rest.repos.getEnvironment({ ...repo, environment_name: 'open' });
    const environment = await rest.repos.getEnvironment(named);
    const policies = await rest.repos.listDeploymentBranchPolicies(named);
    const secrets = await rest.actions.listEnvironmentSecrets({ ...named, per_page: 1 });
    const variable = await rest.actions.getEnvironmentVariable({ ...named, name: 'app_id' });
    const rules = await rest.repos.getBranchRules({ ...repo, branch: 'main' });
    const blind = octokitFor(
      world.server,
      await world.server.createToken({ login: 'bob', permissions: { actions: 'read' } }),
    );

    expect(open.data.deployment_branch_policy).toBeNull();
    expect(environment.data).toMatchObject({
      name: 'passloop',
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    });
    expect(policies.data.branch_policies.map(({ name, type }) => `${type} ${name}`)).toEqual(['branch main', 'tag v*']);
    expect(secrets.data).toMatchObject({ total_count: 2, secrets: [{ name: 'KEY' }] });
    expect(variable.data.value).toBe('Iv2');
    expect(rules.data.map(({ type }) => type)).toEqual(['required_status_checks', 'merge_queue']);
    await expect(rest.repos.getEnvironment({ ...repo, environment_name: 'no' })).rejects.toMatchObject({ status: 404 });
    await expect(blind.rest.actions.listEnvironmentSecrets(named)).rejects.toMatchObject({ status: 403 });
    await world.repository.configureActions({ rules: {} });
  });

  it('the repository, the user and the limit', async () => {
    const got = await octokit.rest.repos.get(repo);
    const updated = await octokit.rest.repos.update({ ...repo, allow_auto_merge: true, description: 'd' });
    const user = await octokit.rest.users.getAuthenticated();
    const limit = await octokit.rest.rateLimit.get();

    expect(got.data).toMatchObject({ full_name: 'acme/deploy', default_branch: 'main', private: true });
    expect(updated.data).toMatchObject({ allow_auto_merge: true, description: 'd' });
    expect(user.data.login).toBe('ada');
    expect(limit.data.resources.core).toMatchObject({ limit: 5000 });
  });

  it('an app and its installation, by its private key', async () => {
    const app = await world.server.createApp({
      slug: 'deployer',
      account: 'acme',
      permissions: { contents: 'write', pull_requests: 'write' },
    });
    const { appId, privateKey } = app;
    const client = new App({ appId, privateKey, Octokit: Octokit.defaults({ baseUrl: world.server.restUrl }) });
    const asApp = client.octokit;
    const installation = await asApp.rest.apps.getRepoInstallation(repo);
    const asInstallation = await client.getInstallationOctokit(installation.data.id);
    const repositories = await asInstallation.rest.apps.listReposAccessibleToInstallation();
    const self = await asApp.rest.apps.getAuthenticated();
    const pushed = await asInstallation.rest.git.createRef({ ...repo, ref: 'refs/heads/by-app', sha: main });
    const forbidden = await asInstallation.rest.issues
      .createComment({ ...repo, issue_number: 1, body: 'x' })
      .then(({ data }) => data.user?.login);
    await asInstallation.rest.apps.revokeInstallationAccessToken();

    expect(self.data?.slug).toBe('deployer');
    expect(installation.data.id).toBe(app.installationId);
    expect(repositories.data.repositories.map(({ full_name }) => full_name)).toEqual(['acme/deploy']);
    expect(pushed.status).toBe(201);
    expect(forbidden).toBe('deployer[bot]');
  });

  it('installations of an organization', async () => {
    const app = await world.server.createApp({ slug: 'lister', account: 'acme', repositories: ['acme/deploy'] });
    const list = await octokit.rest.orgs.listAppInstallations({ org: 'acme', per_page: 100 });
    const blind = octokitFor(world.server, await world.server.createToken({ login: 'bob' }));

    expect(list.data.installations.find(({ client_id }) => client_id === app.clientId)).toMatchObject({
      app_slug: 'lister',
      repository_selection: 'selected',
    });
    await expect(octokit.rest.orgs.listAppInstallations({ org: 'ada' })).rejects.toMatchObject({ status: 404 });
    await expect(blind.rest.orgs.listAppInstallations({ org: 'acme' })).rejects.toMatchObject({ status: 403 });
  });

  it('dispatches of a workflow', async () => {
    const file = 'name: Promote\non:\n  workflow_dispatch:\n    inputs:\n      model: {}\n';
    await pushBranch(world.clone, 'main', [{ '.github/workflows/promote.yml': file }]);
    const workflow = { ...repo, workflow_id: 'promote.yml', ref: 'main' };
    const sent = await octokit.rest.actions.createWorkflowDispatch({ ...workflow, inputs: { model: 'churn' } });

    expect(sent.status).toBe(204);
    expect(world.server.dispatches()).toMatchObject([
      { repository: 'acme/deploy', workflow: 'promote.yml', ref: 'main', inputs: { model: 'churn' }, login: 'ada' },
    ]);
  });

  it('was hit above, and answered as GitHub describes it', () => {
    const hit = new Set(
      world.server.log.filter(({ status }) => status !== null && status < 400).flatMap(({ operations: ids }) => ids),
    );

    expect(apiOperations.map(({ id }) => id).filter((id) => !hit.has(id))).toEqual([]);
    expect(world.server.log.filter(({ status }) => status === 500)).toEqual([]);
  });
});
