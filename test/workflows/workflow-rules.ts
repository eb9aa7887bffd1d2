import type { ActionFile, Job, WorkflowFile } from './workflow-file.ts';

/** What the actions are that a workflow may use: our own by name. */
export type Actions = ReadonlyMap<string, ActionFile>;

const checkoutInputs = ['fetch-depth', 'persist-credentials'];

/** Everything in a workflow with steps that breaks a rule of this repository, a sentence each. */
export function violations(workflow: WorkflowFile, actions: Actions): string[] {
  return [
    ...trust(workflow),
    ...Object.entries(workflow.jobs).flatMap(([id, job]) => [
      ...jobRules(workflow, id, job),
      ...stepRules(workflow, id, job, actions),
    ]),
    ...references(workflow, actions),
    ...interfaceRules(workflow),
  ];
}

function trust(workflow: WorkflowFile): string[] {
  const found: string[] = [];
  const head = workflow.text.slice(0, workflow.text.search(/^name:/m));
  if (!/^# Trust: /m.test(head)) found.push('no paragraph on trust at the top');
  const { permissions } = workflow;
  if (typeof permissions !== 'object' || permissions === null || Object.keys(permissions).length > 0)
    found.push('permissions at the top are not {}');
  if (workflow.concurrency === undefined) found.push('no concurrency');
  else if (workflow.concurrency.queue === 'max' && workflow.concurrency['cancel-in-progress'] !== false)
    found.push('a queue that cancels');
  return found;
}

function jobRules(workflow: WorkflowFile, id: string, job: Job): string[] {
  const found: string[] = [];
  if (job.permissions === undefined) found.push(`${id}: no permissions`);
  if (job.uses === undefined && job['timeout-minutes'] === undefined) found.push(`${id}: no timeout`);
  for (const [scope, level] of Object.entries(job.permissions ?? {})) {
    if (!new RegExp(`^ {6}${scope}: ${level} # \\w.{9,}$`, 'm').test(jobText(workflow.text, id)))
      found.push(`${id}: no reason for ${scope}: ${level}`);
  }
  for (const need of job.needs) if (workflow.jobs[need] === undefined) found.push(`${id}: needs no job ${need}`);
  return found;
}

function stepRules(workflow: WorkflowFile, id: string, job: Job, actions: Actions): string[] {
  return job.steps.flatMap((step, index) => {
    const place = `${id}, step ${step.name ?? index + 1}`;
    if (step.uses === undefined) return step.run?.includes('${{') ? [`${place}: an expression inside run`] : [];
    const own = /^\$\/actions\/([\w-]+)$/.exec(step.uses)?.[1];
    if (own === undefined) return foreign(workflow, step.uses, step.with, place);
    const action = actions.get(own);
    if (action === undefined) return [`${place}: no action ${own}`];
    const unknown = Object.keys(step.with).filter((name) => action.inputs[name] === undefined);
    const missing = Object.entries(action.inputs).filter(([name, input]) => input.required && !(name in step.with));
    return [
      ...unknown.map((name) => `${place}: ${own} has no input ${name}`),
      ...missing.map(([name]) => `${place}: ${own} needs its input ${name}`),
    ];
  });
}

function foreign(workflow: WorkflowFile, uses: string, given: Record<string, unknown>, place: string): string[] {
  const [action = '', ref = ''] = uses.split('@');
  if (!/^actions\/(?:checkout|attest|upload-artifact)$/.test(action))
    return [`${place}: ${action} is no action of ours or of GitHub`];
  if (!/^[0-9a-f]{40}$/.test(ref)) return [`${place}: ${action} is not pinned to a commit`];
  const found: string[] = [];
  if (!workflow.text.includes(`${uses} # v`)) found.push(`${place}: no version behind the pin`);
  if (action !== 'actions/checkout') return found;
  if (given['persist-credentials'] !== false) found.push(`${place}: the checkout keeps its credential`);
  return [
    ...found,
    ...Object.keys(given)
      .filter((name) => !checkoutInputs.includes(name))
      .map((name) => `${place}: checkout with ${name}`),
  ];
}

/** `needs.x.outputs.y`, `steps.x.outputs.y` and `jobs.x.outputs.y` name what is declared, and what the job waits for. */
function references(workflow: WorkflowFile, actions: Actions): string[] {
  const found: string[] = [];
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const text = JSON.stringify(job);
    for (const [, from = '', output] of text.matchAll(/\bneeds\.([\w-]+)\.(?:outputs\.([\w-]+)|result)/g)) {
      if (!job.needs.includes(from)) found.push(`${id}: reads ${from} and doesn't need it`);
      else if (output !== undefined && workflow.jobs[from]?.outputs[output] === undefined)
        found.push(`${id}: ${from} has no output ${output}`);
    }
    for (const [, from, output = ''] of text.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
      const uses = job.steps.find((step) => step.id === from)?.uses;
      const own = /^\$\/actions\/([\w-]+)$/.exec(uses ?? '')?.[1];
      if (uses === undefined) found.push(`${id}: no step ${from}`);
      else if (own !== undefined && actions.get(own)?.outputs[output] === undefined)
        found.push(`${id}: ${own} has no output ${output}`);
    }
  }
  for (const [name, { value }] of Object.entries(workflow.call?.outputs ?? {})) {
    const [, job = '', output = ''] = /^\$\{\{ jobs\.([\w-]+)\.outputs\.([\w-]+) \}\}$/.exec(value) ?? [];
    if (workflow.jobs[job]?.outputs[output] === undefined) found.push(`output ${name}: nothing gives ${value}`);
  }
  return found;
}

