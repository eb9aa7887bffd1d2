import { load } from 'js-yaml';
import { z } from 'zod';
import { ApiError, notFound, unprocessable } from '../api-error.ts';
import { type Forge, now, type Repository } from '../forge.ts';
import { branchTip, readRef } from '../refs.ts';
import { addRun, fileNameOf, workflowOf } from './runs.ts';
import type { Dispatch, Workflow } from './state.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Trigger = z
  .object({
    inputs: z
      .record(
        z.string(),
        z
          .object({
            required: z.boolean().optional(),
            default: Scalar.optional(),
            type: z.string().optional(),
            options: z.array(Scalar).optional(),
          })
          .nullable(),
      )
      .nullish(),
  })
  .nullish();

/** `on: workflow_dispatch` of a workflow file; undefined when it hasn't that trigger. */
function triggerOf(on: unknown): z.infer<typeof Trigger> | undefined {
  if (on === 'workflow_dispatch') return null;
  if (Array.isArray(on)) return on.includes('workflow_dispatch') ? null : undefined;
  if (typeof on !== 'object' || on === null || !('workflow_dispatch' in on)) return undefined;
  return Trigger.parse(on.workflow_dispatch);
}

/** @throws ApiError 422 */
function checkedInputs(trigger: z.infer<typeof Trigger>, given: Record<string, unknown>): Record<string, string> {
  const declared = trigger?.inputs ?? {};
  const unexpected = Object.keys(given).filter((name) => !Object.hasOwn(declared, name));
  if (unexpected.length > 0) throw unprocessable(`Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  const inputs: Record<string, string> = {};
  for (const [name, input] of Object.entries(declared)) {
    const value = Object.hasOwn(given, name) ? String(given[name]) : input?.default;
    if (value === undefined && input?.required === true) throw unprocessable(`Required input '${name}' not provided`);
    const options = input?.type === 'choice' ? (input.options ?? []) : undefined;
    if (value !== undefined && options?.includes(value) === false) {
      throw unprocessable(`Provided value '${value}' for input '${name}' not in the list of allowed values`);
    }
    inputs[name] = value ?? '';
  }
  return inputs;
}

async function readText(repository: Repository, commit: string, path: string): Promise<string | undefined> {
  const object = await repository.objects.read(`${commit}:${path}`);
  return object?.type === 'blob' ? object.content.toString() : undefined;
}

/** By file name, or by the number that GitHub gave it; it must be on the default branch. @throws ApiError 404 */
async function calledWorkflow(forge: Forge, repository: Repository, id: string): Promise<Workflow> {
  const known = repository.state.actions.workflows.find((workflow) => String(workflow.id) === id);
  const file = known === undefined ? id : fileNameOf(known);
  const tip = await branchTip(repository, repository.state.defaultBranch);
  const isFile = /^[\w.-]+\.ya?ml$/.test(file);
  const text = isFile && tip !== undefined ? await readText(repository, tip, `.github/workflows/${file}`) : undefined;
  if (text === undefined) throw notFound();
  return workflowOf(forge, repository, file);
}

/**
 * Dispatches a workflow: checks its trigger and inputs at the ref, and leaves a queued run behind.
 * @throws ApiError 404 for an unknown workflow, 422 for a ref, a trigger or an input that doesn't fit
 */
export async function dispatchWorkflow(
  forge: Forge,
  repository: Repository,
  login: string,
  request: { workflow: string; ref: string; inputs: Record<string, unknown> },
): Promise<Dispatch> {
  const workflow = await calledWorkflow(forge, repository, request.workflow);
  const name = request.ref.replace(/^refs\/(heads|tags)\//, '');
  const heads = await readRef(repository, `refs/heads/${name}`);
  const ref = heads ?? (await readRef(repository, `refs/tags/${name}`));
  if (ref === undefined) throw unprocessable(`No ref found for: ${request.ref}`);
  const text = await readText(repository, ref.oid, workflow.path);
  if (text === undefined) throw unprocessable(`Workflow ${workflow.path} does not exist at ${request.ref}`);
  const file = parseWorkflow(text);
  const trigger = triggerOf(file.on);
  if (trigger === undefined) throw unprocessable("Workflow does not have 'workflow_dispatch' trigger");
  const inputs = checkedInputs(trigger, request.inputs);
  const run = await addRun(forge, repository, {
    workflow,
    name: typeof file.name === 'string' ? file.name : workflow.path,
    event: 'workflow_dispatch',
    headSha: ref.oid,
    headBranch: name,
    headRepository: repository,
    actor: login,
    status: 'queued',
  });
  const dispatch = { workflow: fileNameOf(workflow), ref: name, inputs, login, runId: run.id, createdAt: now(forge) };
  repository.state.actions.dispatches.push(dispatch);
  return dispatch;
}

function parseWorkflow(text: string): { on?: unknown; name?: unknown } {
  try {
    const file = load(text);
    return typeof file === 'object' && file !== null ? file : {};
  } catch (error) {
    throw new ApiError(422, `The workflow is no valid YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}
