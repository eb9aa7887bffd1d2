import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, worstVerdict } from '@passloop/core';
import type { ManifestLintDocument } from '@passloop/documents';
import { lintManifests, type ManifestText } from '@passloop/gitops';
import type { Context } from './context.ts';

const largestFile = 4 * 1024 * 1024;
const mostFiles = 20_000;

/** Lints files, and the `.yaml` and `.yml` files of folders, as one set: a route and its subsets may lie in two. */
export async function lintManifestFiles(
  context: Context,
  request: { paths: readonly string[] },
): Promise<ManifestLintDocument> {
  context.progress.phase('lint');
  const files = new Map<string, ManifestText>();
  for (const named of request.paths) {
    for (const file of await manifestFiles(context.cwd, named)) {
      const full = path.resolve(context.cwd, file);
      if (!files.has(full)) files.set(full, { file, text: await readManifest(full, file) });
    }
  }
  context.progress.done();
  const findings = lintManifests([...files.values()]);
  return {
    schema: 'passloop/manifest-lint/v1',
    verdict: findings.length === 0 ? 'pass' : worstVerdict(findings.map(({ verdict }) => verdict)),
    files: files.size,
    findings,
  };
}

async function manifestFiles(cwd: string, named: string): Promise<string[]> {
  const full = path.resolve(cwd, named);
  const found = await stat(full).catch((error: unknown) => {
    if (isMissing(error)) throw new ConfigurationError(`There is no file or folder ${named}.`, { file: named });
    throw error;
  });
  if (!found.isDirectory()) return [named];
  const entries = await readdir(full, { recursive: true, withFileTypes: true });
  // Links aren't followed: one could lead round in a circle, or out.
  const files = entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/i.test(entry.name))
    .map((entry) => path.join(named, path.relative(full, path.join(entry.parentPath, entry.name))))
    .filter((file) => !file.split(path.sep).includes('.git'))
    .sort();
  if (files.length === 0) {
    throw new ConfigurationError(`${named} has no .yaml or .yml file: nothing would be judged.`, { file: named });
  }
  if (files.length > mostFiles) {
    throw new ConfigurationError(`${named} has ${files.length} manifests; at most ${mostFiles} are read at once.`);
  }
  return files;
}

async function readManifest(full: string, file: string): Promise<string> {
  if ((await stat(full)).size > largestFile) {
    throw new ConfigurationError(`${file} is larger than ${largestFile} bytes, too large for a manifest.`, { file });
  }
  return readFile(full, 'utf8');
}
