import { ConfigurationError } from '@passloop/core';
import type { PlanDocument } from '@passloop/documents';

/** Linux gives a program no variable of more than 128 KiB, and a runner hands over an input as a variable. */
const mostBytes = 120_000;

/** The plan on one line, for the jobs after this one. @throws ConfigurationError where it is too long for an input */
export function planText(plan: PlanDocument): string {
  const text = JSON.stringify(plan);
  const bytes = Buffer.byteLength(text);
  if (bytes <= mostBytes) return text;
  throw new ConfigurationError(
    `The plan of ${plan.models.length} models has ${bytes} bytes; ${mostBytes} fit into an input of the next job.`,
    { hint: 'Check fewer models in one workflow: name them by the input `models`.' },
  );
}
