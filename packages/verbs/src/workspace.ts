import path from 'node:path';
import { ConfigurationError, type GitRepository, openGitRepository, readTextIfExists } from '@passloop/core';
import {
  type DataLock,
  fromRoot,
  type LoadedModel,
  loadModelsAt,
  lockFileName,
  modelFileName,
  parseLock,
  parseModelFile,
} from '@passloop/model';
import { type Context, toolEnvironment } from './context.ts';

/** A model repository at a commit. What is judged is read from the commit; only data files are read from the work tree. */
export type Workspace = {
  repository: GitRepository;
  /** The work tree's top folder. */
  root: string;
  commit: string;
  tree: string;
  /** The branch or tag that was asked for, or null for a bare commit. */
  ref: string | null;
  /** `owner/name` of the forge, where the repository has such a remote. */
  name: string | null;
  models: LoadedModel[];
};

/** @throws ConfigurationError outside a repository, for an unknown ref, or for a wrong model file */
export async function openWorkspace(context: Context, options: { ref?: string | undefined } = {}): Promise<Workspace> {
  const repository = await openGitRepository(context.cwd, toolEnvironment(context));
  const wanted = options.ref ?? 'HEAD';
  const commit = await repository.resolve(wanted);
  if (commit === null) {
    throw new ConfigurationError(`${JSON.stringify(wanted)} is no commit of this repository.`, {
      hint:
        wanted === 'HEAD'
          ? 'Commit something first: Passloop reads code from commits.'
          : 'In a shallow clone, fetch it first (checkout with fetch-depth: 0).',
    });
  }
  const [root, symbolic, tree, name, models] = await Promise.all([
    repository.run(['rev-parse', '--show-toplevel']),
    repository.run(['rev-parse', '--symbolic-full-name', wanted], { allowFailure: true }),
    repository.treeOf(commit),
    repositoryName(context, repository),
    loadModelsAt(repository, commit),
  ]);
  const ref = symbolic.trim().startsWith('refs/') ? symbolic.trim() : null;
  return { repository, root: root.trim(), commit, tree, ref, name, models };
}

/** `owner/name`, from the job's environment or from the remote `origin`. */
export async function repositoryName(context: Context, repository: GitRepository): Promise<string | null> {
  const given = context.env.GITHUB_REPOSITORY;
  if (given !== undefined && /^[\w.-]+\/[\w.-]+$/.test(given)) return given;
  const url = (await repository.run(['remote', 'get-url', 'origin'], { allowFailure: true })).trim();
  const match = /[/:]([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(url);
  return match === null ? null : `${match[1]}/${match[2]}`;
}

/** `<owner>/<repo>#<name>`: what a model is called in a deploy repository. */
export function modelIdentity(workspace: Pick<Workspace, 'name'>, model: Pick<LoadedModel, 'name'>): string {
  return `${workspace.name ?? 'local'}#${model.name}`;
}

/**
 * The one model that is meant: by name, or the only one there is.
 * @throws ConfigurationError that lists the names
 */
export function selectModel(models: readonly LoadedModel[], name: string | undefined): LoadedModel {
  const names = models.map((model) => model.name).join(', ');
  if (models.length === 0) {
    throw new ConfigurationError(`No ${modelFileName} is in this commit.`, {
      hint: 'Write one (docs/model-file.md has a template) and commit it.',
    });
  }
  if (name === undefined) {
    if (models.length === 1 && models[0] !== undefined) return models[0];
    throw new ConfigurationError(`This repository has ${models.length} models: ${names}.`, {
      hint: 'Say which one with --model NAME.',
    });
  }
  const found = models.find((model) => model.name === name);
  if (found === undefined)
    throw new ConfigurationError(`No model is named ${JSON.stringify(name)} (there is: ${names}).`);
  return found;
}

/** The name of the model that a request means. @throws ConfigurationError that lists the names */
export async function modelNamed(
  context: Context,
  request: { model?: string | undefined; ref?: string | undefined },
): Promise<string> {
  return selectModel((await openWorkspace(context, { ref: request.ref })).models, request.model).name;
}

/** The object id of a file at a commit, or null where it has none. */
export async function blobAt(workspace: Workspace, commit: string, file: string): Promise<string | null> {
  const found = await workspace.repository.run(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}:${file}`],
    { allowFailure: true },
  );
  return found.trim() === '' ? null : found.trim();
}

/** The lock that a commit holds for a model, or null. */
export async function lockAt(
  repository: GitRepository,
  commit: string,
  model: Pick<LoadedModel, 'folder'>,
): Promise<DataLock | null> {
  const file = fromRoot(model, lockFileName);
  const content = await repository.readFile(commit, file);
  return content === null ? null : parseLock(content.toString('utf8'), file);
}

/** The model file of the work tree, not yet committed: what `data lock` and `data profile` work on. */
export async function workTreeModels(context: Context): Promise<{ root: string; models: LoadedModel[] }> {
  let folder = context.cwd;
  for (;;) {
    const text = await readTextIfExists(path.join(folder, modelFileName));
    if (text !== null) return { root: folder, models: parseModelFile(text, modelFileName) };
    const parent = path.dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new ConfigurationError(`There is no ${modelFileName} in ${context.cwd} or above.`, {
    hint: 'Give the files on the command line (see --help), or write a model file.',
  });
}
