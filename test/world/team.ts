import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Octokit } from 'octokit';
import type { World } from './world.ts';

/** What people of a team do in a world, on the forge and in their clones: branches, pull requests, merges, reverts. */
export type Team = {
  /** Commits on a new branch from main, pushes it, opens a pull request. */
  propose(request: { branch: string; title: string; change: (clone: string) => Promise<void> }): Promise<PullRequest>;
  /** `git revert` of a commit on main, as a pull request. */
  proposeRevert(request: { branch: string; title: string; commits: string[] }): Promise<PullRequest>;
  /** Squashes a pull request of the model repository into main, and pulls. */
  merge(pullRequest: PullRequest): Promise<{ merged: boolean; message: string; commit: string }>;
  /** Types the digest of an image into prod's manifest and pushes it, past every promotion. */
  deployByHand(digest: string): Promise<void>;
  /** Merges whatever pull request is open in the deploy repository. */
  mergeDeployment(): Promise<{ number: number; title: string; body: string; commit: string }>;
  /** The digest that prod's manifest carries on the deploy repository's main. */
  deployedDigest(): Promise<string>;
  comments(pullRequest: PullRequest): Promise<string[]>;
};

export type PullRequest = { number: number; branch: string; title: string; head: string };

const prodManifest = 'apps/flight-delay/prod/kustomization.yaml';

export function teamOf(world: World): Team {
  const octokit = new Octokit({
    auth: world.tokens.team,
    baseUrl: world.github.restUrl,
    throttle: { enabled: false },
    retry: { enabled: false },
  });
  const flights = { owner: 'acme', repo: 'flights' };
  const deploy = { owner: 'acme', repo: 'deploy' };
  const clone = world.flightsClone;

  async function open(branch: string, title: string): Promise<PullRequest> {
    await world.git(clone, 'push', '-q', '--force', 'origin', `HEAD:refs/heads/${branch}`);
    const { data } = await octokit.rest.pulls.create({ ...flights, title, head: branch, base: 'main' });
    return { number: data.number, branch, title, head: await world.git(clone, 'rev-parse', 'HEAD') };
  }
  async function branchFromMain(branch: string): Promise<void> {
    await world.git(clone, 'checkout', '-q', '-f', 'main');
    await world.git(clone, 'pull', '-q', '--ff-only');
    await world.git(clone, 'checkout', '-q', '-B', branch);
  }

  return {
    async propose({ branch, title, change }) {
      await branchFromMain(branch);
      await change(clone);
      await world.git(clone, 'add', '.');
      await world.git(clone, 'commit', '-q', '-m', title);
      return open(branch, title);
    },
    async proposeRevert({ branch, title, commits }) {
      await branchFromMain(branch);
      await world.git(clone, 'revert', '--no-edit', ...commits);
      return open(branch, title);
    },
    async merge(pullRequest) {
      let commit = '';
      try {
        const { data } = await octokit.rest.pulls.merge({
          ...flights,
          pull_number: pullRequest.number,
          merge_method: 'squash',
        });
        commit = data.sha;
      } catch (error) {
        return { merged: false, message: (error as Error).message, commit };
      }
      await world.git(clone, 'checkout', '-q', '-f', 'main');
      await world.git(clone, 'pull', '-q', '--ff-only');
      return { merged: true, message: '', commit };
    },
    async deployByHand(digest) {
      const manifest = path.join(world.deployClone, prodManifest);
      const edit = ['edit', manifest, '--kind', 'kustomize', '--image', world.image, '--to', digest];
      const { exitCode, stderr } = await world.passloop(edit);
      if (exitCode !== 0) throw new Error(`${manifest} was not edited:\n${stderr}`);
      await world.git(world.deployClone, 'commit', '-qam', 'Run the first image');
      await world.git(world.deployClone, 'push', '-q');
    },
    async mergeDeployment() {
      const { data } = await octokit.rest.pulls.list({ ...deploy, state: 'open' });
      const [pullRequest] = data;
      if (pullRequest === undefined || data.length > 1)
        throw new Error(`${data.length} pull requests are open in the deploy repository`);
      const merged = await octokit.rest.pulls.merge({
        ...deploy,
        pull_number: pullRequest.number,
        merge_method: 'squash',
      });
      await world.git(world.deployClone, 'pull', '-q', '--ff-only');
      return {
        number: pullRequest.number,
        title: pullRequest.title,
        body: pullRequest.body ?? '',
        commit: merged.data.sha,
      };
    },
    async deployedDigest() {
      await world.git(world.deployClone, 'pull', '-q', '--ff-only');
      const manifest = await readFile(path.join(world.deployClone, prodManifest), 'utf8');
      return /digest: ["']?(sha256:[0-9a-f]{64})/.exec(manifest)?.[1] ?? '';
    },
    async comments(pullRequest) {
      const { data } = await octokit.rest.issues.listComments({
        ...flights,
        issue_number: pullRequest.number,
        per_page: 100,
      });
      return data.map((comment) => comment.body ?? '');
    },
  };
}

/** Replaces a text in a file of a clone, and fails where it isn't there: a change that changes nothing proves nothing. */
export async function replaceText(clone: string, file: string, from: string | RegExp, to: string): Promise<void> {
  const target = path.join(clone, file);
  const before = await readFile(target, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${file} has no ${String(from)}`);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, after);
}
