import { ConfigurationError } from '@passloop/core';
import type { PlanDocument } from '@passloop/documents';

/** Linux gives a program no variable of more than 128 KiB, and a runner hands over an input as a variable. */
const mostBytes = 120_000;
/** GitHub makes no more jobs of one matrix. */
const mostJobs = 256;

/**
 * The plan on one line, for the jobs after this one.
 * @param beside the other outputs of the job: the one that reports gets all of them again in `toJSON(needs)`, each quoted
 * @throws ConfigurationError where it is too long for an input, or has more models to do than a matrix has jobs
 */
export function planText(plan: PlanDocument, beside: Readonly<Record<string, string>>): string {
  // Not by a second workflow: comment and check are the repository's, and the later one would hide the other.
  const hint = 'Change fewer models at once, or keep some of them in a repository of their own.';
  const affected = plan.models.filter((model) => model.affected).length;
  if (affected > mostJobs) {
    throw new ConfigurationError(`The change affects ${affected} models; a matrix has at most ${mostJobs} jobs.`, {
      hint,
    });
  }
  const text = JSON.stringify(plan);
  const bytes = Buffer.byteLength(JSON.stringify({ ...beside, plan: text }));
  if (bytes <= mostBytes) return text;
  throw new ConfigurationError(
    `The plan of ${plan.models.length} models has ${bytes} bytes; ${mostBytes} fit into an input of the next job.`,
    { hint },
  );
}
