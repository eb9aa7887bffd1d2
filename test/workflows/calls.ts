import { unionOfScopes } from '../../scripts/workflow-file.ts';
import { actionOf, ownAction, reusableOf, type Suite, templatesOf, workflowsOf } from './suite.ts';

/** What one side of a call gives, the other takes. Each function answers with what is wrong, a line a mistake. */

/** Steps give an action the inputs that it has, and all that it needs. */
export function stepInputs(suite: Suite): string[] {
  const wrong: string[] = [];
  for (const { file, workflow } of workflowsOf(suite)) {
    for (const [id, job] of Object.entries(workflow.jobs)) {
      for (const step of job.steps) {
        const name = ownAction(step.uses);
        if (name === null) continue;
        const action = actionOf(suite, name);
        if (action === null) {
          wrong.push(`${file}: ${id}: there is no action ${name}`);
          continue;
        }
        for (const input of Object.keys(step.with))
          if (!(input in action.inputs)) wrong.push(`${file}: ${id}: ${name} has no input ${input}`);
        for (const [input, { required }] of Object.entries(action.inputs))
          if (required && !(input in step.with)) wrong.push(`${file}: ${id}: ${name} needs the input ${input}`);
      }
    }
  }
  return wrong;
}

/** A template calls the workflow of its own name, gives it what it takes, and grants what its jobs ask for together. */
export function templateCalls(suite: Suite): string[] {
  const wrong: string[] = [];
  const reusable = new Map(reusableOf(suite).map(({ file, workflow }) => [file, workflow]));
  const callers = new Set<string>();
  for (const { file, workflow } of templatesOf(suite)) {
    const own = `.github/workflows/${file.split('/')[1]}`;
    for (const [id, job] of Object.entries(workflow.jobs)) {
      const named = /^passloop\/passloop\/(\.github\/workflows\/[\w-]+\.yml)@[\w.-]+$/.exec(job.uses ?? '')?.[1];
      const called = reusable.get(named ?? '');
      if (named !== own || called === undefined) {
        wrong.push(`${file}: ${id} doesn't call ${own}`);
        continue;
      }
      callers.add(own);
      for (const input of Object.keys(job.with))
        if (!(input in called.declared.inputs)) wrong.push(`${file}: ${own} has no input ${input}`);
      for (const [input, { required }] of Object.entries(called.declared.inputs))
        if (required && !(input in job.with)) wrong.push(`${file}: ${own} needs the input ${input}`);
      const given = job.secrets ?? {};
      const takes = called.declared.secrets;
      if (given === 'inherit' && Object.keys(takes).length === 0) wrong.push(`${file}: ${own} takes no secret`);
      if (given !== 'inherit') {
        for (const secret of Object.keys(given))
          if (!(secret in takes)) wrong.push(`${file}: ${own} has no secret ${secret}`);
        if (Object.keys(takes).length > 0) wrong.push(`${file}: secrets of an environment need \`secrets: inherit\``);
      }
      const wanted = unionOfScopes(called);
      const granted = job.permissions ?? {};
      for (const scope of new Set([...Object.keys(wanted), ...Object.keys(granted)])) {
        const [is, must] = [granted[scope] ?? 'none', wanted[scope] ?? 'none'];
        if (is !== must) wrong.push(`${file}: ${scope}: ${is}, where the jobs of ${own} ask for ${must}`);
      }
    }
  }
  for (const file of reusable.keys()) if (!callers.has(file)) wrong.push(`${file}: no template calls it`);
  return wrong;
}
