import { randomUUID } from 'node:crypto';
import { accountOf, type Forge, nextId, now, type Repository } from '../forge.ts';
import { isoTime, parseCommit, type Signature } from '../git-objects.ts';
import type { HeadCommit, Workflow, WorkflowRun } from './state.ts';

const FOLDER = '.github/workflows/';

export function fileNameOf(workflow: Workflow): string {
  return workflow.path.slice(FOLDER.length);
}

/** The workflow of a file name or a path; one that is new gets an id. */
export function workflowOf(forge: Forge, repository: Repository, file: string): Workflow {
  const path = file.startsWith(FOLDER) ? file : FOLDER + file;
  const { workflows } = repository.state.actions;
  const known = workflows.find((workflow) => workflow.path === path);
  if (known !== undefined) return known;
  const workflow = { id: nextId(forge), path, createdAt: now(forge) };
  workflows.push(workflow);
  return workflow;
}

export function workflowOfRun(repository: Repository, run: WorkflowRun): Workflow {
  return repository.state.actions.workflows.find(({ id }) => id === run.workflowId)!;
}

function person({ name, email }: Signature): { name: string; email: string } {
  return { name, email };
}

/** OpenAPI `simple-commit`; null for a commit that the repository doesn't have. */
export async function readHeadCommit(repository: Repository, sha: string): Promise<HeadCommit | null> {
  const object = await repository.objects.read(`${sha}^{commit}`);
  if (object === undefined) return null;
  const commit = parseCommit(object);
  return {
    id: commit.oid,
    tree_id: commit.tree,
    message: commit.message.trimEnd(),
    timestamp: isoTime(commit.committer.seconds),
    author: person(commit.author),
    committer: person(commit.committer),
  };
}

export type RunInput = {
  workflow: Workflow;
  name: string;
  event: string;
  headSha: string;
  headBranch: string | null;
  headRepository: Repository;
  actor: string;
  status: 'in_progress' | 'queued';
};

/** Records a run's first attempt. Nothing is executed. */
export async function addRun(forge: Forge, repository: Repository, input: RunInput): Promise<WorkflowRun> {
  const { runs } = repository.state.actions;
  const headCommit = await readHeadCommit(input.headRepository, input.headSha);
  const pull = repository.state.pulls.find(({ head }) => head.sha === input.headSha);
  const headline = headCommit?.message.split('\n')[0];
  const isPull = input.event.startsWith('pull_request');
  const time = now(forge);
  accountOf(forge, input.actor);
  const run: WorkflowRun = {
    id: nextId(forge),
    checkSuiteId: nextId(forge),
    workflowId: input.workflow.id,
    name: input.name,
    event: input.event,
    runNumber: runs.filter(({ workflowId }) => workflowId === input.workflow.id).length + 1,
    attempt: 1,
    status: input.status,
    conclusion: null,
    headSha: input.headSha,
    headBranch: input.headBranch,
    headCommit,
    headRepository: input.headRepository.state.id,
    displayTitle: (isPull ? pull?.title : input.event === 'push' ? headline : undefined) ?? input.name,
    actor: input.actor,
    triggeringActor: input.actor,
    createdAt: time,
    startedAt: time,
    updatedAt: time,
    plans: [randomUUID()],
  };
  runs.push(run);
  return run;
}

/** Starts the next attempt: same run, tokens of its own. Artifacts of earlier attempts stay. */
export function startAttempt(forge: Forge, run: WorkflowRun, actor: string): void {
  accountOf(forge, actor);
  const time = now(forge);
  Object.assign(run, {
    attempt: run.attempt + 1,
    status: 'in_progress',
    conclusion: null,
    triggeringActor: actor,
    startedAt: time,
    updatedAt: time,
    plans: [...run.plans, randomUUID()],
  } satisfies Partial<WorkflowRun>);
}
