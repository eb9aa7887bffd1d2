import { load } from 'js-yaml';
import { z } from 'zod';

/** A workflow as its author wrote it: GitHub's own keys, and nothing unknown at the places that decide what a job may. */
const Expression = z.union([z.string(), z.number(), z.boolean()]);
const Scopes = z.record(z.string(), z.enum(['none', 'read', 'write']));
const Step = z.strictObject({
  name: z.string().optional(),
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), Expression).default({}),
  env: z.record(z.string(), Expression).optional(),
});
const Job = z.strictObject({
  name: z.string(),
  needs: z
    .union([z.string(), z.array(z.string())])
    .transform((needs) => (typeof needs === 'string' ? [needs] : needs))
    .default([]),
  if: z.string().optional(),
  'runs-on': z.string().optional(),
  container: z.string().optional(),
  'timeout-minutes': Expression.optional(),
  environment: z.string().optional(),
  permissions: Scopes.optional(),
  outputs: z.record(z.string(), z.string()).default({}),
  strategy: z.strictObject({ 'fail-fast': z.literal(false), matrix: z.record(z.string(), z.string()) }).optional(),
  steps: z.array(Step).default([]),
  uses: z.string().optional(),
  with: z.record(z.string(), Expression).default({}),
  secrets: z.union([z.literal('inherit'), z.record(z.string(), z.string())]).optional(),
});
export type Job = z.infer<typeof Job>;

const Input = z.strictObject({
  description: z.string().optional(),
  type: z.enum(['string', 'boolean', 'number']).optional(),
  required: z.boolean().optional(),
  default: Expression.optional(),
});
const Call = z.strictObject({
  inputs: z.record(z.string(), Input).default({}),
  secrets: z.record(z.string(), z.strictObject({ description: z.string(), required: z.boolean() })).default({}),
  outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })).default({}),
});
export type Call = z.infer<typeof Call>;
const On = z.record(z.string(), z.unknown());
const Workflow = z.strictObject({
  name: z.string(),
  on: On,
  permissions: z.unknown(),
  concurrency: z
    .strictObject({
      group: z.string(),
      'cancel-in-progress': z.union([z.string(), z.boolean()]),
      queue: z.literal('max').optional(),
    })
    .optional(),
  jobs: z.record(z.string(), Job),
});

export type WorkflowFile = z.infer<typeof Workflow> & { text: string; call: Call | null; dispatch: Call['inputs'] };

/** @throws ZodError for a key that is not GitHub's, or that no workflow of ours has */
export function parseWorkflow(text: string): WorkflowFile {
  const workflow = Workflow.parse(load(text));
  const call = workflow.on.workflow_call;
  const dispatch = workflow.on.workflow_dispatch;
  return {
    ...workflow,
    text,
    call: 'workflow_call' in workflow.on ? Call.parse(call ?? {}) : null,
    dispatch: Call.pick({ inputs: true }).parse(dispatch ?? {}).inputs,
  };
}

export const ActionFile = z.object({
  inputs: z.record(z.string(), z.object({ required: z.boolean().optional() })).default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
});
export type ActionFile = z.infer<typeof ActionFile>;
