// Refuses a run of the release workflow on anything but a release: a tag vX.Y.Z at this commit, on the main branch, whose version and
// changelog are the tag's. Plain JavaScript on purpose: it runs before anything is installed, on whatever Node the machine has.
import { spawnSync } from 'node:child_process';

const { TAG: tag = '', GITHUB_REF: ref = '', GITHUB_SHA: sha = '' } = process.env;

/** No word of a tag or a file gets into a message: the runner reads commands in it. */
function refuse(message, file) {
  console.log(`::error${file === undefined ? '' : ` file=${file}`}::${message}`);
  process.exit(1);
}

/** What git says, or null where it refuses. */
function git(...argv) {
  const { status, stdout } = spawnSync('git', argv, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return status === 0 ? stdout : null;
}

function versionOf(text) {
  try {
    return JSON.parse(text)?.version;
  } catch {
    return undefined;
  }
}

if (!/^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(tag)) refuse('The tag is no vX.Y.Z.');
if (ref !== `refs/tags/${tag}`) refuse('Run this workflow on the tag itself: gh workflow run .release.yml --ref TAG.');
if (!/^[0-9a-f]{40}$/.test(sha)) refuse('GITHUB_SHA is no commit.');
const tagged = git('rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`);
if (tagged === null) refuse('The tag is not in this clone: check out with `fetch-depth: 0`.');
if (tagged.trim() !== sha) refuse('The tag names another commit than the one that this run is of: it was moved.');
if (git('rev-parse', 'HEAD')?.trim() !== sha) refuse('Another commit is checked out than the one that this run is of.');
if (git('rev-parse', '--verify', '--quiet', 'refs/remotes/origin/main') === null)
  refuse('The main branch is not in this clone: check out with `fetch-depth: 0`.');
if (git('merge-base', '--is-ancestor', sha, 'refs/remotes/origin/main') === null)
  refuse('The commit is not on the main branch: merge it first, and tag what was merged.');

// Of the commit, whatever lies in the work tree.
const version = tag.slice(1);
if (versionOf(git('show', `${sha}:package.json`) ?? '') !== version)
  refuse("The version is not the tag's.", 'package.json');
const changelog = (git('show', `${sha}:CHANGELOG.md`) ?? '').split('\n');
if (!changelog.some((line) => line.startsWith(`## ${version} (`)))
  refuse('No section `## X.Y.Z (date)` is for the version.', 'CHANGELOG.md');
