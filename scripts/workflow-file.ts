import { load } from 'js-yaml';
import { z } from 'zod';

/** What the documents and the tests read of a workflow of GitHub Actions. */

const Level = z.enum(['none', 'read', 'write']);
const Input = z.object({
  description: z.string().default(''),
  type: z.string().default('string'),
  required: z.boolean().default(false),
  default: z.unknown().optional(),
});
const Declared = z.object({
  inputs: z.record(z.string(), Input).default({}),
  secrets: z.record(z.string(), z.object({ required: z.boolean().default(false) })).default({}),
  outputs: z.record(z.string(), z.object({ value: z.string() })).default({}),
});
const Step = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  if: z.union([z.string(), z.boolean()]).optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
  env: z.record(z.string(), z.unknown()).default({}),
});
export type Step = z.infer<typeof Step>;
const Job = z.object({
  name: z.string().optional(),
  uses: z.string().optional(),
  if: z.union([z.string(), z.boolean()]).optional(),
  needs: z.union([z.string(), z.array(z.string())]).default([]),
  permissions: z.record(z.string(), Level).optional(),
  environment: z.union([z.string(), z.object({ name: z.string() })]).optional(),
  'timeout-minutes': z.union([z.number(), z.string()]).optional(),
  outputs: z.record(z.string(), z.string()).default({}),
  with: z.record(z.string(), z.unknown()).default({}),
  secrets: z.union([z.literal('inherit'), z.record(z.string(), z.string())]).optional(),
  steps: z.array(Step).default([]),
});
export type Job = z.infer<typeof Job>;
const Trigger = z.unknown();
const WorkflowFile = z.object({
  name: z.string(),
  on: z.record(z.string(), Trigger),
  permissions: z.record(z.string(), Level).optional(),
  concurrency: z.unknown().optional(),
  jobs: z.record(z.string(), Job),
});

export type Scopes = Readonly<Record<string, z.infer<typeof Level>>>;
export type WorkflowFile = z.infer<typeof WorkflowFile> & {
  /** The jobs as they stand in the file, for what looks at every text in them. */
  source: Readonly<Record<string, unknown>>;
  /** Of `workflow_call`, or of `workflow_dispatch` where it isn't called. */
  declared: z.infer<typeof Declared>;
};

/** @throws where it isn't a workflow */
export function readWorkflow(text: string): WorkflowFile {
  const content = load(text);
  const workflow = WorkflowFile.parse(content);
  const { jobs } = z.object({ jobs: z.record(z.string(), z.unknown()) }).parse(content);
  const trigger = workflow.on.workflow_call ?? workflow.on.workflow_dispatch ?? {};
  return { ...workflow, source: jobs, declared: Declared.parse(trigger) };
}

/** What a caller must grant so that every job gets what it asks for, and nothing more. */
export function unionOfScopes(workflow: WorkflowFile): Scopes {
  const union: Record<string, z.infer<typeof Level>> = {};
  for (const job of Object.values(workflow.jobs))
    for (const [scope, level] of Object.entries(job.permissions ?? {}))
      if (level === 'write' || (level === 'read' && union[scope] !== 'write')) union[scope] = level;
  return union;
}

export type Grant = { job: string; scope: string; level: string; reason: string };

/** Every line below a job's `permissions:`, with the comment behind it; empty where there is none. */
export function grantsOf(text: string): Grant[] {
  const grants: Grant[] = [];
  let job = '';
  let isInJobs = false;
  let isInPermissions = false;
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) isInJobs = line === 'jobs:';
    const id = /^ {2}([\w-]+):$/.exec(line)?.[1];
    if (isInJobs && id !== undefined) job = id;
    const [, scope, level, , reason] = /^ {6}([\w-]+): (\w+)( # (.*))?$/.exec(line) ?? [];
    if (scope === undefined || level === undefined) isInPermissions = isInJobs && line === '    permissions:';
    else if (isInPermissions) grants.push({ job, scope, level, reason: reason ?? '' });
  }
  return grants;
}
