import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GitRepository, insidePath, isInsidePath, isMissing, PassloopError, plainText } from '@passloop/core';
import { profileTable, type Suggestion, suggestChecks } from '@passloop/data';
import { modelFileName, parseRequirements } from '@passloop/model';
import { openTables, quoteIdentifier, type Table, type TableSession } from '@passloop/tables';
import { isGithub, remoteHost } from '../doctor/remote-host.ts';
import { suiteWorkflowNames } from '../doctor/suite-workflow.ts';
import { readWorkflow, type WorkflowFile } from '../doctor/workflow-file.ts';
import { columnsToCount, type KnownTable } from './columns.ts';
import { type FoundDataset, findDatasets } from './data-files.ts';
import { findScript } from './script.ts';

/** What is known of a table, and checks that it passes, each with its reason. */
type SurveyedTable = KnownTable & { rows: number; suggestions: readonly Suggestion[] };

/** All that a plan needs to know of a repository. Names and texts in it are whatever somebody committed. */
export type Survey = {
  /** The folder that gets the model file, from the repository's top; `''` for the top. */
  folder: string;
  folderName: string;
  /** `owner/name` of the forge. */
  name: string | null;
  /** The repository is on github.com, and so its packages can be on ghcr.io. */
  isOnGithub: boolean;
  defaultBranch: string;
  /** Files below the folder, relative to it, as git lists them. */
  files: string[];
  /** Small texts of the folder. */
  texts: ReadonlyMap<string, string>;
  datasets: FoundDataset[];
  /** By path, where it was cheap to look. */
  tables: ReadonlyMap<string, SurveyedTable>;
  python: string | null;
  lock: string | null;
  /** What was seen and left out, for people. */
  left: string[];
  /** Model files at the folder, above and below it. */
  modelFiles: string[];
  workflows: WorkflowFile[];
  ignored: string | null;
  owners: { file: string; text: string } | null;
  templates: ReadonlyMap<string, string>;
};

const maxTextBytes = 256 * 1024;
const maxTableBytes = 64 * 1024 * 1024;
const mostTables = 6;
const mostProfiledColumns = 100;
const wantedTexts = ['dvc.yaml', 'MLproject', 'python_env.yaml', '.python-version', 'pyproject.toml'];

export type SurveyPorts = {
  repository: GitRepository;
  /** The top of the work tree, and the folder in it where the person stands. */
  root: string;
  folder: string;
  name: string | null;
};

/** Looks at the work tree: what is committed, and what could be (git's own list, ignored files left out). */
export async function surveyRepository({ repository, root, folder, name }: SurveyPorts): Promise<Survey> {
  const listed = (await repository.run(['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']))
    .split('\0')
    .filter((file) => file !== '');
  const all = [...new Set(listed)].sort();
  const within = all
    .filter((file) => folder === '' || file.startsWith(`${folder}/`))
    .map((file) => (folder === '' ? file : file.slice(folder.length + 1)));
  const files = within.filter(isPlainName);
  const strange = within.filter((file) => !isPlainName(file));
  const base = path.join(root, folder);
  const texts = await readTexts(base, [
    ...wantedTexts,
    ...files.filter((file) => file.endsWith('.py') && isEntry(file, files)),
    ...files.filter((file) => /^[^/]*requirements[^/]*\.(txt|lock)$|^requirements\/[^/]+\.(txt|lock)$/.test(file)),
  ]);
  const found = findDatasets(files);
  const remote = await repository.run(['remote', 'get-url', 'origin'], { allowFailure: true });
  const tables = await readTables(base, found.datasets);
  return {
    folder,
    folderName: path.basename(base),
    name,
    isOnGithub: isGithub(remoteHost(remote) ?? ''),
    defaultBranch: await defaultBranchOf(repository),
    files,
    texts,
    datasets: found.datasets,
    tables,
    python: pythonOf(texts),
    lock: lockOf(texts),
    left: [
      ...found.left,
      ...(strange.length === 0
        ? []
        : [
            `${strange.length} files have names that a model file can't take, such as ${JSON.stringify(plainText(strange[0] ?? '', 80))}.`,
          ]),
    ],
    modelFiles: all.filter(
      (file) =>
        (file === modelFileName || file.endsWith(`/${modelFileName}`)) && concerns(path.posix.dirname(file), folder),
    ),
    workflows: await readWorkflows(root, all),
    ignored: await textOf(root, '.gitignore'),
    owners: await ownersOf(root),
    templates: await readTemplates(),
  };
}

/** A model file says something about a folder where it lies there, or below: one above is for other models. */
function concerns(place: string, folder: string): boolean {
  const at = place === '.' ? '' : place;
  return at === folder || folder === '' || at.startsWith(`${folder}/`);
}

/** Names that may stand in a model file: paths inside, seen as they are, that nobody takes for a pattern or a flag. */
function isPlainName(file: string): boolean {
  return (
    isInsidePath(file) &&
    file.length <= 512 &&
    plainText(file, 600) === file &&
    !/[*?[\]{}]/.test(file) &&
    !/^[!-]/.test(file) &&
    file === path.posix.normalize(file) &&
    !file.includes('\ufffd')
  );
}

