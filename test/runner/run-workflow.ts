import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess, temporaryFolder } from '@passloop/core';
import { parse } from 'yaml';
import { actProgram } from './act-program.ts';
import { type JobLog, readJobs } from './job-log.ts';
import { jobVariables, runnerCopy, suiteReference } from './workflow-copy.ts';
import { calledWorkflow, jobsOf, type WorkflowJob, type WorkflowSource } from './workflow-jobs.ts';

/**
 * Runs a workflow as GitHub's runner would, by `act` on this machine: the caller's file as it is at the run's commit, the suite's workflows and
 * bundle as this repository holds them, each job in an empty workspace of its own.
 *
 * What differs from GitHub: jobs run as one user on one machine (a job could look for another's files, and a tool cache is
 * shared), `concurrency`, `timeout-minutes` and `on:` filters do nothing, and `actions/checkout` is a stand-in with real git.
 */
export type WorkflowRequest = {
  /** The suite, laid out by `laySuite`. */
  suite: Suite;
  /** `owner/name`. */
  repository: string;
  /** The caller's workflow, as the run's commit has it. */
  workflow: WorkflowSource;
  event: string;
  payload: Record<string, unknown>;
  ref: string;
  sha: string;
  actor: string;
  /** A name that GitHub's pages would show; `http://*.localhost` is one that the artifact client takes. */
  serverUrl: string;
  apiUrl: string;
  /** The job's token, of what its YAML grants. */
  token: (job: WorkflowJob) => Promise<string>;
  /** What `secrets.NAME` is for a job; undefined where the job is given none of that name. */
  secret: (job: WorkflowJob, name: string) => string | undefined;
  /** The repository's variables. */
  variables?: Record<string, string>;
  /** What the runner gives every step: ids of the run, where its artifacts go. */
  env?: Record<string, string>;
};

export type WorkflowRun = {
  exitCode: number | null;
  conclusion: 'success' | 'failure';
  jobs: JobLog[];
  /** Every line, each with its job's name before it. */
  log: string;
};

/** What of this repository a runner downloads, in a folder where nothing else is. */
export type Suite = {
  folder: string;
  /** The reusable workflows as they are shipped; each run makes its own copies. */
  workflows: string;
};

const root = path.resolve(import.meta.dirname, '../..');

/** Lays out `dist/`, `actions/`, the workflows and the stand-in for actions/checkout. */
export async function laySuite(folder: string): Promise<Suite> {
  await cp(path.join(root, 'dist'), path.join(folder, 'suite/dist'), { recursive: true });
  await cp(path.join(root, 'package.json'), path.join(folder, 'suite/package.json'));
  for (const name of await readdir(path.join(root, 'actions'))) {
    const target = path.join(folder, 'suite/actions', name);
    await mkdir(target, { recursive: true });
    await cp(path.join(root, 'actions', name, 'action.yml'), path.join(target, 'action.yml'));
  }
  await cp(path.join(import.meta.dirname, 'checkout'), path.join(folder, 'checkout'), { recursive: true });
  const workflows = path.join(folder, 'workflows');
  await cp(path.join(root, '.github/workflows'), workflows, { recursive: true });
  return { folder, workflows };
}

