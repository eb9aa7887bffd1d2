import { lstat, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  type Digest,
  dirHash1,
  fileDigest,
  folderEntries,
  insidePath,
  isMissing,
  plainText,
  toDecimal,
} from '@passloop/core';
import type { FileDigest, RunDocument } from '@passloop/documents';
import type { LoadedModel, Stage } from '@passloop/model';

/** A file that a run made: its `/` path from the model's folder, where it lies, and what it is. */
export type OutputFile = FileDigest & { file: string };

const maxFiles = 10_000;

/**
 * The files of a stage's declared outputs; an output may be a folder.
 * @param fail makes the error: what is wrong with which output
 */
export async function collectOutputs(
  folder: string,
  outputs: Stage['outputs'],
  fail: (message: string, hint: string) => Error,
): Promise<OutputFile[]> {
  const files: OutputFile[] = [];
  for (const output of outputs) {
    const steps = output.split('/');
    for (let length = 1; length <= steps.length; length += 1) {
      const reached = path.join(folder, ...steps.slice(0, length));
      const found = await lstat(reached).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      if (found === null) throw fail(`did not write ${output}`, 'Write it, or take it out of `outputs`.');
      if (found.isSymbolicLink()) throw fail(`wrote ${output} as a symbolic link`, 'Write the file itself.');
      if (length < steps.length && !found.isDirectory())
        throw fail(`did not write ${output}`, 'Write it, or take it out of `outputs`.');
      if (length === steps.length && !found.isDirectory() && !found.isFile())
        throw fail(
          `wrote ${output} as something that is no regular file`,
          'Write a regular file, or a folder of them.',
        );
      if (length === steps.length && found.isFile() && found.size === 0)
        throw fail(`wrote ${output} empty`, 'An empty file is no result.');
    }
    files.push(...(await filesOf(folder, output, fail)));
  }
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}

async function filesOf(folder: string, output: string, fail: (message: string, hint: string) => Error) {
  const full = path.join(folder, ...output.split('/'));
  const found = await stat(full);
  if (found.isFile()) return [{ path: output, file: full, digest: await fileDigest(full), bytes: found.size }];
  const entries = await folderEntries(full).catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) throw error;
    throw fail(
      `wrote what is no regular file into ${output}: ${error.message.replace(`${folder}${path.sep}`, '').replace(/;.*$/, '')}`,
      'Write regular files only.',
    );
  });
  if (entries.length === 0) throw fail(`wrote ${output} as an empty folder`, 'An empty folder is no result.');
  if (entries.length > maxFiles)
    throw fail(`wrote ${entries.length} files into ${output}`, `At most ${maxFiles} are kept.`);
  const files: OutputFile[] = [];
  for (const entry of entries) {
    const file = path.join(full, ...entry.path.split('/'));
    files.push({ path: `${output}/${entry.path}`, file, digest: entry.digest, bytes: (await stat(file)).size });
  }
  return files;
}

