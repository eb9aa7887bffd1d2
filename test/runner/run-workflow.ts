import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfExists, runProcess, temporaryFolder } from '@passloop/core';
import { parse } from 'yaml';
import { actProgram } from './act-program.ts';
import { type JobLog, readJobs } from './job-log.ts';
import { layRelease, type Suite } from './suite.ts';
import { jobVariables, runnerCopy, suiteReference } from './workflow-copy.ts';
import { calledWorkflow, jobsOf, type WorkflowJob, type WorkflowSource } from './workflow-jobs.ts';
import { type Needs, needsVariable, onlyJob, recorder, recordNeeds } from './workflow-replay.ts';

/**
 * Runs a workflow as GitHub's runner would, by `act` on this machine: the caller's file as it is at the run's commit, the suite's workflows and
 * bundle as this repository holds them, each job in an empty workspace of its own.
 *
 * What differs from GitHub: jobs run as one user on one machine (a job could look for another's files, and a tool cache is
 * shared), `concurrency`, `timeout-minutes` and `on:` filters do nothing, and `actions/checkout` is a stand-in with real git.
 */
export type WorkflowRequest = {
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
  /** The job's token, of what its YAML grants. */
  token: (job: WorkflowJob) => Promise<string>;
  /** What `secrets.NAME` is for a job; undefined where the job is given none of that name. */
  secret: (job: WorkflowJob, name: string) => string | undefined;
  /** The repository's variables. */
  variables?: Record<string, string>;
  /** What the runner gives every step: where the API is, ids of the run, where its artifacts go. */
  env: Record<string, string>;
  /** One job alone, told of the others what they once said. */
  only?: { job: string; needs: Needs };
};

export type WorkflowRun = {
  exitCode: number | null;
  conclusion: 'success' | 'failure';
  jobs: JobLog[];
  /** What came out of the called workflow's jobs, or of the workflow's own where it calls none. */
  needs: Needs;
  /** Every line, each with its job's name before it. */
  log: string;
};

export async function runWorkflow(request: WorkflowRequest): Promise<WorkflowRun> {
  const act = await actProgram();
  await using folder = await temporaryFolder('workflow');
  const files = {
    work: path.join(folder.path, 'work'),
    release: path.join(folder.path, 'suite'),
    event: path.join(folder.path, 'event.json'),
    // As YAML, since a value may have lines.
    variables: path.join(folder.path, 'variables.yml'),
    env: path.join(folder.path, 'env.yml'),
    needs: path.join(folder.path, 'needs.json'),
    programs: path.join(folder.path, 'bin'),
  };
  const sources = await workflowsOf(request);
  const workflow = path.join('.github/workflows', path.basename(request.workflow.file));
  await layRelease(request.suite, files.release);
  await mkdir(path.join(files.work, path.dirname(workflow)), { recursive: true });
  for (const { source, prefix } of sources) {
    const hasSteps = sources.length === 1 || source !== request.workflow;
    const variables = (id: string) => jobVariables([...prefix, id]);
    const copy = runnerCopy(
      hasSteps ? recordNeeds(source.text, files.needs) : source.text,
      request.suite.tokenInputs,
      variables,
    );
    const target =
      source === request.workflow
        ? path.join(files.work, workflow)
        : path.join(files.release, '.github/workflows', source.file);
    await writeFile(target, copy);
  }
  await writeFile(files.event, JSON.stringify(request.payload));
  await writeFile(
    files.variables,
    JSON.stringify(
      await variablesOf(
        request,
        sources.map(({ source }) => source),
      ),
    ),
  );
  const env = { GITHUB_REPOSITORY: request.repository, GITHUB_REF: request.ref, SHA_REF: request.sha, ...request.env };
  await writeFile(files.env, JSON.stringify(env));
  await mkdir(files.programs);
  await writeFile(path.join(files.programs, 'node'), slowToFail, { mode: 0o755 });

  const checkouts = sources.flatMap(({ source }) => source.text.match(/actions\/checkout@\S+/g) ?? []);
  const local = [
    `${suiteReference}=${files.release}`,
    ...[...new Set(checkouts)].map((uses) => `${uses}=${request.suite.checkout}`),
  ];
  const platforms = ['ubuntu-latest', 'ubuntu-24.04', 'ubuntu-slim'].map((name) => `${name}=-self-hosted`);
  const result = await runProcess({
    argv: [
      act,
      request.event,
      ...['--directory', files.work, '--workflows', workflow, '--eventpath', files.event],
      ...['--var-file', files.variables, '--env-file', files.env, '--secret', 'GITHUB_TOKEN=none-of-the-jobs'],
      ...['--json', '--rm', '--no-cache-server', '--no-skip-checkout', '--actor', request.actor],
      ...['--action-cache-path', request.suite.runner],
      ...local.flatMap((mapping) => ['--local-repository', mapping]),
      ...platforms.flatMap((platform) => ['--platform', platform]),
    ],
    cwd: files.work,
    env: machine(files.programs),
    timeoutMs: 900_000,
  });
  const names = new Set(sources.map(({ source }) => workflowName(source)));
  const output = result.stdout.toString('utf8') + result.stderr.toString('utf8');
  const needs = JSON.parse((await readTextIfExists(files.needs)) ?? '{}') as Needs;
  return {
    exitCode: result.exitCode,
    conclusion: result.exitCode === 0 ? 'success' : 'failure',
    needs,
    ...readJobs(output, names, recorder),
  };
}

