import { appendFile, lstat, mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, openGitRepository, readTextIfExists } from '@passloop/core';
import { readForeignChecks, suggestionText } from '@passloop/data';
import { type Context, toolEnvironment } from './context.ts';
import type { ImportedChecks } from './init/model-file-text.ts';
import { type InitPlan, type PlannedFile, planInit } from './init/plan.ts';
import { surveyRepository } from './init/survey.ts';
import { repositoryName } from './workspace.ts';

export type InitRequest = {
  /** Write nothing. */
  plan?: boolean | undefined;
  workflows?: boolean | undefined;
  deploy?: boolean | undefined;
  owners?: string | undefined;
  release?: string | undefined;
  /** Checks of another tool, for the dataset that trains. */
  from?: string | undefined;
  /** Which relation, where that file describes several. */
  table?: string | undefined;
};

export type Initialized = InitPlan & { written: boolean };

const owner = '(?:@[\\w-]+(?:/[\\w.-]+)?|[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+)';
const ownersPattern = new RegExp(`^${owner}(?: ${owner})*$`);

/**
 * Writes what a repository lacks to be checked: model file, workflows, lines of .gitignore and CODEOWNERS. Nothing that is
 * there is changed; lines are added at the end of a file.
 *
 * @throws ConfigurationError for owners or a release that could be something else than they are
 */
export async function init(context: Context, request: InitRequest): Promise<Initialized> {
  const { owners = null, release = null } = request;
  if (owners !== null && !ownersPattern.test(owners)) {
    throw new ConfigurationError(`${JSON.stringify(owners)} names no owners.`, {
      hint: 'Write them as CODEOWNERS does: --owners @acme/ml-platform, or "@ada @grace".',
    });
  }
  if (release !== null && !/^[0-9A-Za-z][\w./-]{0,100}$/.test(release)) {
    throw new ConfigurationError(`${JSON.stringify(release)} is no ref of a release.`, {
      hint: 'A commit (40 hex digits), or a tag such as v1.2.0.',
    });
  }
  const repository = await openGitRepository(context.cwd, toolEnvironment(context));
  const root = await realpath((await repository.run(['rev-parse', '--show-toplevel'])).trim());
  const folder = path
    .relative(root, await realpath(context.cwd))
    .split(path.sep)
    .join('/');
  context.progress.phase('look at the repository');
  const survey = await surveyRepository({ repository, root, folder, name: await repositoryName(context, repository) });
  const plan = planInit(survey, {
    workflows: request.workflows ?? false,
    deploy: request.deploy ?? false,
    owners,
    release,
    imported: request.from === undefined ? null : await importedChecks(context, request.from, request.table ?? null),
  });
  context.progress.done();
  if (request.plan !== true) await writeAll(root, plan.files);
  return { ...plan, written: request.plan !== true };
}

async function importedChecks(context: Context, file: string, table: string | null): Promise<ImportedChecks> {
  const text = await readTextIfExists(path.resolve(context.cwd, file));
  if (text === null) throw new ConfigurationError(`There is no file ${file}.`, { file });
  const { tool, suggestions, unmapped } = readForeignChecks(text, file, table);
  const lines = suggestionText(suggestions, unmapped).trimEnd().split('\n');
  context.progress.note(`${suggestions.length} checks of ${tool} mapped, ${unmapped.length} not`);
  return { source: file, lines, left: unmapped.length };
}

/** The one place that writes: all or, where something is in the way, nothing. */
async function writeAll(root: string, files: readonly PlannedFile[]): Promise<void> {
  for (const file of files) {
    const target = await insidePath(root, file.path, 'A file of this repository');
    if (file.change === 'append' || (await lstat(target).catch(() => null)) === null) continue;
    throw new ConfigurationError(`${file.path} is there already, though git doesn't list it.`, {
      file: file.path,
      hint: 'Move it away, or commit it; init writes over nothing.',
    });
  }
  for (const file of files) await write(root, file);
}

/** Never over what is there, never through a link that leads outside. */
async function write(root: string, file: PlannedFile): Promise<void> {
  const target = await insidePath(root, file.path, 'A file of this repository');
  if (file.change === 'append') {
    await appendFile(target, file.text);
    return;
  }
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, file.text, { flag: 'wx' });
}
