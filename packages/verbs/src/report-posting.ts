import { sha256 } from '@passloop/core';
import { type CommentRequest, ForbiddenError, workflowFileOf } from '@passloop/github';

// What both halves that post a report do alike: the one of the run itself, and the one that posts for forks.

/**
 * By which the one comment of a workflow is known again. Before there were several it was known by the repository alone.
 * @param workflow its file; null outside of one
 */
export function commentKeys(repository: string, workflow: string | null): Pick<CommentRequest, 'key' | 'formerKey'> {
  if (workflow === null) return { key: repository };
  const file = workflow.replace(/^\.github\/workflows\//, '');
  const name = /^[\w.-]{1,100}$/.test(file) ? file : sha256(file).slice('sha256:'.length, 39);
  return { key: `${repository}/${name}`, formerKey: repository };
}

/** File of the workflow that this job belongs to: the one that was started, whichever it calls. */
export function workflowFile({ GITHUB_WORKFLOW_REF: ref }: Record<string, string | undefined>): string | null {
  const path = /^[^/]+\/[^/]+\/(.+@.+)$/s.exec(ref ?? '')?.[1];
  return path === undefined ? null : workflowFileOf(path);
}

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
