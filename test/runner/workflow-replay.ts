import { isMap, isScalar, parseDocument, visit } from 'yaml';

/** What a job knows of those before it: the context `needs`. */
export type Needs = Record<string, { result: string; outputs: Record<string, string> }>;

/** The job that `recordNeeds` adds. */
export const recorder = 'needs-of-all';
/** The variable that holds, as JSON, what a job alone is told of the others. */
export const needsVariable = 'NEEDS';

/** Adds a job that runs last and writes what came out of all others, as JSON, into a file. */
export function recordNeeds(text: string, file: string): string {
  const document = parseDocument(text);
  const jobs = document.get('jobs');
  if (!isMap(jobs)) throw new Error('The workflow has no jobs.');
  const ids = jobs.items.map(({ key }) => String(isScalar(key) ? key.value : key));
  const job = {
    needs: ids,
    if: 'always()',
    'runs-on': 'ubuntu-latest',
    permissions: {},
    steps: [{ run: `printf '%s' "$NEEDS" > "$FILE"`, env: { NEEDS: `\${{ toJSON(needs) }}`, FILE: file } }],
  };
  jobs.set(recorder, document.createNode(job));
  return document.toString({ lineWidth: 0 });
}

/** The workflow with one of its jobs and no other; what that job reads of the others comes from a variable. */
export function onlyJob(text: string, id: string): string {
  const document = parseDocument(text);
  const job = document.getIn(['jobs', id]);
  if (!isMap(job)) throw new Error(`The workflow has no job ${id}.`);
  job.delete('needs');
  visit(job, {
    Scalar(_, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value
        .replace(/toJSON\(\s*needs\s*\)/g, `vars.${needsVariable}`)
        .replace(/\bneeds(?=\.)/g, `fromJSON(vars.${needsVariable})`);
    },
  });
  document.set('jobs', document.createNode({}));
  document.setIn(['jobs', id], job);
  return document.toString({ lineWidth: 0 });
}
