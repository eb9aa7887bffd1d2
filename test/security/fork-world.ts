import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { silentProgress } from '@passloop/core';
import { parseDocument, type ReportDocument } from '@passloop/documents';
import {
  type CreatedRepository,
  type CreatedWorkflowRun,
  type JobPermissions,
  type LocalGithub,
  startLocalGithub,
  type WorkflowRunRequest,
} from '@passloop/local-github';
import { type PostedForkReport, postForkReport } from '@passloop/verbs';
import { reportZip } from './hostile-zip.ts';

const execute = promisify(execFile);
export const base = 'acme/model';
const checkWorkflow = '.github/workflows/model-check.yml';
const permissions: JobPermissions = { actions: 'read', 'pull-requests': 'write', checks: 'write' };

/** What a stranger did: a branch of a fork, a pull request, a run of the check and what it left. */
export type ForkRun = {
  number: number;
  head: string;
  branch: string;
  run: CreatedWorkflowRun;
  report: ReportDocument;
};

export type ForkRequest = {
  branch?: string;
  title?: string;
  /** The artifact `passloop-report`; the honest report by default, none for null. */
  artifact?: Buffer | null;
  report?: (report: ReportDocument) => unknown;
  run?: Partial<WorkflowRunRequest>;
  conclusion?: Parameters<CreatedWorkflowRun['finish']>[0];
  /** Its branch is in the repository itself. */
  isOwn?: boolean;
};

/** A local GitHub with a public repository, a fork of it, and the job that posts for forks. */
export class ForkWorld {
  readonly github: LocalGithub;
  readonly repository: CreatedRepository;
  readonly root: string;
  fork: CreatedRepository;
  private count = 0;

  private constructor(github: LocalGithub, repository: CreatedRepository, fork: CreatedRepository, root: string) {
    this.github = github;
    this.repository = repository;
    this.fork = fork;
    this.root = root;
  }

  static async open(): Promise<ForkWorld> {
    const root = await mkdtemp(path.join(tmpdir(), 'passloop-fork-'));
    const github = await startLocalGithub({ root: path.join(root, 'github'), rateLimit: 1_000_000 });
    const repository = await github.createRepository({ owner: 'acme', name: 'model' });
    await commitTo(repository.directory, 'main', null);
    const fork = await repository.fork({ owner: 'mallory' });
    return new ForkWorld(github, repository, fork, root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github.close();
    await rm(this.root, { recursive: true, force: true });
  }

  /** A new commit on a branch of the fork, or of the repository itself. */
  async push(branch: string, isOwn = false): Promise<string> {
    const target = isOwn ? this.repository : this.fork;
    const token = await this.github.createToken({ login: target.owner });
    return await commitTo(target.directory, branch, target.cloneUrlWith(token));
  }

  async openRun(request: ForkRequest = {}): Promise<ForkRun> {
    this.count += 1;
    const { isOwn = false } = request;
    const owner = isOwn ? this.repository.owner : this.fork.owner;
    const branch = request.branch ?? `topic-${this.count}`;
    const head = await this.push(branch, isOwn);
    const { number } = await this.repository.openPull({
      title: request.title ?? `Topic ${this.count}`,
      head: `${owner}:${branch}`,
    });
    const run = await this.github.createWorkflowRun({
      repository: base,
      workflow: 'model-check.yml',
      name: 'Model check',
      event: 'pull_request',
      headSha: head,
      headBranch: branch,
      headRepository: `${owner}/model`,
      actor: owner,
      ...request.run,
    });
    const report = await honestReport(head);
    const changed = request.report?.(report) ?? report;
    const text = typeof changed === 'string' || Buffer.isBuffer(changed) ? changed : JSON.stringify(changed);
    const artifact = request.artifact === undefined ? reportZip(text) : request.artifact;
    if (artifact !== null) await run.uploadArtifact('passloop-report', artifact);
    await run.finish(request.conclusion ?? 'success');
    return { number, head, branch, run, report };
  }

  /** The job that posts, started by the end of a run. */
  async post(event: unknown, env: Record<string, string> = {}, granted = permissions): Promise<PostedForkReport> {
    this.count += 1;
    const file = path.join(this.root, `event-${this.count}.json`);
    await writeFile(file, typeof event === 'string' ? event : JSON.stringify(event));
    const token = await this.github.jobToken({ repository: base, event: 'workflow_run', permissions: granted });
    return await postForkReport(
      {
        cwd: this.root,
        now: () => new Date(),
        progress: silentProgress,
        version: '0.0.0',
        env: {
          GITHUB_TOKEN: token,
          GITHUB_REPOSITORY: base,
          GITHUB_API_URL: this.github.restUrl,
          GITHUB_SERVER_URL: 'https://github.com',
          GITHUB_EVENT_NAME: 'workflow_run',
          GITHUB_EVENT_PATH: file,
          RUNNER_TEMP: path.join(this.root, 'temp'),
          ...env,
        },
      },
      { workflow: checkWorkflow },
    );
  }

  /** Operations that wrote, from a place in the call log. */
  writes(from: number): string[] {
    return this.github.log.slice(from).flatMap((call) => (call.writes && call.kind !== 'git' ? call.operations : []));
  }
}

async function honestReport(head: string): Promise<ReportDocument> {
  const file = path.resolve(import.meta.dirname, '../../packages/documents/fixtures/v1/report.json');
  return { ...parseDocument('report', await readFile(file, 'utf8'), 'fixture'), head, repository: base };
}

let commits = 0;

/** An empty commit on top of a branch; pushed where there is an address, put there where the repository is still unserved. */
async function commitTo(directory: string, branch: string, address: string | null): Promise<string> {
  commits += 1;
  const who = { NAME: 'Mallory', EMAIL: 'mallory@example.com', DATE: `${1_700_000_000 + commits} +0000` };
  const env = {
    PATH: process.env.PATH,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...Object.fromEntries(
      Object.entries(who).flatMap(([k, v]) => [
        [`GIT_AUTHOR_${k}`, v],
        [`GIT_COMMITTER_${k}`, v],
      ]),
    ),
  };
  const git = async (...args: string[]) => (await execute('git', args, { cwd: directory, env })).stdout.trim();
  const tree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
  const parent = await git('rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(() =>
    git('rev-parse', '--verify', '--quiet', 'refs/heads/main').catch(() => ''),
  );
  await git('hash-object', '-t', 'tree', '-w', '/dev/null');
  const oid = await git('commit-tree', tree, '-m', `Commit ${commits}`, ...(parent === '' ? [] : ['-p', parent]));
  if (address === null) await git('update-ref', `refs/heads/${branch}`, oid);
  else await git('push', '--quiet', address, `${oid}:refs/heads/${branch}`);
  return oid;
}
