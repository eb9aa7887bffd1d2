import { grantsOf } from '../../scripts/workflow-file.ts';
import { type NamedWorkflow, ownAction, type Suite, templatesOf, workflowsOf } from './suite.ts';

/** What holds for every job of every workflow. Each function answers with what is wrong, a line a mistake. */

function everyWorkflow(suite: Suite): NamedWorkflow[] {
  return [...workflowsOf(suite), ...templatesOf(suite)];
}

/** Nothing by default, and for each scope of each job a reason. */
export function reasonedPermissions(suite: Suite): string[] {
  return everyWorkflow(suite).flatMap(({ file, text, workflow }) => {
    const wrong: string[] = [];
    if (workflow.permissions === undefined || Object.keys(workflow.permissions).length > 0)
      wrong.push(`${file}: the file itself grants more than \`permissions: {}\``);
    const grants = grantsOf(text);
    for (const [id, job] of Object.entries(workflow.jobs)) {
      const wanted = Object.entries(job.permissions ?? {});
      if (wanted.length === 0) wrong.push(`${file}: ${id} says nothing of permissions`);
      for (const [scope, level] of wanted) {
        const grant = grants.find((one) => one.job === id && one.scope === scope && one.level === level);
        if (grant === undefined || !/^to \w.{8,}/.test(grant.reason))
          wrong.push(`${file}: ${id} doesn't say what ${scope}: ${level} is for`);
      }
    }
    return wrong;
  });
}

/** An action is the suite's own, at the same commit, or pinned by a commit with its version behind; the same one everywhere. */
export function pinnedActions(suite: Suite): string[] {
  const wrong: string[] = [];
  const pins = new Map<string, string>();
  for (const { file, text, workflow } of workflowsOf(suite)) {
    for (const [id, job] of Object.entries(workflow.jobs)) {
      for (const { uses } of job.steps) {
        if (uses === undefined || ownAction(uses) !== null) continue;
        const [, action, commit] = /^([\w-]+\/[\w./-]+)@([0-9a-f]{40})$/.exec(uses) ?? [];
        if (action === undefined || commit === undefined) {
          wrong.push(`${file}: ${id}: ${uses} is not pinned by a commit`);
          continue;
        }
        const lines = text.split('\n').filter((line) => line.includes(uses));
        if (!lines.every((line) => /@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)))
          wrong.push(`${file}: ${id}: no version stands behind ${uses}`);
        const other = pins.get(action) ?? commit;
        if (other !== commit) wrong.push(`${file}: ${id}: ${action} is pinned to another commit elsewhere`);
        pins.set(action, commit);
      }
    }
  }
  return wrong;
}

/** No text of an event gets into a script: it comes by `env`. */
export function plainScripts(suite: Suite): string[] {
  return everyWorkflow(suite).flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).flatMap(([id, job]) =>
      job.steps
        .filter((step) => step.run?.includes('${{'))
        .map((step) => `${file}: ${id}: an expression in the script of ${step.name ?? 'a step'}`),
    ),
  );
}

/** No job waits for ever; a number that a caller may give is declared as one. */
export function limitedJobs(suite: Suite): string[] {
  return everyWorkflow(suite).flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs)
      // A job that calls a workflow may have no limit; the jobs that it calls have.
      .filter(([, job]) => job.uses === undefined)
      .filter(([, { 'timeout-minutes': limit }]) => {
        if (typeof limit === 'number') return limit <= 0 || limit > 360;
        const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(limit ?? '')?.[1];
        const declared = input === undefined ? undefined : workflow.declared.inputs[input];
        return declared?.type !== 'number' || typeof declared.default !== 'number';
      })
      .map(([id]) => `${file}: ${id} has no limit of time`),
  );
}

/** A workflow opens with a paragraph on who is trusted with what. Templates leave that to what they call. */
export function explainedTrust(suite: Suite): string[] {
  return workflowsOf(suite)
    .filter(({ text }) => !/^# Trust\. \S/m.test(text.slice(0, text.search(/^name:/m))))
    .map(({ file }) => `${file}: no paragraph on trust at the top`);
}