/** Scripts whose text is read: the training script, and what a pipeline runs. */
function isEntry(file: string, files: readonly string[]): boolean {
  return file === findScript(files) || !file.includes('/') || /^(src|scripts)\/[^/]+$/.test(file);
}

async function readTexts(base: string, names: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of names.slice(0, 200)) {
    const text = await textOf(base, name);
    if (text !== null) texts.set(name, text);
  }
  return texts;
}

/** A small regular file's text; null for what is missing, large, a folder, or reached through a link that leads outside. */
async function textOf(base: string, name: string): Promise<string | null> {
  try {
    const file = await insidePath(base, name, 'A file of the repository');
    const found = await lstat(file);
    return found.isFile() && found.size <= maxTextBytes ? await readFile(file, 'utf8') : null;
  } catch (error) {
    if (error instanceof PassloopError || isMissing(error)) return null;
    throw error;
  }
}

/** Columns and counts of small tables. Without DuckDB, or where a table can't be read, a model file is written without. */
async function readTables(base: string, datasets: readonly FoundDataset[]): Promise<Map<string, SurveyedTable>> {
  const tables = new Map<string, SurveyedTable>();
  const cheap: FoundDataset[] = [];
  for (const dataset of datasets.slice(0, mostTables)) {
    const found = await lstat(path.join(base, dataset.path)).catch(() => null);
    if (found?.isFile() === true && found.size <= maxTableBytes) cheap.push(dataset);
  }
  if (cheap.length === 0) return tables;
  try {
    await using session = await openTables();
    for (const { path: uri } of cheap) {
      try {
        const table = await session.open({ uri, root: base });
        const { columns, relation, rows } = table;
        const names = columnsToCount(columns);
        const counts = names.map((name) => `count(DISTINCT ${quoteIdentifier(name)})`);
        const [row = []] = names.length === 0 ? [] : await session.rows(`SELECT ${counts.join(', ')} FROM ${relation}`);
        const distinct = new Map(names.map((name, index) => [name, Number(row[index])]));
        tables.set(uri, { columns, rows, distinct, suggestions: await suggestionsFor(session, table) });
      } catch (error) {
        if (!(error instanceof PassloopError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
  }
  return tables;
}

/** Checks that the table passes today, but for those of a profile, which is written later. */
async function suggestionsFor(session: TableSession, table: Table): Promise<readonly Suggestion[]> {
  if (table.rows === 0 || table.columns.length > mostProfiledColumns) return [];
  const dataset = { name: table.name, uri: table.name, digest: null };
  const profile = await profileTable({ session, table, dataset });
  return suggestChecks(profile).filter(({ check }) => check.kind !== 'drift');
}

function pythonOf(texts: ReadonlyMap<string, string>): string | null {
  const pinned = /^(3\.\d{1,2}(?:\.\d{1,2})?)\s*$/m.exec(texts.get('.python-version') ?? '')?.[1];
  const needed = /^requires-python\s*=\s*["'](?:>=|==|~=)\s*(3\.\d{1,2})(?:\.[\d*]+)?\b[^"'\n]*["']/m.exec(
    texts.get('pyproject.toml') ?? '',
  )?.[1];
  return pinned ?? needed ?? null;
}

/** The first requirements file in which every package has its hashes. */
function lockOf(texts: ReadonlyMap<string, string>): string | null {
  const names = [...texts.keys()].filter((name) => /requirements/.test(name) && /\.(txt|lock)$/.test(name));
  for (const name of names.sort((left, right) => Number(right.endsWith('.lock')) - Number(left.endsWith('.lock')))) {
    try {
      if (parseRequirements(texts.get(name) ?? '', name).length > 0) return name;
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return null;
}

async function defaultBranchOf(repository: GitRepository): Promise<string> {
  const remote = await repository.run(['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD'], {
    allowFailure: true,
  });
  const current = await repository.run(['symbolic-ref', '--quiet', '--short', 'HEAD'], { allowFailure: true });
  return remote.trim().replace(/^origin\//, '') || current.trim() || 'main';
}

async function readWorkflows(root: string, files: readonly string[]): Promise<WorkflowFile[]> {
  const names = files.filter((file) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(file)).slice(0, 200);
  return Promise.all(names.map(async (name) => readWorkflow(name, (await textOf(root, name)) ?? '')));
}

async function ownersOf(root: string): Promise<Survey['owners']> {
  for (const file of ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS']) {
    const text = await textOf(root, file);
    if (text !== null) return { file, text };
  }
  return null;
}

/** The starter workflows: beside a built bundle, and at the top of the sources. */
async function readTemplates(): Promise<Map<string, string>> {
  const templates = new Map<string, string>();
  const folders = ['./workflows-templates/', '../../../../workflows-templates/'];
  for (const name of suiteWorkflowNames) {
    for (const folder of folders) {
      const file = fileURLToPath(new URL(`${folder}${name}.yml`, import.meta.url));
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      if (text !== null && !templates.has(name)) templates.set(name, text);
    }
  }
  return templates;
}
