import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, temporaryFolder, type World, writeFiles } from '../fixture.ts';
import { startLocalGithub } from '../index.ts';
import type { CreatedWorkflowRun } from './created-run.ts';

const run = promisify(execFile);
const package_ = import.meta.resolve('@actions/artifact');
let world: World;
let main: string;

/** A run of a workflow in acme/deploy, with a job that is at work. */
function startRun(): Promise<CreatedWorkflowRun> {
  return world.server.createWorkflowRun({
    repository: 'acme/deploy',
    workflow: 'check.yml',
    name: 'Check',
    event: 'push',
    headSha: main,
    headBranch: 'main',
    actor: 'ada',
  });
}

/**
 * Lets GitHub's own client do something in a job of a run, in a process of its own as on a runner; the expression sees
 * `client` and `input`.
 */
async function inJob<T>(job: CreatedWorkflowRun, expression: string, input: object = {}): Promise<T> {
  const script = `
    import { DefaultArtifactClient } from ${JSON.stringify(package_)};
    const client = new DefaultArtifactClient();
    const input = JSON.parse(process.env.INPUT);
    const result = await (${expression}).then((value) => ({ value }), (error) => ({ error: error.message }));
    console.log('\\nRESULT ' + JSON.stringify(result));
    process.exit();`;
  const environment = { PATH: process.env.PATH, ...job.environment, INPUT: JSON.stringify(input) };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: world.folder,
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  });
  const line = stdout.split('\n').find((one) => one.startsWith('RESULT '))!;
  const result = JSON.parse(line.slice('RESULT '.length)) as { value: T; error?: string };
  if (result.error !== undefined) throw new Error(result.error);
  return result.value;
}

const upload = 'client.uploadArtifact(input.name, input.files, input.folder, input.options)';

