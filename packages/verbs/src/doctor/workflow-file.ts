import { PassloopError, parseYaml } from '@passloop/core';
import { type SuiteWorkflowName, suiteWorkflowNames } from './suite-workflow.ts';

/** What a job grants its token: declared scopes, all of one level, or whatever the repository's default is. */
export type Granted =
  | { state: 'declared'; scopes: Record<string, string> }
  | { state: 'all'; level: 'read' | 'write' }
  | { state: 'default' };

/** A job that calls one of Passloop's workflows. */
export type Caller = {
  workflow: SuiteWorkflowName;
  job: string;
  line: number;
  /** `owner/name` of the repository that has it, or null for a workflow of the same repository (`./`). */
  from: string | null;
  ref: string | null;
  granted: Granted;
  inputs: Record<string, string>;
  /** Names of the secrets that it hands on: those of the repository by `inherit`. */
  secrets: 'inherit' | string[];
};

export type WorkflowFile = {
  file: string;
  /** What is wrong with it, where it is no workflow. */
  problem: string | null;
  name: string;
  /** Event -> its filters; null where it has none. */
  events: ReadonlyMap<string, Record<string, unknown> | null>;
  callers: Caller[];
};

const usesPattern = new RegExp(
  `^(?:\\./|([\\w.-]+/[\\w.-]+)/)\\.github/workflows/(${suiteWorkflowNames.join('|')})\\.ya?ml(?:@(.+))?$`,
);

/** Reads a workflow file of an untrusted author as data: its events, and the jobs that call Passloop. Never throws. */
export function readWorkflow(file: string, text: string): WorkflowFile {
  const empty: WorkflowFile = { file, problem: null, name: file, events: new Map(), callers: [] };
  let source: ReturnType<typeof parseYaml>;
  try {
    source = parseYaml(text, file);
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return { ...empty, problem: error.message };
  }
  const top = mapping(source.value);
  if (top === null) return { ...empty, problem: `${file} is no workflow.` };
  const callers: Caller[] = [];
  for (const [job, value] of Object.entries(mapping(top.jobs) ?? {})) {
    const fields = mapping(value);
    const match = usesPattern.exec(typeof fields?.uses === 'string' ? fields.uses : '');
    if (fields === null || match === null) continue;
    callers.push({
      workflow: match[2] as SuiteWorkflowName,
      job,
      line: source.lineOf(['jobs', job]),
      from: match[1] ?? null,
      ref: match[3] ?? null,
      granted: grantedBy(fields.permissions === undefined ? top.permissions : fields.permissions),
      inputs: texts(fields.with),
      secrets: fields.secrets === 'inherit' ? 'inherit' : secretNames(Object.values(texts(fields.secrets))),
    });
  }
  return { ...empty, name: typeof top.name === 'string' ? top.name : file, events: eventsOf(top.on), callers };
}

function grantedBy(value: unknown): Granted {
  if (value === undefined) return { state: 'default' };
  if (value === 'read-all') return { state: 'all', level: 'read' };
  if (value === 'write-all') return { state: 'all', level: 'write' };
  return { state: 'declared', scopes: texts(value) };
}

function eventsOf(value: unknown): ReadonlyMap<string, Record<string, unknown> | null> {
  if (typeof value === 'string') return new Map([[value, null]]);
  if (Array.isArray(value)) return new Map(value.map((name) => [String(name), null]));
  return new Map(Object.entries(mapping(value) ?? {}).map(([name, filters]) => [name, mapping(filters)]));
}

function secretNames(expressions: readonly string[]): string[] {
  return expressions.flatMap((text) => [...text.matchAll(/\bsecrets\.([A-Za-z_]\w*)/g)].map((match) => match[1] ?? ''));
}

function texts(value: unknown): Record<string, string> {
  const found: [string, string][] = [];
  for (const [name, one] of Object.entries(mapping(value) ?? {})) {
    if (['string', 'number', 'boolean'].includes(typeof one)) found.push([name, String(one)]);
  }
  return Object.fromEntries(found);
}

function mapping(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