/** `/` paths of everything below a folder that is no folder itself, links among it. */
export async function filePaths(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

/**
 * `modelDigest`: sha256 of the model file, or dirHash1 of its folder. The model is `package.model`, or, where nothing is
 * packaged, the first output of the last stage.
 */
export function modelDigest(model: LoadedModel, outputs: readonly FileDigest[]): Digest {
  const name = model.package?.model ?? model.train?.stages.at(-1)?.outputs[0] ?? '';
  const file = outputs.find((output) => output.path === name);
  if (file !== undefined) return file.digest;
  const inside = outputs.filter((output) => output.path.startsWith(`${name}/`));
  if (inside.length === 0)
    throw new ConfigurationError(`The run has no output ${name}, which is the model.`, { file: model.file });
  return dirHash1(inside.map((output) => ({ path: output.path.slice(name.length + 1), digest: output.digest })));
}

/** Loaded where there are metrics to read: it brings parsers that little else needs. */
function metricsReader() {
  return import('@passloop/model/metrics-file');
}

/**
 * The metrics that the run wrote into `evaluate.metrics`, a file or a folder of a form that teams have: finite numbers; nested ones are named `a.b`.
 * @throws ConfigurationError for anything else: a metric that is missing or NaN must never look like one that passed
 */
export async function readMetrics(model: LoadedModel, folder: string): Promise<RunDocument['metrics']> {
  const name = model.evaluate?.metrics;
  if (name === undefined) return [];
  function fail(message: string): ConfigurationError {
    return new ConfigurationError(`${name}: ${message}.`, {
      file: name,
      hint: 'Write one JSON object of finite numbers: {"roc_auc": 0.75}.',
    });
  }
  const place = path.join(folder, ...name.split('/'));
  const found = await stat(place).catch(() => null);
  const isFolder = found?.isDirectory() === true && !/\.(json|ya?ml|toml)$/i.test(name);
  if (found === null || !(found.isFile() || isFolder)) throw fail('is no file');
  const { largestMetricsFile, parseMetricsFile, parseMetricsFolder } = await metricsReader();
  const texts = await metricsTexts(place, isFolder, { name, most: largestMetricsFile });
  const { metrics, others } = isFolder
    ? parseMetricsFolder(texts, name)
    : parseMetricsFile(texts.get('') as string, name);
  for (const [metric, text] of others)
    throw fail(`${plainText(metric) || 'the whole'} is ${text}, not a finite number`);
  for (const [metric, value] of metrics)
    if (!Number.isFinite(value)) throw fail(`${plainText(metric) || 'the whole'} is ${value}, not a finite number`);
  if (metrics.size === 0) throw fail('holds no metric');
  if (metrics.has('')) throw fail(`the whole is ${metrics.get('')}, not a finite number`);
  return [...metrics]
    .map(([metric, value]) => ({ name: metric, value: toDecimal(value) }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/**
 * The text of a metrics file, under the name `''`, or those of a folder that may hold metrics. Logs and plots beside them may
 * be large, and are not read; links are not followed.
 * @throws ConfigurationError for more than a MiB, or more than a thousand files
 */
export async function metricsTexts(
  place: string,
  isFolder: boolean,
  { name, most }: { name: string; most: number },
): Promise<Map<string, string>> {
  async function textOf(file: string): Promise<string> {
    if ((await stat(file)).size > most)
      throw new ConfigurationError(`${name}: is larger than ${most} bytes.`, { file: name });
    return readFile(file, 'utf8');
  }
  if (!isFolder) return new Map([['', await textOf(place)]]);
  const texts = new Map<string, string>();
  const top = (await readdir(place, { withFileTypes: true })).filter(({ name }) =>
    /^metrics(\.json|\.yaml|\.toml)?$/.test(name),
  );
  const below = top.some((entry) => entry.name === 'metrics' && entry.isDirectory())
    ? await readdir(path.join(place, 'metrics'), { recursive: true, withFileTypes: true })
    : [];
  for (const entry of [...top, ...below]) {
    const file = path.join(entry.parentPath, entry.name);
    const inside = path.relative(place, file).split(path.sep).join('/');
    if (!entry.isFile()) continue;
    if (texts.size >= 1000) throw new ConfigurationError(`${name}: has more than 1000 files.`, { file: name });
    texts.set(inside, await textOf(file));
  }
  return texts;
}

/** Moves declared outputs from one folder to another on the same disk, each in place of what was there. */
export async function moveOutputs(from: string, to: string, outputs: readonly string[]): Promise<void> {
  const targets = await Promise.all(outputs.map((output) => insidePath(to, output, 'an output')));
  for (const [index, output] of outputs.entries()) {
    const target = targets[index] as string;
    await rm(target, { recursive: true, force: true });
    await mkdir(path.dirname(target), { recursive: true });
    await rename(path.join(from, ...output.split('/')), target);
  }
}