/** A call of the service as anybody can make it. */
async function twirp(method: string, token: string, body: object): Promise<{ status: number; msg?: string }> {
  const response = await fetch(`${world.server.url}/twirp/github.actions.results.api.v1.ArtifactService/${method}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

function idsOf(token: string): { workflow_run_backend_id: string; workflow_job_run_backend_id: string } {
  const { scp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { scp: string };
  const [, plan = '', job = ''] = scp
    .split(' ')
    .find((one) => one.startsWith('Actions.Results:'))!
    .split(':');
  return { workflow_run_backend_id: plan, workflow_job_run_backend_id: job };
}

async function folderOf(name: string, files: Record<string, string>): Promise<{ folder: string; files: string[] }> {
  const folder = join(world.folder, name);
  await mkdir(folder, { recursive: true });
  await writeFiles(folder, files);
  return { folder, files: Object.keys(files).map((file) => join(folder, file)) };
}

beforeAll(async () => {
  world = await createWorld();
  main = await git(world.clone, 'rev-parse', 'HEAD');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe("GitHub's artifact client", () => {
  it('uploads a folder, lists it and gets the same files back', async () => {
    const job = await startRun();
    const source = await folderOf('source', { 'report.json': '{"a":1}', 'files/model.bin': 'weights' });
    const target = join(world.folder, 'target');

    const made = await inJob<{ id: number; size: number; digest: string }>(job, upload, { name: 'out', ...source });
    const listed = await inJob<{ artifacts: object[] }>(job, 'client.listArtifacts()');
    const got = await inJob<{ digestMismatch: boolean }>(
      job,
      'client.downloadArtifact(input.id, { path: input.target, expectedHash: "sha256:" + input.digest })',
      { ...made, target },
    );

    expect(listed.artifacts).toMatchObject([{ id: made.id, name: 'out', digest: `sha256:${made.digest}` }]);
    expect(job.artifacts()).toMatchObject([{ id: made.id, mimeType: 'application/zip', size: made.size }]);
    expect(got.digestMismatch).toBe(false);
    expect((await readdir(target, { recursive: true })).sort()).toEqual(['files', 'files/model.bin', 'report.json']);
    expect(await readFile(join(target, 'files/model.bin'), 'utf8')).toBe('weights');
  });

  it('says how long an artifact is kept', async () => {
    const job = await startRun();
    const source = await folderOf('short', { 'a.txt': 'a' });
    const options = { retentionDays: 1 };
    const { id } = await inJob<{ id: number }>(job, upload, { name: 'short', ...source, options });
    const { data } = await world.octokit.rest.actions.getArtifact({ owner: 'acme', repo: 'deploy', artifact_id: id });

    const kept = Date.parse(data.expires_at!) - Date.parse(data.created_at!);
    expect(kept / 3_600_000).toBeLessThan(48); // 90 days by default
  });

  it('uploads a page as it is, and gets it back with its type', async () => {
    const job = await startRun();
    const { folder, files } = await folderOf('page', { 'report.html': '<h1>Report</h1>' });
    const target = join(world.folder, 'page-target');

    const made = await inJob<{ id: number }>(job, upload, {
      name: 'ignored',
      files,
      folder,
      options: { skipArchive: true },
    });
    await inJob(job, 'client.downloadArtifact(input.id, { path: input.target })', { ...made, target });

    expect(job.artifacts()).toMatchObject([{ name: 'report.html', mimeType: 'text/html', size: 15 }]);
    expect(await readFile(join(target, 'report.html'), 'utf8')).toBe('<h1>Report</h1>');
  });

  it('uploads 30 MB in blocks', async () => {
    const job = await startRun();
    const { folder } = await folderOf('large', {});
    const content = randomBytes(30 * 1024 * 1024);
    const file = join(folder, 'large.bin');
    await writeFile(file, content);
    const from = world.server.log.length;

    const made = await inJob<{ digest: string }>(job, upload, {
      name: 'large.bin',
      files: [file],
      folder,
      options: { skipArchive: true },
    });

    expect(made.digest).toBe(createHash('sha256').update(content).digest('hex'));
    const { byOperation } = world.server.counts(from);
    expect(byOperation).toEqual({
      CreateArtifact: 1,
      'blob/put-block': 4,
      'blob/put-block-list': 1,
      FinalizeArtifact: 1,
    });
    const target = join(world.folder, 'large-target');
    await inJob(job, 'client.downloadArtifact(input.id, { path: input.target })', { ...made, target });
    expect((await readFile(join(target, 'large.bin'))).equals(content)).toBe(true);
  });

  it('may not take a name twice in one attempt of a run, and may when it deleted the first', async () => {
    const job = await startRun();
    const source = await folderOf('twice', { 'a.txt': 'a' });
    const input = { name: 'candidate', ...source };
    await inJob(job, upload, input);

    await expect(inJob(job, upload, input)).rejects.toThrow(
      '(409) Conflict: an artifact with this name already exists on the workflow run',
    );
    await inJob(job, 'client.deleteArtifact(input.name)', input);
    await inJob(job, upload, input);
    expect(job.artifacts()).toHaveLength(1);
  });

  it('sees the artifacts of earlier attempts, and may use their names again', async () => {
    const first = await startRun();
    const source = await folderOf('attempts', { 'a.txt': 'a' });
    await inJob(first, upload, { name: 'candidate', ...source });
    await first.finish('failure');

    const second = await first.rerun();
    const { artifact } = await inJob<{ artifact: { id: number } }>(second, "client.getArtifact('candidate')");
    await inJob(second, 'client.downloadArtifact(input.id, { path: input.target })', {
      ...artifact,
      target: join(world.folder, 'attempts-target'),
    });
    await inJob(second, upload, { name: 'candidate', ...source });
    const all = await inJob<{ artifacts: object[] }>(second, 'client.listArtifacts()');
    const latest = await inJob<{ artifacts: object[] }>(second, 'client.listArtifacts({ latest: true })');

    expect(second).toMatchObject({ id: first.id, attempt: 2 });
    expect(await readFile(join(world.folder, 'attempts-target/a.txt'), 'utf8')).toBe('a');
    expect([all.artifacts.length, latest.artifacts.length]).toEqual([2, 1]);
  });

  it("reads another run's artifact with a token that has `actions`", async () => {
    const producer = await startRun();
    const source = await folderOf('other', { 'report.json': '{}' });
    const made = await inJob<{ id: number }>(producer, upload, { name: 'report', ...source });
    await producer.finish('success');
    const consumer = await startRun();
    const token = await world.server.createToken({ login: 'bot', kind: 'job', permissions: { actions: 'read' } });
    const blind = await world.server.createToken({ login: 'bot', kind: 'job', permissions: { contents: 'read' } });
    const findBy = { workflowRunId: producer.id, repositoryOwner: 'acme', repositoryName: 'deploy', token };
    const target = join(world.folder, 'other-target');

    const found = await inJob<object>(consumer, "client.getArtifact('report', { findBy: input.findBy })", { findBy });
    const listed = await inJob<{ artifacts: object[] }>(consumer, 'client.listArtifacts({ findBy: input.findBy })', {
      findBy,
    });
    await inJob(consumer, 'client.downloadArtifact(input.id, { path: input.target, findBy: input.findBy })', {
      ...made,
      target,
      findBy,
    });

    expect(found).toMatchObject({ artifact: { id: made.id, name: 'report' } });
    expect(listed.artifacts).toHaveLength(1);
    expect(await readFile(join(target, 'report.json'), 'utf8')).toBe('{}');
    await expect(inJob(consumer, "client.getArtifact('report')")).rejects.toThrow(
      'Artifact not found for name: report',
    );
    await expect(
      inJob(consumer, "client.getArtifact('report', { findBy: input.findBy })", {
        findBy: { ...findBy, token: blind },
      }),
    ).rejects.toThrow('Resource not accessible by integration');
  });
});

describe('the artifact service', () => {
  it('lets a job write in its own run only', async () => {
    const [mine, other] = [await startRun(), await startRun()];
    const request = { ...idsOf(other.runtimeToken), name: 'x', version: 7 };
    await other.uploadArtifact('report', Buffer.from('x'));

    expect(await twirp('CreateArtifact', mine.runtimeToken, request)).toMatchObject({ status: 403 });
    expect(await twirp('ListArtifacts', mine.runtimeToken, idsOf(other.runtimeToken))).toMatchObject({ status: 403 });
    const named = { ...idsOf(other.runtimeToken), name: 'report' };
    expect(await twirp('GetSignedArtifactURL', mine.runtimeToken, named)).toMatchObject({ status: 403 });
    expect(await twirp('DeleteArtifact', mine.runtimeToken, named)).toMatchObject({ status: 403 });
  });

  it('refuses tokens that were altered or whose job has ended', async () => {
    const [job, other] = [await startRun(), await startRun()];
    const [head, , signature] = job.runtimeToken.split('.');
    const forged = [head, other.runtimeToken.split('.')[1], signature].join('.');
    const request = { ...idsOf(job.runtimeToken), name: 'x', version: 7 };

    expect(await twirp('CreateArtifact', forged, request)).toMatchObject({ status: 401, msg: 'token is invalid' });
    await job.finish('success');
    expect(await twirp('CreateArtifact', job.runtimeToken, request)).toMatchObject({
      status: 401,
      msg: 'the job of this token has ended',
    });
  });

  it.each(['a/b', '..\\x', 'a:b', 'a\nb', ''])('refuses %j as a name', async (name) => {
    const job = await startRun();

    expect(
      await twirp('CreateArtifact', job.runtimeToken, { ...idsOf(job.runtimeToken), name, version: 7 }),
    ).toMatchObject({ status: 400 });
    await expect(job.uploadArtifact(name, Buffer.from(''))).rejects.toThrow('name is invalid');
  });

  it('gives a name to one of two jobs that ask for it at once', async () => {
    const job = await startRun();
    const tokens = [job.runtimeTokenOf('train'), job.runtimeTokenOf('seal')];
    const answers = await Promise.all(
      tokens.map((token) => twirp('CreateArtifact', token, { ...idsOf(token), name: 'candidate', version: 7 })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('shows nothing before it is finished, and finishes nothing without content', async () => {
    const job = await startRun();
    const ids = idsOf(job.runtimeToken);
    const named = { ...ids, name: 'half' };
    await twirp('CreateArtifact', job.runtimeToken, { ...named, version: 7 });

    expect(await twirp('FinalizeArtifact', job.runtimeToken, { ...named, size: '1' })).toMatchObject({ status: 400 });
    expect(await twirp('GetSignedArtifactURL', job.runtimeToken, named)).toMatchObject({ status: 404 });
    expect(await twirp('ListArtifacts', job.runtimeToken, ids)).toMatchObject({ artifacts: [] });
    expect(job.artifacts()).toEqual([]);
  });

  it('lets faults happen', async () => {
    const job = await startRun();
    const ids = idsOf(job.runtimeToken);
    const fault = world.server.inject({ match: { operation: 'ListArtifacts' }, fault: { status: 503 } });
    const failed = await fetch(
      `${world.server.url}/twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts`,
      {
        method: 'POST',
        headers: { Authorization: `Bearer ${job.runtimeToken}` },
        body: JSON.stringify(ids),
      },
    );
    world.server.clearFaults();

    expect(failed.status).toBe(503);
    expect(fault.fired).toBe(1);
    expect(await twirp('ListArtifacts', job.runtimeToken, ids)).toMatchObject({ status: 200 });
  });

  it('keeps what an uploader says of size and digest, true or not', async () => {
    const job = await startRun();
    await job.uploadArtifact('lie', Buffer.from('x'), { digest: `sha256:${'0'.repeat(64)}`, size: 7 });

    expect(job.artifacts()).toMatchObject([{ name: 'lie', size: 7, digest: `sha256:${'0'.repeat(64)}` }]);
  });
});

describe('a signed address', () => {
  async function addressOf(job: CreatedWorkflowRun): Promise<string> {
    const { id } = await job.uploadArtifact('report', Buffer.from('bytes'));
    const response = await fetch(`${world.server.restUrl}/repos/acme/deploy/actions/artifacts/${id}/zip`, {
      headers: { Authorization: `token ${world.token}` },
      redirect: 'manual',
    });
    expect(response.status).toBe(302);
    return response.headers.get('location')!;
  }

  it('opens one blob, without a token and not with one', async () => {
    const address = await addressOf(await startRun());
    const altered = new URL(address);
    altered.searchParams.set('se', '2999-01-01T00:00:00Z');

    expect(await (await fetch(address)).text()).toBe('bytes');
    expect((await fetch(address, { headers: { Authorization: `token ${world.token}` } })).status).toBe(400);
    expect((await fetch(altered)).status).toBe(403);
    expect((await fetch(`${address}&comp=blocklist`, { method: 'PUT', body: '<BlockList/>' })).status).toBe(403);
  });

  it('takes blocks, and refuses a list of others', async () => {
    const job = await startRun();
    const response = await twirp('CreateArtifact', job.runtimeToken, {
      ...idsOf(job.runtimeToken),
      name: 'blocks',
      version: 7,
    });
    const address = (response as { signed_upload_url?: string }).signed_upload_url!;
    const put = (query: string, body: string) => fetch(`${address}&${query}`, { method: 'PUT', body });
    const list = (...ids: string[]) => `<BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`;

    expect((await put('comp=block&blockid=YQ==', 'a')).status).toBe(201);
    expect((await put('comp=block&blockid=Yg==', 'b')).status).toBe(201);
    expect((await put('comp=block&blockid=../../etc', 'x')).status).toBe(400);
    expect((await put(`comp=block&blockid=${'A'.repeat(300)}`, 'x')).status).toBe(400);
    expect((await put('comp=blocklist', list('Yg==', 'Yw=='))).status).toBe(400);
    expect((await put('comp=blocklist', list('Yg==', 'YQ=='))).status).toBe(201);
    expect((await fetch(address)).status).toBe(403);
  });

  it('is followed by Octokit, which leaves its token behind', async () => {
    const job = await startRun();
    const { id } = await job.uploadArtifact('report', Buffer.from('bytes'));
    const { data } = await world.octokit.rest.actions.downloadArtifact({
      owner: 'acme',
      repo: 'deploy',
      artifact_id: id,
      archive_format: 'zip',
    });

    expect(Buffer.from(data as ArrayBuffer).toString()).toBe('bytes');
  });

  it('is given to tokens that may read actions alone, in a public repository too', async () => {
    await using open = await createWorld({ private: false });
    const job = await open.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'schedule',
      headSha: main,
      headBranch: 'main',
    });
    const { id } = await job.uploadArtifact('report', Buffer.from('bytes'));
    const blind = await open.server.createToken({ login: 'eve', permissions: { contents: 'read' } });
    const archive = { owner: 'acme', repo: 'deploy', artifact_id: id, archive_format: 'zip' } as const;

    const asBlind = octokitFor(open.server, blind).rest.actions.downloadArtifact(archive);
    await expect(asBlind).rejects.toMatchObject({ status: 403 });
    const asNobody = octokitFor(open.server, undefined).rest.actions.downloadArtifact(archive);
    await expect(asNobody).rejects.toMatchObject({ status: 401 });
    expect((await octokitFor(open.server, open.token).rest.actions.downloadArtifact(archive)).status).toBe(200);
  });

  it('ends with the server, and the artifact stays', async () => {
    await using folder = await temporaryFolder();
    const root = join(folder.path, 'root');
    const first = await startLocalGithub({ root });
    await first.createRepository({ owner: 'acme', name: 'model', private: true });
    const token = await first.createToken({ login: 'ada', permissions: { actions: 'read' } });
    const job = await first.createWorkflowRun({
      repository: 'acme/model',
      workflow: 'check.yml',
      name: 'Check',
      event: 'schedule',
      headSha: '0'.repeat(40),
      headBranch: null,
    });
    const { id } = await job.uploadArtifact('report', Buffer.from('bytes'));
    const archive = { owner: 'acme', repo: 'model', artifact_id: id, archive_format: 'zip' } as const;
    const request = { redirect: 'manual' } as const;
    const before = await octokitFor(first, token).rest.actions.downloadArtifact({ ...archive, request });
    await first.close();
    await using second = await startLocalGithub({ root });
    const old = new URL(before.headers.location!);
    old.port = new URL(second.url).port;

    expect((await fetch(old)).status).toBe(403);
    const { data } = await octokitFor(second, token).rest.actions.downloadArtifact(archive);
    expect(Buffer.from(data as ArrayBuffer).toString()).toBe('bytes');
  });

  it('and an artifact expire', async () => {
    let time = Date.parse('2026-11-23T09:00:00Z');
    await using late = await createWorld({ clock: () => new Date(time) });
    const job = await late.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'push',
      headSha: main,
      headBranch: 'main',
    });
    const { id } = await job.uploadArtifact('report', Buffer.from('bytes'));
    const artifact = { owner: 'acme', repo: 'deploy', artifact_id: id };
    const request = { redirect: 'manual' } as const;
    const octokit = octokitFor(late.server, late.token);
    const found = await octokit.rest.actions.downloadArtifact({ ...artifact, archive_format: 'zip', request });
    const address = found.headers.location!;

    time += 2 * 60_000;
    expect((await fetch(address)).status).toBe(403);
    time += 91 * 24 * 3_600_000;
    expect((await octokit.rest.actions.getArtifact(artifact)).data.expired).toBe(true);
    await expect(octokit.rest.actions.downloadArtifact({ ...artifact, archive_format: 'zip' })).rejects.toMatchObject({
      status: 410,
    });
  });
});
