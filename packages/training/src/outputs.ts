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
const maxMetricsBytes = 1 << 20;
const maxMetrics = 1000;

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

/**
 * The metrics that the run wrote into `evaluate.metrics`: a JSON object of finite numbers; nested ones are named `a.b`.
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
  const file = path.join(folder, ...name.split('/'));
  const size = await stat(file).catch(() => null);
  if (size === null || !size.isFile()) throw fail('is no file');
  if (size.size > maxMetricsBytes) throw fail(`is larger than ${maxMetricsBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    throw fail('is not JSON (NaN and Infinity have no JSON form)');
  }
  const metrics = new Map<string, string>();
  function walk(part: unknown, place: string): void {
    if (typeof part === 'number' && Number.isFinite(part) && place !== '') {
      if (place.length > 256 || metrics.size >= maxMetrics) throw fail('has too many metrics, or too long names');
      metrics.set(place, toDecimal(part));
    } else if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
      for (const [key, child] of Object.entries(part)) walk(child, place === '' ? key : `${place}.${key}`);
    } else {
      throw fail(
        `${plainText(place) || 'the whole'} is ${plainText(String(JSON.stringify(part)), 40)}, not a finite number`,
      );
    }
  }
  walk(value, '');
  if (metrics.size === 0) throw fail('holds no metric');
  return [...metrics]
    .map(([metric, decimal]) => ({ name: metric, value: decimal }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
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
