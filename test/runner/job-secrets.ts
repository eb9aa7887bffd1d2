import type { WorkflowEvent } from './events.ts';
import type { WorkflowJob } from './workflow-jobs.ts';

/** Secrets of a repository: its own, and those of its environments, which give them to jobs on some branches alone. */
export type RepositorySecrets = {
  variables?: Record<string, string>;
  secrets?: Record<string, string>;
  environments?: Record<string, { secrets: Record<string, string>; branches: string[] }>;
};

/**
 * What GitHub gives a job for a name: nothing in a run that a fork or Dependabot started by a pull request; an environment's secret before
 * the repository's, for the job that names the environment, on a branch that it allows.
 */
export function secretOf(
  settings: RepositorySecrets,
  event: Pick<WorkflowEvent, 'actor' | 'isFork' | 'name' | 'ref'>,
  job: Pick<WorkflowJob, 'environment' | 'secrets'>,
  name: string,
): string | undefined {
  if (event.name === 'pull_request' && (event.isFork || event.actor === 'dependabot[bot]')) return undefined;
  const passed = job.secrets === null ? name : job.secrets[name];
  const environment = job.environment === null ? undefined : settings.environments?.[job.environment];
  const allowed = environment?.branches.some((branch) => event.ref === `refs/heads/${branch}`) ?? false;
  // An environment's secrets have names of letters, digits and `_`; a name that a caller passes may be another.
  const own = allowed && passed !== undefined ? environment?.secrets[name.toUpperCase()] : undefined;
  return own ?? (passed === undefined ? undefined : settings.secrets?.[passed]);
}
