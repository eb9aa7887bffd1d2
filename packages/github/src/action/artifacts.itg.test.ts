import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProcess } from '@passloop/core';
import { type CreatedWorkflowRun, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { afterAll, beforeAll, expect, it } from 'vitest';

let root: string;
let github: LocalGithub;
let job: CreatedWorkflowRun;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'passloop-artifacts-'));
  github = await startLocalGithub({ root: path.join(root, 'github') });
  await github.createRepository({ owner: 'acme', name: 'model' });
  job = await github.createWorkflowRun({
    repository: 'acme/model',
    workflow: 'model-check.yml',
    name: 'Model check',
    event: 'push',
    headSha: '1'.repeat(40),
    headBranch: 'main',
  });
});
afterAll(async () => {
  await github?.close();
  await rm(root, { recursive: true, force: true });
});

/** Runs an expression over `artifacts` in a process that has a job's environment, as the client wants it. */
async function inJob(expression: string, environment: Record<string, string> = job.environment): Promise<unknown> {
  const script = `
    import { documentLimits, runArtifacts } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
    const artifacts = runArtifacts(process.env);
    const answer = await (${expression}).catch((error) => ({ message: error.message, hint: error.hint }));
    console.log('\\nANSWER ' + JSON.stringify(answer));
    process.exit();`;
  const { stdout, stderr } = await runProcess({
    argv: [process.execPath, '--input-type=module', '-e', script],
    cwd: root,
    env: { PATH: process.env.PATH ?? '', RUNNER_TEMP: path.join(root, 'temp'), ...environment },
    timeoutMs: 120_000,
  });
  const line = stdout
    .toString('utf8')
    .split('\n')
    .find((one) => one.startsWith('ANSWER '));
  if (line === undefined) throw new Error(`${stdout}${stderr}`);
  return JSON.parse(line.slice('ANSWER '.length));
}

const text = (value: string) => JSON.stringify(value);

it('carries a folder from one job to another, and takes a name once', async () => {
  const source = path.join(root, 'source');
  await mkdir(path.join(source, 'files'), { recursive: true });
  await writeFile(path.join(source, 'report.json'), '{"a":1}');
  await writeFile(path.join(source, 'files/model.bin'), 'weights');
  const target = path.join(root, 'target');

  expect(await inJob(`artifacts.upload('candidate', ${text(source)})`)).toEqual({ id: expect.any(Number) });
  expect(await inJob(`artifacts.download('candidate', ${text(target)}, documentLimits)`)).toEqual([
    'files/model.bin',
    'report.json',
  ]);
  expect(await readFile(path.join(target, 'files/model.bin'), 'utf8')).toBe('weights');
  expect(await inJob(`artifacts.upload('candidate', ${text(source)})`)).toMatchObject({
    message: expect.stringMatching(/could not be uploaded: .*(409|already exists)/),
    hint: expect.stringMatching(/another job wrote it first/),
  });
});

it('shows a page as it is, under its address', async () => {
  const page = path.join(root, 'passloop-report.html');
  await writeFile(page, '<p>fine</p>');
  const answer = (await inJob(`artifacts.uploadPage(${text(page)})`)) as { id: number; url: string };
  const { GITHUB_SERVER_URL: server } = job.environment;
  expect(answer.url).toBe(`${server}/acme/model/actions/runs/${job.id}/artifacts/${answer.id}`);
  expect(job.artifacts().find(({ id }) => id === answer.id)).toMatchObject({ mimeType: 'text/html' });
});

it('says what is missing', async () => {
  const target = path.join(root, 'nothing');
  expect(await inJob(`artifacts.download('none', ${text(target)}, documentLimits)`)).toBeNull();
  await job.uploadArtifact('forged', Buffer.from('no zip at all'));
  expect(await inJob(`artifacts.download('forged', ${text(target)}, documentLimits)`)).toMatchObject({
    message: expect.stringMatching(/The artifact forged is no zip/),
  });
  expect(await inJob(`artifacts.upload('x', ${text(root)})`, {})).toMatchObject({
    message: expect.stringMatching(/no job of a workflow run/),
  });
});
