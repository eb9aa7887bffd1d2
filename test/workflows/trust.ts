import { expressionsIn, ownAction, reusableOf, type Suite, templatesOf, workflowsOf } from './suite.ts';

/** Who holds what, as docs/adr/0005-jobs-and-the-hand-over.md says. Each function answers with what is wrong, a line a mistake. */

/** Actions that run what a pull request brings: code of a repository, or a model that was not proven. */
const runsForeignCode = ['train-candidate', 'reproduce-training'];
/** Actions that need a secret of the environment: they write to another repository, or read it. */
const holdsTheKey = ['plan-promotion', 'promote-model', 'rollback-model', 'chain-deploy'];

/** What runs a repository's code may read that repository, and holds nothing else. */
export function emptyHands(suite: Suite): string[] {
  const wrong: string[] = [];
  let seen = 0;
  for (const { file, workflow } of reusableOf(suite)) {
    for (const [id, job] of Object.entries(workflow.jobs)) {
      if (!job.steps.some((step) => runsForeignCode.includes(ownAction(step.uses) ?? ''))) continue;
      seen += 1;
      const others = Object.entries(job.permissions ?? {}).filter((grant) => grant.join() !== 'contents,read');
      for (const [scope, level] of others) wrong.push(`${file}: ${id} runs foreign code with ${scope}: ${level}`);
      if (job.environment !== undefined) wrong.push(`${file}: ${id} runs foreign code in an environment`);
      const text = expressionsIn(workflow.source[id]).join('\n');
      if (/\bsecrets\b|\bgithub\.token\b/.test(text)) wrong.push(`${file}: ${id} runs foreign code with a secret`);
    }
  }
  return seen === 0 ? ['No job runs foreign code: this looked at nothing.'] : wrong;
}

/** Secrets are the environment's, of the jobs whose action needs them; and such a job is in the environment. */
export function guardedSecrets(suite: Suite): string[] {
  return reusableOf(suite).flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).flatMap(([id, job]) => {
      const hasSecret = /\bsecrets\b/.test(expressionsIn(workflow.source[id]).join('\n'));
      const needsSecret = job.steps.some((step) => holdsTheKey.includes(ownAction(step.uses) ?? ''));
      const wrong: string[] = [];
      if (hasSecret && !needsSecret) wrong.push(`${file}: ${id} is given a secret that none of its actions needs`);
      if (hasSecret && job.environment === undefined) wrong.push(`${file}: ${id} takes a secret from no environment`);
      if (!hasSecret && job.environment !== undefined) wrong.push(`${file}: ${id} is in an environment for no secret`);
      return wrong;
    }),
  );
}

/** A checkout leaves no token behind, and nothing of a pull request is checked out where the event is a stranger's. */
export function bareCheckouts(suite: Suite): string[] {
  return workflowsOf(suite).flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).flatMap(([id, job]) => {
      const checkouts = job.steps.filter((step) => step.uses?.startsWith('actions/checkout@'));
      const wrong: string[] = [];
      for (const step of checkouts) {
        if (step.with['persist-credentials'] !== false) wrong.push(`${file}: ${id}: the checkout keeps its token`);
        if ('ref' in step.with || 'repository' in step.with)
          wrong.push(`${file}: ${id}: the checkout takes another commit than the event's`);
      }
      if (checkouts.length > 0 && file.endsWith('/model-report.yml'))
        wrong.push(`${file}: ${id}: a checkout in what answers a stranger`);
      return wrong;
    }),
  );
}

/** Nothing else than a checkout and the suite's own actions runs in what others call. */
export function ownStepsOnly(suite: Suite): string[] {
  return reusableOf(suite).flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).flatMap(([id, job]) =>
      job.steps
        .filter((step) => ownAction(step.uses) === null && !step.uses?.startsWith('actions/checkout@'))
        .map((step) => `${file}: ${id}: ${step.uses ?? step.run}`),
    ),
  );
}

/** A required check starts for every pull request. */
export function unfilteredChecks(suite: Suite): string[] {
  return templatesOf(suite).flatMap(({ file, workflow }) => {
    if ('pull_request_target' in workflow.on) return [`${file}: runs on pull_request_target`];
    const filtered = ['pull_request', 'merge_group'].filter((event) => (workflow.on[event] ?? null) !== null);
    return filtered.map((event) => `${file}: ${event} is filtered`);
  });
}
