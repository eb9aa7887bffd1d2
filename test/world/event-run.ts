import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CreatedWorkflowRun } from '@passloop/local-github';
import type { WorkflowEvent } from '../runner/events.ts';
import type { World } from './world.ts';

/** A run of a workflow of the model repository that an event has begun, for a test or a demo that plays its jobs. */
export type EventRun = {
  /** The file name of one of our workflows. */
  workflow: string;
  event: WorkflowEvent;
  handle: CreatedWorkflowRun;
  /** What each of its jobs finds in its environment. */
  env: Record<string, string>;
};

/** Begins a run; the event's file is left below `folder`. */
export async function beginRun(
  world: World,
  folder: string,
  workflow: string,
  event: WorkflowEvent,
): Promise<EventRun> {
  const handle = await world.github.createWorkflowRun({
    repository: 'acme/flights',
    workflow,
    name: path.basename(workflow, '.yml'),
    event: event.name,
    headSha: event.head.sha,
    headBranch: event.head.branch,
    headRepository: event.head.repository,
    actor: event.actor,
  });
  const file = path.join(folder, `event-${handle.id}.json`);
  await writeFile(file, JSON.stringify(event.payload));
  const env = {
    ...handle.environment,
    GITHUB_EVENT_PATH: file,
    GITHUB_REF: event.ref,
    GITHUB_SHA: event.sha,
    ...(event.name === 'pull_request' ? { GITHUB_BASE_REF: 'main' } : {}),
  };
  return { workflow, event, handle, env };
}