export async function runWorkflow(request: WorkflowRequest): Promise<WorkflowRun> {
  const { suite } = request;
  const act = await actProgram();
  const called = new Map<string, string>();
  const caller = parse(request.workflow.text) as { jobs: Record<string, { uses?: string }> };
  const prefixes = new Map<string, string[]>();
  for (const [id, job] of Object.entries(caller.jobs)) {
    const file = calledWorkflow(job.uses);
    if (file === null) continue;
    if (called.has(file))
      throw new Error(`${request.workflow.file} calls ${file} twice: its jobs would share variables.`);
    called.set(file, await readFile(path.join(suite.workflows, file), 'utf8'));
    prefixes.set(file, [id]);
  }
  const jobs = jobsOf(request.workflow, (file) => called.get(file) ?? '');

  await using folder = await temporaryFolder('workflow');
  const workdir = path.join(folder.path, 'work');
  const release = path.join(folder.path, 'suite');
  await cp(path.join(suite.folder, 'suite'), release, { recursive: true });
  await mkdir(path.join(release, '.github/workflows'), { recursive: true });
  await mkdir(path.join(workdir, '.github/workflows'), { recursive: true });
  const tokenInputs = await tokenInputsOf(suite);
  for (const [file, text] of called) {
    const copy = runnerCopy(text, tokenInputs, (id) => jobVariables([...(prefixes.get(file) ?? []), id]));
    await writeFile(path.join(release, '.github/workflows', file), copy);
  }
  const workflow = path.join('.github/workflows', path.basename(request.workflow.file));
  const callerCopy = runnerCopy(request.workflow.text, tokenInputs, (id) => jobVariables([id]));
  await writeFile(path.join(workdir, workflow), callerCopy);

  const variables: Record<string, string> = { ...request.variables };
  for (const job of jobs) {
    const names = jobVariables(job.path);
    variables[names.token] = await request.token(job);
    const text = job.file === request.workflow.file ? request.workflow.text : (called.get(job.file) ?? '');
    for (const [, name = ''] of text.matchAll(/\bsecrets\.([A-Za-z_][\w-]*)/g)) {
      variables[names.secret(name)] = request.secret(job, name) ?? '';
    }
  }
  await writeFile(path.join(folder.path, 'variables.yml'), JSON.stringify(variables));
  await writeFile(path.join(folder.path, 'event.json'), JSON.stringify(request.payload));

  const checkouts = [request.workflow.text, ...called.values()].flatMap(
    (text) => text.match(/actions\/checkout@\S+/g) ?? [],
  );
  const platforms = ['ubuntu-latest', 'ubuntu-24.04', 'ubuntu-slim'].flatMap((name) => ['-P', `${name}=-self-hosted`]);
  const env: Record<string, string> = {
    GITHUB_API_URL: request.apiUrl,
    GITHUB_SERVER_URL: request.serverUrl,
    GITHUB_REPOSITORY: request.repository,
    GITHUB_REF: request.ref,
    SHA_REF: request.sha,
    ...request.env,
  };
  const result = await runProcess({
    argv: [
      act,
      request.event,
      ...['--directory', workdir, '--workflows', workflow, '--eventpath', path.join(folder.path, 'event.json')],
      ...['--json', '--rm', '--no-cache-server', '--no-skip-checkout', '--actor', request.actor],
      ...['--var-file', path.join(folder.path, 'variables.yml'), '--secret', 'GITHUB_TOKEN=none-of-the-jobs'],
      ...['--action-cache-path', path.join(suite.folder, 'runner')],
      ...['--local-repository', `${suiteReference}=${release}`],
      ...[...new Set(checkouts)].flatMap((uses) => [
        '--local-repository',
        `${uses}=${path.join(suite.folder, 'checkout')}`,
      ]),
      ...platforms,
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ],
    cwd: workdir,
    env: machine(),
    timeoutMs: 900_000,
  });
  const output = result.stdout.toString('utf8') + result.stderr.toString('utf8');
  const { jobs: logs, text } = readJobs(
    output,
    workflowNames([request.workflow, ...[...called].map(([file, text]) => ({ file, text }))]),
  );
  return {
    exitCode: result.exitCode,
    conclusion: result.exitCode === 0 ? 'success' : 'failure',
    jobs: logs,
    log: text,
  };
}

/** A workflow's own name, or its file's. */
function workflowNames(workflows: readonly WorkflowSource[]): Set<string> {
  return new Set(workflows.map(({ file, text }) => (parse(text) as { name?: string }).name ?? path.basename(file)));
}

/** Inputs of our actions, and of the checkout, that fall back on `github.token`. */
async function tokenInputsOf(suite: Suite): Promise<(action: string) => string[]> {
  const found = new Map<string, string[]>();
  const actions = path.join(suite.folder, 'suite/actions');
  const files: [string, string][] = (await readdir(actions)).map((name) => [
    `actions/${name}`,
    path.join(actions, name, 'action.yml'),
  ]);
  for (const [action, file] of [
    ...files,
    ['actions/checkout', path.join(suite.folder, 'checkout/action.yml')] as const,
  ]) {
    const { inputs = {} } = parse(await readFile(file, 'utf8')) as { inputs?: Record<string, { default?: string }> };
    found.set(
      action,
      Object.keys(inputs).filter((name) => /github\.token/.test(inputs[name]?.default ?? '')),
    );
  }
  return (action) => {
    const inputs = found.get(action);
    if (inputs === undefined) throw new Error(`The suite has no ${action}.`);
    return inputs;
  };
}

/** What a runner's machine gives, with this Node first on PATH; nothing of the test's own settings but where Docker and caches are. */
function machine(): Record<string, string> {
  const names =
    /^(HOME|LANG|TMPDIR|DOCKER_HOST|PASSLOOP_DOCKER|PASSLOOP_CACHE|PIP_.*|npm_config_.*|.*_CA_.*|.*SSL.*|(HTTPS?|NO|ALL)_PROXY)$/i;
  const found = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(found.filter(([name]) => names.test(name))),
    PATH: `${path.dirname(process.execPath)}:${process.env.PATH ?? ''}`,
  };
}
