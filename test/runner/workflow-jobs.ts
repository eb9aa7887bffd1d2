import { parse } from 'yaml';
import { z } from 'zod';

/**
 * What GitHub decides about the jobs of a run before it starts one: which jobs there are, down through reusable workflows, what
 * each one's token may, and which secrets it is given. `act` models none of it, so the tests decide it from the same YAML.
 */
export type WorkflowJob = {
  /** Ids from the caller's job down to this one: `['check', 'train']`. */
  path: readonly string[];
  /** The workflow's file name. */
  file: string;
  /** What the job asks for, which its callers allow; the event may take more away. Absent is none. */
  permissions: Permissions;
  environment: string | null;
  /** The name in this job's expressions -> the repository's secret behind it; null: all, by their own names. */
  secrets: Readonly<Record<string, string>> | null;
};
type Permissions = Readonly<Record<string, 'read' | 'write'>>;

export type WorkflowSource = { file: string; text: string };

const Granted = z.record(z.string(), z.enum(['none', 'read', 'write']));
const Job = z.object({
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
  secrets: z.union([z.literal('inherit'), z.record(z.string(), z.string())]).default({}),
  permissions: Granted.optional(),
  environment: z.union([z.string(), z.object({ name: z.string() })]).optional(),
});
type Job = z.infer<typeof Job>;
const Workflow = z.object({
  permissions: Granted.optional(),
  on: z.unknown(),
  jobs: z.record(z.string(), Job),
});
const Called = z.object({
  workflow_call: z
    .object({ inputs: z.record(z.string(), z.object({ default: z.unknown().optional() })).default({}) })
    .nullable(),
});

/** The file name of one of our reusable workflows, in whichever way a job names it; null for a job with steps. */
export function calledWorkflow(uses: string | undefined): string | null {
  if (uses === undefined) return null;
  const file = /^(?:\$\/|passloop\/passloop\/)\.github\/workflows\/([\w.-]+\.yml)(?:@\S+)?$/.exec(uses)?.[1];
  if (file === undefined) throw new Error(`No workflow of this suite: uses: ${uses}`);
  return file;
}

/**
 * Every job with steps of a workflow and of those that it calls.
 * @throws Error where GitHub would refuse the file: a called job that asks for more than its caller allows; and where a file
 * leaves to a repository's settings what it should say
 */
export function jobsOf(caller: WorkflowSource, called: (file: string) => string): WorkflowJob[] {
  const workflow = Workflow.parse(parse(caller.text));
  return Object.entries(workflow.jobs).flatMap(([id, job]) => {
    const permissions = job.permissions ?? workflow.permissions;
    if (permissions === undefined) throw new Error(`${caller.file}: the job ${id} names no permissions.`);
    return resolve({ source: caller, id, job, permissions, inputs: {}, secrets: null, path: [] }, called);
  });
}

type Seen = {
  source: WorkflowSource;
  id: string;
  job: Job;
  permissions: z.infer<typeof Granted>;
  inputs: Record<string, unknown>;
  secrets: Readonly<Record<string, string>> | null;
  path: readonly string[];
};

function resolve(seen: Seen, called: (file: string) => string): WorkflowJob[] {
  const path = [...seen.path, seen.id];
  const file = calledWorkflow(seen.job.uses);
  if (file === null) {
    const { environment } = seen.job;
    const name = typeof environment === 'string' ? environment : environment?.name;
    return [
      {
        path,
        file: seen.source.file,
        permissions: withoutNone(seen.permissions),
        environment: name === undefined ? null : String(inputValue(name, seen.inputs) ?? '') || null,
        secrets: seen.secrets,
      },
    ];
  }
  const text = called(file);
  const workflow = Workflow.parse(parse(text));
  const defaults = Object.entries(Called.parse(workflow.on).workflow_call?.inputs ?? {});
  const given = Object.entries(seen.job.with).map(([name, value]) => [name, inputValue(value, seen.inputs)]);
  const inputs = {
    ...Object.fromEntries(defaults.map(([name, input]) => [name, input.default])),
    ...Object.fromEntries(given),
  };
  return Object.entries(workflow.jobs).flatMap(([id, job]) => {
    const permissions = job.permissions ?? workflow.permissions ?? seen.permissions;
    for (const [scope, level] of Object.entries(permissions)) {
      const allowed = seen.permissions[scope] ?? 'none';
      if (rank[level] <= rank[allowed]) continue;
      throw new Error(
        `${file}: the nested job '${id}' is requesting '${scope}: ${level}', but is only allowed '${scope}: ${allowed}' by ${seen.source.file}.`,
      );
    }
    const secrets = passedSecrets(seen);
    return resolve({ source: { file, text }, id, job, permissions, inputs, secrets, path }, called);
  });
}

const rank = { none: 0, read: 1, write: 2 };

function withoutNone(permissions: z.infer<typeof Granted>): Permissions {
  const granted = Object.entries(permissions).filter(
    (entry): entry is [string, 'read' | 'write'] => entry[1] !== 'none',
  );
  return Object.fromEntries(granted);
}

/** What the called workflow's `secrets.NAME` stand for in the repository. */
function passedSecrets(seen: Seen): Readonly<Record<string, string>> | null {
  if (seen.job.secrets === 'inherit') return seen.secrets;
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(seen.job.secrets)) {
    const from = /^\$\{\{\s*secrets\.([\w-]+)\s*\}\}$/.exec(value)?.[1];
    if (from === undefined) throw new Error(`${seen.source.file}: the secret ${name} is no other secret: ${value}`);
    const source = seen.secrets === null ? from : seen.secrets[from];
    if (source !== undefined) passed[name] = source;
  }
  return passed;
}

/** A value that is one input is that input's; any other expression can't be known before the run. */
function inputValue(value: unknown, inputs: Record<string, unknown>): unknown {
  const name = typeof value === 'string' ? /^\$\{\{\s*inputs\.([\w-]+)\s*\}\}$/.exec(value)?.[1] : undefined;
  return name === undefined ? value : inputs[name];
}
