import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { JobPermissions } from '@passloop/local-github';
import { load } from 'js-yaml';
import type { EventRun } from './event-run.ts';
import type { World } from './world.ts';

const workflows = path.resolve(import.meta.dirname, '../../.github/workflows');

/** The token of a job of a run: the scopes that its YAML asks for, as far as the run's event lets it have them. */
export async function jobTokenOf(world: World, { workflow, event }: EventRun, job: string): Promise<string> {
  const { jobs } = load(await readFile(path.join(workflows, workflow), 'utf8')) as {
    jobs: Record<string, { permissions: JobPermissions }>;
  };
  const permissions = jobs[job]?.permissions;
  if (permissions === undefined) throw new Error(`${workflow} has no job ${job} that names its permissions.`);
  const { name, isFork, actor } = event;
  return await world.github.jobToken({ repository: 'acme/flights', event: name, permissions, isFork, actor });
}
