// Refuses a release of a commit whose check has not passed. Plain JavaScript on purpose: it runs before anything is installed, on whatever
// Node the machine has.
const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_SHA: sha, GITHUB_TOKEN: token } = process.env;

function refuse(message) {
  console.log(`::error::${message}`);
  process.exit(1);
}

const query = 'check_name=check&filter=latest&per_page=100';
const answer = await fetch(`${api}/repos/${repository}/commits/${sha}/check-runs?${query}`, {
  headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json' },
  redirect: 'error',
});
if (!answer.ok)
  refuse(`The checks could not be read: GitHub answers ${answer.status}. Does the job have \`checks: read\`?`);
const { check_runs: runs } = await answer.json();
// Any App may write a check of this name; ours is a job of a workflow.
const ours = runs.filter(({ app }) => app?.slug === 'github-actions');
if (ours.length === 0) refuse('No job `check` ran on this commit: wait for the one of the main branch.');
for (const { status, conclusion } of ours)
  if (conclusion !== 'success') refuse(`The check of this commit says '${conclusion ?? status}'.`);
