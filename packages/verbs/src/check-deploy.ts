import { ConfigurationError, type GitRepository, PassloopError, plainText, worstVerdict } from '@passloop/core';
import type { DeployCheckDocument, DeployFinding } from '@passloop/documents';
import { checkDeployChange, type DeployTree, type NamedImage, recordedFiles, recordPlaces } from '@passloop/gitops';
import { parseRepository } from '@passloop/record';
import type { Context } from './context.ts';
import { deployTreeAt, openDeployClone, versionsAt } from './deploy-tree.ts';
import { hasImage } from './rollback.ts';
import { forgeRegistry } from './store.ts';

export type DeployCheckRequest = {
  /** The commit or branch that the change is held to; a merge commit's first parent, or the pull request's target branch, by default. */
  against?: string | undefined;
};

/**
 * Judges the checked-out change of a deploy repository: reads both commits by git, asks the registries for the images of new records,
 * and writes nothing.
 */
export async function checkDeploy(context: Context, request: DeployCheckRequest): Promise<DeployCheckDocument> {
  const repository = await openDeployClone(context);
  const commit = await repository.resolve('HEAD');
  if (commit === null) throw new ConfigurationError('There is no commit here: nothing can be judged.');
  const against = await baseOf(context, repository, commit, request.against);
  context.progress.phase('read the records');
  const [before, after] = [await deployTreeAt(repository, against), await deployTreeAt(repository, commit)];
  // A manifest counts on both sides, whichever record names it.
  const manifests = [...new Set([...recordedFiles(before), ...recordedFiles(after)])];
  const base = await deployTreeAt(repository, against, manifests);
  const head = await deployTreeAt(repository, commit, manifests);
  const changed = await changedPaths(repository, against, commit);
  const places = recordPlaces(changed).map((place) => place.file);
  const histories = new Map<string, Awaited<ReturnType<typeof versionsAt>>>();
  for (const file of places) histories.set(file, await versionsAt(repository, against, file));
  const branch = context.env.GITHUB_HEAD_REF;
  const { records, findings, images } = checkDeployChange({
    base,
    head,
    changed,
    histories,
    branch: branch === undefined || branch === '' ? null : branch,
  });
  context.progress.phase('ask for the images');
  const all = [...findings, ...(await missingImages(context, base, images))];
  context.progress.done();
  const verdict = all.length === 0 ? 'pass' : worstVerdict(all.map((finding) => finding.verdict));
  return { schema: 'passloop/deploy-check/v1', commit, base: against, verdict, records, findings: all };
}

async function baseOf(
  context: Context,
  repository: GitRepository,
  commit: string,
  against: string | undefined,
): Promise<string> {
  if (against !== undefined) {
    const named = await repository.resolve(against);
    if (named !== null) return named;
    throw new ConfigurationError(`${JSON.stringify(plainText(against, 200))} is no commit of this repository.`, {
      hint: 'Fetch it first: actions/checkout with `fetch-depth: 0`.',
    });
  }
  // What a pull request's job checks out is the merge, whose first parent is the target branch.
  const parents = (await repository.run(['rev-list', '--parents', '--max-count=1', commit])).trim().split(' ').slice(1);
  if (parents.length === 2 && parents[0] !== undefined) return parents[0];
  const branch = context.env.GITHUB_BASE_REF;
  const target = branch === undefined || branch === '' ? null : await repository.resolve(`origin/${branch}`);
  const base = target === null ? null : await repository.mergeBase(target, commit);
  if (base !== null) return base;
  throw new ConfigurationError('Nobody says which commit this change is held to.', {
    hint: 'Give it with --against, such as origin/main or, in a pull request, HEAD^1.',
  });
}

async function changedPaths(repository: GitRepository, base: string, head: string): Promise<string[]> {
  const argv = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', base, head];
  return (await repository.run(argv)).split('\0').filter((path) => path !== '');
}

/**
 * Images that aren't in their registry. Asked are the forge's registry and those that records of the base name: a change must not send
 * this job to an address of its own.
 */
async function missingImages(
  context: Context,
  base: DeployTree,
  images: readonly NamedImage[],
): Promise<DeployFinding[]> {
  const known = knownRegistries(context, base);
  const findings: DeployFinding[] = [];
  for (const { file, line, reference } of images) {
    const say = (message: string, verdict: DeployFinding['verdict']) =>
      findings.push({ rule: 'image', verdict, file, line, message: plainText(message, 2000) });
    try {
      const { host } = parseRepository(reference.slice(0, reference.lastIndexOf('@')));
      if (!known.has(host)) {
        say(
          `${reference} was not asked for: no record of the base names the registry ${host}. Look at it yourself.`,
          'warn',
        );
      } else if (!(await hasImage(context, reference))) {
        say(`${reference} is not in its registry. Push it again, or promote another image.`, 'fail');
      }
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
      say(`Nobody knows whether ${reference} exists: ${error.message} ${error.hint ?? ''}`, 'fail');
    }
  }
  return findings;
}

function knownRegistries(context: Context, base: DeployTree): Set<string> {
  const hosts = new Set([forgeRegistry(context)]);
  for (const { file } of recordPlaces(base.files.keys())) {
    const [, reference] = /"reference": "([^"]+)@sha256:/.exec(base.files.get(file)?.text ?? '') ?? [];
    try {
      if (reference !== undefined) hosts.add(parseRepository(reference).host);
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return hosts;
}
