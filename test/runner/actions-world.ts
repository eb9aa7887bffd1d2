import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { CreatedWorkflowRun } from '@passloop/local-github';
import { parse } from 'yaml';
import type { World } from '../world/world.ts';
import { eventsOf, type RepositoryEvents, type WorkflowEvent } from './events.ts';
import { type RepositorySecrets, secretOf } from './job-secrets.ts';
import { runWorkflow, type WorkflowRun } from './run-workflow.ts';
import type { Suite } from './suite.ts';
import type { Needs } from './workflow-replay.ts';

const run = promisify(execFile);

/** A GitHub that runs workflows: events become runs, whose jobs call its API and its artifact service with tokens of their own. */
export type ActionsWorld = {
  events: (repository: string) => RepositoryEvents;
  /** Runs a workflow file of a repository, as it is at the event's commit. */
  run: (repository: string, file: string, event: WorkflowEvent, only?: OneJob) => Promise<FinishedRun>;
  /** Keeps a text beside the logs of the runs, where somebody wants them. */
  keep: (name: string, text: string) => Promise<void>;
  /** Every token and secret that a job was given so far: none of them may stand in a log. */
  secrets: () => string[];
};

type OneJob = {
  job: string;
  needs: Needs;
  /** Artifacts of an earlier run that the job finds in its own. */
  artifacts?: { name: string; content: Buffer }[];
  /** A scope that the job's token lacks, or has for reading only. */
  weaken?: { scope: string; to: 'none' | 'read' };
};

export type FinishedRun = WorkflowRun & { handle: CreatedWorkflowRun; event: WorkflowEvent };

export function actionsWorld(world: World, suite: Suite, settings: Record<string, RepositorySecrets>): ActionsWorld {
  const given = new Set<string>();

  async function textAt(repository: string, file: string, sha: string): Promise<string> {
    const [owner = '', name = ''] = repository.split('/');
    const { directory } = world.github.repository(owner, name);
    return (await run('git', ['-C', directory, 'show', `${sha}:${file}`])).stdout;
  }

  /** For a person who wants to read a run: in the folder that PASSLOOP_RUN_LOGS names, with the addresses that GitHub would have. */
  async function keep(name: string, text: string): Promise<void> {
    const folder = process.env.PASSLOOP_RUN_LOGS;
    if (folder === undefined || folder === '') return;
    await mkdir(folder, { recursive: true });
    const host = new URL(world.github.url).host;
    const shown = text
      .replaceAll(`http://${host}`, 'https://github.com')
      .replaceAll(host, 'ghcr.io')
      .replaceAll(/http:\/\/(?:github\.)?localhost:\d+/g, 'https://github.com')
      .replaceAll(path.dirname(suite.runner), '/home/runner');
    await writeFile(path.join(folder, name), shown);
  }

  return {
    keep,
    events: (repository) => eventsOf(world.github, world.tokens.team, repository),
    secrets: () => [...given],
    async run(repository, file, event, only) {
      const text = await textAt(repository, file, event.sha);
      const handle = await world.github.createWorkflowRun({
        repository,
        workflow: path.basename(file),
        name: (parse(text) as { name?: string }).name ?? file,
        event: event.name,
        headSha: event.head.sha,
        headBranch: event.head.branch,
        headRepository: event.head.repository,
        actor: event.actor,
      });
      for (const { name, content } of only?.artifacts ?? []) await handle.uploadArtifact(name, content);
      given.add(handle.runtimeToken);
      const own = settings[repository] ?? {};
      const finished = await runWorkflow({
        suite,
        repository,
        workflow: { file, text },
        event: event.name,
        payload: event.payload,
        ref: event.ref,
        sha: event.sha,
        actor: event.actor,
        env: { ...handle.environment, PASSLOOP_CONTAINER_REGISTRY: registryHost(world) },
        variables: own.variables ?? {},
        async token(job) {
          const permissions = { ...job.permissions };
          if (only?.weaken?.to === 'read') permissions[only.weaken.scope] = 'read';
          else if (only?.weaken !== undefined) delete permissions[only.weaken.scope];
          const { name, isFork, actor } = event;
          const token = await world.github.jobToken({ repository, event: name, permissions, isFork, actor });
          given.add(token);
          return token;
        },
        secret(job, name) {
          const value = secretOf(own, event, job, name);
          if (value !== undefined) for (const line of value.split('\n')) if (line.length > 20) given.add(line);
          return value;
        },
        ...(only === undefined ? {} : { only }),
      });
      await handle.finish(finished.conclusion);
      await keep(`${handle.id}-${path.basename(file, '.yml')}-${event.name}.log`, finished.log);
      return { ...finished, handle, event };
    },
  };
}

/** `http://127.0.0.1:PORT` as an image's name has it. */
function registryHost(world: World): string {
  return world.image.split('/')[0] ?? '';
}
