import {
  actionOf,
  expressionsIn,
  type NamedWorkflow,
  ownAction,
  type Suite,
  templatesOf,
  workflowsOf,
} from './suite.ts';

/** What an expression names is declared, and what is declared is named. Each function answers with what is wrong, a line a mistake. */

/** `needs.x.outputs.y`, `steps.x.outputs.y` and `jobs.x.outputs.y` are there, and `x` is waited for. */
export function declaredOutputs(suite: Suite): string[] {
  const wrong: string[] = [];
  for (const { file, workflow } of [...workflowsOf(suite), ...templatesOf(suite)]) {
    for (const [id, job] of Object.entries(workflow.jobs)) {
      const waitsFor = new Set([job.needs].flat());
      for (const other of waitsFor) if (!(other in workflow.jobs)) wrong.push(`${file}: ${id} waits for ${other}`);
      const text = expressionsIn(workflow.source[id]).join('\n');
      for (const [, other = '', output] of text.matchAll(/\bneeds\.([\w-]+)(?:\.outputs\.([\w-]+))?/g)) {
        if (!waitsFor.has(other)) wrong.push(`${file}: ${id} reads ${other} and doesn't wait for it`);
        else if (output !== undefined && !(output in (workflow.jobs[other]?.outputs ?? {})))
          wrong.push(`${file}: ${id}: ${other} has no output ${output}`);
      }
      for (const [, step = '', output = ''] of text.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
        const name = ownAction(job.steps.find((one) => one.id === step)?.uses);
        const action = name === null ? null : actionOf(suite, name);
        if (action === null) wrong.push(`${file}: ${id}: no step ${step} runs an action of ours`);
        else if (!(output in action.outputs)) wrong.push(`${file}: ${id}: ${name} has no output ${output}`);
      }
    }
    for (const { value } of Object.values(workflow.declared.outputs)) {
      for (const [, job = '', output = ''] of value.matchAll(/\bjobs\.([\w-]+)\.outputs\.([\w-]+)/g))
        if (!(output in (workflow.jobs[job]?.outputs ?? {}))) wrong.push(`${file}: ${job} has no output ${output}`);
    }
  }
  return wrong;
}

/** Every output of a job is read by somebody. */
export function readOutputs(suite: Suite): string[] {
  return workflowsOf(suite).flatMap(({ file, workflow }) => {
    const text = [...expressionsIn(workflow.source), ...expressionsIn(workflow.declared.outputs)].join('\n');
    return Object.entries(workflow.jobs).flatMap(([id, job]) =>
      Object.keys(job.outputs)
        .filter((output) => !new RegExp(`\\b(needs|jobs)\\.${id}\\.outputs\\.${output}(?![\\w-])`).test(text))
        .map((output) => `${file}: nobody reads the output ${output} of ${id}`),
    );
  });
}

/** Inputs and secrets that are used are declared, with words; those that are declared are used. */
export function declaredInputs(suite: Suite): string[] {
  return [...workflowsOf(suite), ...templatesOf(suite)].flatMap((one) => [
    ...sameNames(one, 'inputs', new Set(Object.keys(one.workflow.declared.inputs))),
    ...(isTemplate(one) ? [] : sameNames(one, 'secrets', new Set(Object.keys(one.workflow.declared.secrets)))),
    ...Object.entries(one.workflow.declared.inputs)
      .filter(([, input]) => !/^\S.*\.$/.test(input.description))
      .map(([input]) => `${one.file}: no sentence says what the input ${input} is`),
  ]);
}

function isTemplate({ file }: NamedWorkflow): boolean {
  return file.startsWith('workflows-templates/');
}

function sameNames({ file, workflow }: NamedWorkflow, context: string, declared: ReadonlySet<string>): string[] {
  const text = expressionsIn([workflow.source, workflow.concurrency]).join('\n');
  const matches = text.matchAll(new RegExp(`(?<![.\\w])${context}\\.([\\w-]+)`, 'g'));
  const used = new Set([...matches].map((match) => match[1] ?? ''));
  return [
    ...[...used.difference(declared)].map((name) => `${file}: ${context}.${name} is not declared`),
    ...[...declared.difference(used)].map((name) => `${file}: ${context}.${name} is not used`),
  ];
}