/** Inputs and secrets: those used are declared, those declared are used, and each says what it is. */
function interfaceRules(workflow: WorkflowFile): string[] {
  const text = JSON.stringify({ jobs: workflow.jobs, concurrency: workflow.concurrency });
  const inputs = { ...workflow.call?.inputs, ...workflow.dispatch };
  return [
    ...difference('input', text.matchAll(/\binputs\.([\w-]+)/g), Object.keys(inputs)),
    ...difference('secret', text.matchAll(/\bsecrets\.([\w-]+)/g), Object.keys(workflow.call?.secrets ?? {})),
    ...Object.entries(inputs)
      .filter(([, input]) => input.description === undefined || input.type === undefined)
      .map(([name]) => `input ${name}: no description or type`),
  ];
}

function difference(kind: string, matches: Iterable<RegExpMatchArray>, declared: string[]): string[] {
  const used = new Set([...matches].map((match) => match[1] ?? ''));
  return [
    ...[...used].filter((name) => !declared.includes(name)).map((name) => `${kind} ${name} is used and not declared`),
    ...declared.filter((name) => !used.has(name)).map((name) => `${kind} ${name} is declared and not used`),
  ];
}

/** What breaks a rule in a workflow that calls one of ours. */
export function callerViolations(caller: WorkflowFile, called: ReadonlyMap<string, WorkflowFile>): string[] {
  return Object.entries(caller.jobs).flatMap(([id, job]) => {
    const name = /^passloop\/passloop\/\.github\/workflows\/([\w-]+)\.yml@\S+$/.exec(job.uses ?? '')?.[1] ?? '';
    const workflow = called.get(name);
    if (workflow?.call == null) return [`${id}: calls no workflow of ours`];
    const { inputs, secrets } = workflow.call;
    const needed = union(workflow);
    const granted = job.permissions ?? {};
    return [
      ...Object.keys(job.with)
        .filter((key) => inputs[key] === undefined)
        .map((key) => `${id}: ${name} has no input ${key}`),
      ...Object.entries(inputs)
        .filter(([key, input]) => input.required && !(key in job.with))
        .map(([key]) => `${id}: ${name} needs its input ${key}`),
      ...(typeof job.secrets === 'object' ? Object.keys(job.secrets) : [])
        .filter((key) => secrets[key] === undefined)
        .map((key) => `${id}: ${name} has no secret ${key}`),
      ...(Object.keys(secrets).length > 0 && job.secrets === undefined ? [`${id}: hands on no secret`] : []),
      ...(Object.keys(secrets).length === 0 && job.secrets !== undefined
        ? [`${id}: hands on secrets that nothing reads`]
        : []),
      ...scopes({ ...needed, ...granted })
        .filter((scope) => needed[scope] !== granted[scope])
        .map(
          (scope) =>
            `${id}: grants ${scope}: ${granted[scope] ?? 'none'}, and ${name} asks for ${needed[scope] ?? 'none'}`,
        ),
      ...jobRules(caller, id, job),
    ];
  });
}

function scopes(permissions: Record<string, string>): string[] {
  return Object.keys(permissions).sort();
}

/** What all jobs of a workflow ask for together, which its caller must grant. */
export function union(workflow: WorkflowFile): Record<string, string> {
  const all: Record<string, string> = {};
  for (const job of Object.values(workflow.jobs)) {
    for (const [scope, level] of Object.entries(job.permissions ?? {})) if (all[scope] !== 'write') all[scope] = level;
  }
  return all;
}

function jobText(text: string, id: string): string {
  const from = text.search(new RegExp(`^ {2}${id}:$`, 'm'));
  const rest = text.slice(from + 1);
  const to = rest.search(/^ {2}[\w-]+:$/m);
  return to < 0 ? rest : rest.slice(0, to);
}
