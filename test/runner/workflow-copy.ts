import { isMap, isScalar, isSeq, parseDocument, visit, type YAMLMap } from 'yaml';
import { calledWorkflow } from './workflow-jobs.ts';

/** How the copies name this suite; `act` is told which folder that is. */
export const suiteReference = 'passloop/passloop@suite';

export type JobVariables = {
  token: string;
  secret: (name: string) => string;
};

/**
 * A copy of a workflow for a run under `act`, which knows one token for a run and no `$/`. Only these things differ from the text:
 *
 * - `$/…` and `passloop/passloop/…@ref` name the folder that holds the suite under test.
 * - `github.token` and `secrets.NAME` become variables of the run that belong to the job alone, so that a job's token may what the
 *   job's permissions say and a job sees a secret only where GitHub would give it. An action's default of `github.token` is
 *   written out, since no expression of ours stands there.
 * - `concurrency` is left out: act does nothing with it, and refuses `queue`, which is newer than it is.
 *
 * Variables, as secrets, are in no process's environment. `act` doesn't mask them: what keeps them out of a log is our own code.
 * @param tokenInputs names of an action's inputs that fall back on the job's token
 * @param variables names the variables of a job of this file
 */
export function runnerCopy(
  text: string,
  tokenInputs: (action: string) => readonly string[],
  variables: (job: string) => JobVariables,
): string {
  const document = parseDocument(text);
  const jobs = document.get('jobs');
  if (!isMap(jobs)) throw new Error('The workflow has no jobs.');
  document.delete('concurrency');
  for (const { key, value: job } of jobs.items) {
    if (!isMap(job)) continue;
    job.delete('concurrency');
    const uses = job.get('uses');
    if (typeof uses === 'string') {
      job.set('uses', suitePath(`.github/workflows/${calledWorkflow(uses)}`));
      // Who sees what is decided already, and each name replaced where it is used.
      job.delete('secrets');
      continue;
    }
    const own = variables(String(isScalar(key) ? key.value : key));
    visit(job, {
      Scalar(_, node) {
        if (typeof node.value === 'string') node.value = withoutSecrets(node.value, own);
      },
    });
    const steps = job.get('steps');
    for (const step of isSeq(steps) ? steps.items : []) {
      if (!isMap(step)) continue;
      const action = nameAction(step);
      if (action === null) continue;
      for (const input of tokenInputs(action)) {
        if (!step.hasIn(['with', input])) step.setIn(['with', input], `\${{ vars.${own.token} }}`);
      }
    }
  }
  return document.toString({ lineWidth: 0 });
}

/** The step's action, as the folder of the suite or as `actions/checkout`; null for a step that runs a command. */
function nameAction(step: YAMLMap): string | null {
  const uses = step.get('uses');
  if (typeof uses !== 'string') return null;
  const own = /^(?:\$\/|passloop\/passloop\/)(actions\/[\w-]+)(?:@\S+)?$/.exec(uses)?.[1];
  if (own !== undefined) {
    step.set('uses', suitePath(own));
    return own;
  }
  if (/^actions\/checkout@[0-9a-f]{40}$/.test(uses)) return 'actions/checkout';
  throw new Error(`Not pinned, or not of this suite: uses: ${uses}`);
}

function suitePath(path: string): string {
  const [repository, reference] = suiteReference.split('@');
  return `${repository}/${path}@${reference}`;
}

function withoutSecrets(text: string, variables: JobVariables): string {
  const replaced = text
    .replace(/\b(?:github\.token|secrets\.GITHUB_TOKEN)\b/g, `vars.${variables.token}`)
    .replace(/\bsecrets\.([A-Za-z_][\w-]*)/g, (_, name: string) => `vars.${variables.secret(name)}`);
  if (/\$\{\{.*\bsecrets\b\s*[[),]|toJSON\(\s*(?:github|secrets)\s*\)/i.test(replaced)) {
    throw new Error(`A secret that can't be told by its name: ${text}`);
  }
  return replaced;
}

/** Names of variables from a job's path: letters, digits and `_` are all that a variable's name may have. */
export function jobVariables(path: readonly string[]): JobVariables {
  const prefix = path.map(plainName).join('__');
  return { token: `TOKEN__${prefix}`, secret: (name) => `SECRET__${prefix}__${plainName(name)}` };
}

function plainName(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}
