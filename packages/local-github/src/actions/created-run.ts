import { createHash } from 'node:crypto';
import { type Forge, now, type Repository, repositoryOf } from '../forge.ts';
import { type EventPayload, workflowRunPayload } from '../payloads.ts';
import { artifactsOfRun, createArtifact, finishArtifact } from './artifacts.ts';
import { writeBlob } from './blobs.ts';
import { addRun, startAttempt, workflowOf, workflowOfRun } from './runs.ts';
import { createRuntimeToken } from './runtime-token.ts';
import type { Artifact, Conclusion, WorkflowRun } from './state.ts';

export type WorkflowRunRequest = {
  /** `owner/name`. */
  repository: string;
  /** The workflow's file, with or without its folder. */
  workflow: string;
  /** The workflow's name. */
  name: string;
  /** What started it, such as `pull_request`. */
  event: string;
  headSha: string;
  headBranch: string | null;
  /** `owner/name`; the fork, for a pull request from one. Default: the repository. */
  headRepository?: string;
  /** Default: the owner of the head's repository. */
  actor?: string;
  /** Default 1: how often it has been started. */
  attempt?: number;
};

/** One attempt of a run, for a test or a demo that plays the runner. */
export type CreatedWorkflowRun = {
  id: number;
  runNumber: number;
  attempt: number;
  /** ACTIONS_RUNTIME_TOKEN of a job of this attempt; it ends with the attempt. */
  runtimeToken: string;
  /** The same for a job with a name. */
  runtimeTokenOf: (job: string) => string;
  /** ACTIONS_RESULTS_URL. */
  resultsUrl: string;
  /**
   * What `@actions/artifact` and `@actions/github` read in a job. GITHUB_SERVER_URL has a name under `.localhost`:
   * the artifact client takes every other host of ours for a GitHub Enterprise Server and refuses to work.
   */
  environment: Record<string, string>;
  /**
   * Uploads any bytes as an artifact, whatever they are, past the client. Default: `application/zip`, and the digest
   * that the bytes have.
   */
  uploadArtifact: (
    name: string,
    content: Buffer,
    options?: { mimeType?: string; digest?: string | null; size?: number },
  ) => Promise<{ id: number }>;
  /** The artifacts of all attempts, oldest first. */
  artifacts: () => Pick<Artifact, 'digest' | 'id' | 'mimeType' | 'name' | 'size'>[];
  finish: (conclusion: Conclusion) => Promise<void>;
  /** The next attempt, of a run that is finished. */
  rerun: (options?: { actor?: string }) => Promise<CreatedWorkflowRun>;
  /** Event `workflow_run` of the run as it is now. */
  payload: () => EventPayload;
};

