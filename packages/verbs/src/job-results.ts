import { ConfigurationError } from '@passloop/core';
import type { PlanDocument } from '@passloop/documents';
import { z } from 'zod';

/** `toJSON(needs)` of the job that reports: how the jobs of the check ended. */
export const JobResults = z.record(
  z.string().max(100),
  z.object({ result: z.enum(['success', 'failure', 'cancelled', 'skipped']) }),
);
export type JobResults = z.infer<typeof JobResults>;

/** @throws ConfigurationError for a text that is none */
export function parseJobResults(text: string): JobResults {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const result = JobResults.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigurationError('Input `needs` is not what GitHub says of the jobs before this one.', {
    hint: 'It is the expression toJSON(needs), in a job that needs all jobs of the check.',
  });
}

/**
 * Why models have no report that counts. The jobs of a matrix have one result, the worst: where sealing failed for one model, no report is
 * believed, since a report may lie there that another job put under its name.
 */
export function unsealed(plan: PlanDocument, results: JobResults): Map<string, string> {
  const seal = results.seal?.result;
  if (seal === 'success') return new Map();
  const said = seal === undefined ? 'did not run' : words[seal];
  const train = results.train?.result;
  const before =
    train === undefined || train === 'success' || seal === 'cancelled' ? '' : ` The job train ${words[train]}.`;
  const reason = `The job seal ${said}: its log says why.${before}`;
  return new Map(plan.models.filter((model) => model.affected).map(({ name }) => [name, reason]));
}

/**
 * Why no report counts though each is a pass: a training failed, so its model can have no candidate, and one was sealed. It may be what another
 * job put under its name before. Null where trainings ended as they should; where one of them is missing, its own report says it.
 */
export function misplaced(results: JobResults): string | null {
  const train = results.train?.result;
  if (train === undefined || train === 'success' || train === 'skipped') return null;
  return `The job train ${words[train]}, and a candidate was there all the same: its log says why. Run all jobs again.`;
}

const words = {
  success: 'succeeded',
  failure: 'failed or ran out of time',
  cancelled: 'was cancelled',
  skipped: 'was skipped',
} as const;