type PlacedSource = { source: WorkflowSource; prefix: readonly string[] };

/** The caller's workflow first, then those that it calls. */
async function workflowsOf(request: WorkflowRequest): Promise<PlacedSource[]> {
  const { workflow, suite, only } = request;
  const { jobs } = parse(workflow.text) as { jobs: Record<string, { uses?: string }> };
  const called: PlacedSource[] = [];
  for (const [id, job] of Object.entries(jobs)) {
    const file = calledWorkflow(job.uses);
    if (file === null) continue;
    if (called.some(({ source }) => source.file === file)) {
      throw new Error(`${workflow.file} calls ${file} twice: its jobs would share variables.`);
    }
    const text = await readFile(path.join(suite.workflows, file), 'utf8');
    called.push({ source: { file, text: only === undefined ? text : onlyJob(text, only.job) }, prefix: [id] });
  }
  if (called.length > 0 || only === undefined) return [{ source: workflow, prefix: [] }, ...called];
  return [{ source: { ...workflow, text: onlyJob(workflow.text, only.job) }, prefix: [] }];
}

/** The repository's own variables, and those that stand for tokens and secrets of jobs. */
async function variablesOf(request: WorkflowRequest, sources: WorkflowSource[]): Promise<Record<string, string>> {
  const [caller, ...called] = sources;
  if (caller === undefined) throw new Error('No workflow.');
  const variables: Record<string, string> = { ...request.variables };
  if (request.only !== undefined) variables[needsVariable] = JSON.stringify(request.only.needs);
  const textOf = (file: string) => called.find((source) => source.file === file)?.text ?? caller.text;
  for (const job of jobsOf(caller, textOf)) {
    const names = jobVariables(job.path);
    variables[names.token] = await request.token(job);
    for (const [, name = ''] of textOf(job.file).matchAll(/\bsecrets\.([A-Za-z_][\w-]*)/g)) {
      variables[names.secret(name)] = request.secret(job, name) ?? '';
    }
  }
  return variables;
}

/** A workflow's own name, or its file's. */
function workflowName({ file, text }: WorkflowSource): string {
  return (parse(text) as { name?: string }).name ?? path.basename(file);
}

/**
 * This Node, which waits before it ends with an error: act closes the terminal of a step that fails at once, and what it printed
 * last is lost where the machine is busy. act asks a Node where it is, and runs actions by what it is told. Other shells drop
 * variables with a dash in their names, as inputs have.
 */
const slowToFail = `#!/bin/bash
if [ "$*" = '--no-warnings -e console.log(process.execPath)' ]; then exec echo "$0"; fi
'${process.execPath}' "$@"
code=$?
[ "$code" -eq 0 ] || sleep 0.5
exit "$code"
`;

/** What a runner's machine gives, with that Node first on PATH; nothing of the test's own settings but where Docker and caches are. */
function machine(programs: string): Record<string, string> {
  const names =
    /^(HOME|LANG|TMPDIR|DOCKER_HOST|PASSLOOP_DOCKER|PASSLOOP_CACHE|PIP_.*|npm_config_.*|.*_CA_.*|.*SSL.*|(HTTPS?|NO|ALL)_PROXY)$/i;
  const found = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(found.filter(([name]) => names.test(name))),
    PATH: `${programs}:${path.dirname(process.execPath)}:${process.env.PATH ?? ''}`,
  };
}