/** The id that the service knows a job by: the same for the same name in one attempt. */
function jobIdOf(plan: string, job: string): string {
  const hex = createHash('sha256').update(`${plan} ${job}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function byFullName(forge: Forge, name: string): Repository {
  const [owner = '', repository = ''] = name.split('/');
  return repositoryOf(forge, owner, repository);
}

/** @throws ApiError 404 for a repository that there isn't */
export async function createWorkflowRun(forge: Forge, request: WorkflowRunRequest): Promise<CreatedWorkflowRun> {
  const repository = byFullName(forge, request.repository);
  const headRepository = byFullName(forge, request.headRepository ?? request.repository);
  const run = await repository.locked(() =>
    addRun(forge, repository, {
      workflow: workflowOf(forge, repository, request.workflow),
      name: request.name,
      event: request.event,
      headSha: request.headSha,
      headBranch: request.headBranch,
      headRepository,
      actor: request.actor ?? headRepository.state.owner,
      status: 'in_progress',
    }),
  );
  while (run.attempt < (request.attempt ?? 1)) startAttempt(forge, run, run.actor);
  await forge.save();
  return handleOf(forge, repository, run);
}

/**
 * Begins a run that a dispatch left in the queue.
 * @throws Error when there is no such run, or it has begun
 */
export async function startWorkflowRun(forge: Forge, id: number): Promise<CreatedWorkflowRun> {
  for (const repository of forge.repositories.values()) {
    const run = repository.state.actions.runs.find((one) => one.id === id);
    if (run?.status !== 'queued') continue;
    Object.assign(run, { status: 'in_progress', updatedAt: now(forge) } satisfies Partial<WorkflowRun>);
    await forge.save();
    return handleOf(forge, repository, run);
  }
  throw new Error(`there is no run ${id} in the queue`);
}

function handleOf(forge: Forge, repository: Repository, run: WorkflowRun): CreatedWorkflowRun {
  const plan = run.plans.at(-1)!;
  const { attempt } = run;
  const tokenOf = (job: string) => createRuntimeToken(forge, { plan, job: jobIdOf(plan, job) });
  const runtimeToken = tokenOf('job');
  const { path } = workflowOfRun(repository, run);
  const resultsUrl = `${forge.url}/`;
  const server = forge.url.replace('127.0.0.1', 'github.localhost');
  return {
    id: run.id,
    runNumber: run.runNumber,
    attempt,
    runtimeToken,
    runtimeTokenOf: tokenOf,
    resultsUrl,
    environment: {
      ACTIONS_RESULTS_URL: resultsUrl,
      ACTIONS_RUNTIME_TOKEN: runtimeToken,
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: server,
      GITHUB_API_URL: `${forge.url}/api/v3`,
      GITHUB_GRAPHQL_URL: `${forge.url}/api/graphql`,
      GITHUB_REPOSITORY: `${repository.state.owner}/${repository.state.name}`,
      GITHUB_RUN_ID: String(run.id),
      GITHUB_RUN_NUMBER: String(run.runNumber),
      GITHUB_RUN_ATTEMPT: String(attempt),
      GITHUB_EVENT_NAME: run.event,
      GITHUB_ACTOR: run.actor,
      GITHUB_TRIGGERING_ACTOR: run.triggeringActor,
      GITHUB_WORKFLOW: run.name,
      GITHUB_WORKFLOW_REF: `${repository.state.owner}/${repository.state.name}/${path}@refs/heads/${run.headBranch}`,
    },
    uploadArtifact: async (name, content, options = {}) => {
      const artifact = await repository.locked(async () => {
        const ids = { plan, job: jobIdOf(plan, 'job') };
        const mimeType = options.mimeType ?? 'application/zip';
        const made = createArtifact(forge, repository, run, ids, { name, mimeType, expiresAt: null });
        await writeBlob(forge, made.blob, content);
        const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
        finishArtifact(
          forge,
          made,
          options.size ?? content.length,
          options.digest === undefined ? digest : options.digest,
        );
        return made;
      });
      await forge.save();
      return { id: artifact.id };
    },
    artifacts: () =>
      artifactsOfRun(repository, run).map(({ digest, id, mimeType, name, size }) => ({
        digest,
        id,
        mimeType,
        name,
        size,
      })),
    finish: async (conclusion) => {
      Object.assign(run, { status: 'completed', conclusion, updatedAt: now(forge) } satisfies Partial<WorkflowRun>);
      await forge.save();
    },
    rerun: async (options = {}) => {
      if (run.status !== 'completed') throw new Error(`run ${run.id} is not finished`);
      startAttempt(forge, run, options.actor ?? run.actor);
      await forge.save();
      return handleOf(forge, repository, run);
    },
    payload: () => workflowRunPayload(forge, repository, run),
  };
}

/** A dispatch that the API recorded. */
export type RecordedDispatch = {
  /** `owner/name`. */
  repository: string;
  /** File name of the workflow. */
  workflow: string;
  ref: string;
  /** With the defaults of the workflow. */
  inputs: Record<string, string>;
  login: string;
  runId: number;
};

/** All of them, oldest first. */
export function recordedDispatches(forge: Forge): RecordedDispatch[] {
  const all = [...forge.repositories.values()].flatMap(({ state }) =>
    state.actions.dispatches.map(({ createdAt: _createdAt, ...dispatch }) => ({
      repository: `${state.owner}/${state.name}`,
      ...structuredClone(dispatch),
    })),
  );
  return all.sort((a, b) => a.runId - b.runId);
}
