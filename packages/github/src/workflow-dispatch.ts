import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';
import { type GithubOptions, githubClient } from './client.ts';

const Repository = z.object({ default_branch: z.string().min(1).max(255) });

/** Starts a workflow of a repository by its `workflow_dispatch` event; on the default branch where no ref is named. */
export async function dispatchWorkflow(
  options: GithubOptions,
  request: { workflow: string; ref?: string | undefined; inputs: Record<string, string> },
): Promise<{ ref: string }> {
  if (!/^[\w.-]+\.ya?ml$/.test(request.workflow)) {
    throw new ConfigurationError(`${JSON.stringify(request.workflow.slice(0, 200))} is no workflow file's name.`, {
      hint: 'Name the file in .github/workflows, such as model-promote.yml.',
    });
  }
  const client = githubClient(options);
  const reading = { what: `reading ${options.repository}`, permission: 'metadata', level: 'read' } as const;
  const ref = request.ref ?? (await client.rest(reading, 'GET /repos/{owner}/{repo}', {}, Repository)).default_branch;
  await client.rest(
    { what: `starting ${request.workflow}`, permission: 'actions', level: 'write' },
    'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches',
    { workflow_id: request.workflow, ref, inputs: request.inputs },
  );
  return { ref };
}
