import { ForbiddenError } from '@passloop/github';

// What both halves that post a report do alike: the one of the run itself, and the one that posts for forks.

/** Orders the comments of one head: a later attempt of a later run has the last word. */
export function runSequence(runNumber: number, attempt: number): number {
  return runNumber * 1000 + Math.min(attempt, 999);
}

/** Does what may be refused, or says which line of the workflow would let it; null then. */
export async function unlessForbidden<T>(lacking: string[], work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ForbiddenError)) throw error;
    const { permission } = error.lacks;
    // A refused read names `read`; what is read here is then written, and a line that only reads would be refused next.
    lacking.push(`\`${permission}: write\` is missing under \`permissions\` of the job that runs post-report.`);
    return null;
  }
}
