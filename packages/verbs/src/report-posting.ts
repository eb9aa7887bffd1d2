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
    lacking.push(lackingLine(error));
    return null;
  }
}

/** The line of the workflow that lets what was refused. */
export function lackingLine(error: ForbiddenError): string {
  const { permission } = error.lacks;
  // Pull requests and check runs are read to be written then: a line that only reads would be refused next.
  const level = permission === 'contents' ? 'read' : 'write';
  return `\`${permission}: ${level}\` is missing under \`permissions\` of the job that runs post-report.`;
}
