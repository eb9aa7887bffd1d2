import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, type Digest, dirHash1, type FileEntry, folderEntries, isMissing } from '@passloop/core';

/** The serving runtime as it goes into every image: its Python files, its own lock of dependencies, one digest over both. */
export type Runtime = {
  folder: string;
  version: string;
  digest: Digest;
  /** Files of the package `passloop_runtime`, relative to `folder`. */
  files: FileEntry[];
  /** Text of the runtime's requirements.lock. */
  lock: string;
};

const packageName = 'passloop_runtime';

/** Where the runtime stands beside this code: in the sources, and in a built bundle that copied it. */
export function defaultRuntimeFolder(): string {
  return fileURLToPath(new URL('./runtime/', import.meta.url));
}

/** Reads the runtime. Caches, tests and notes beside it don't count: they neither enter an image nor change its key. */
export async function readRuntime(folder: string = defaultRuntimeFolder()): Promise<Runtime> {
  try {
    const lock = await readFile(path.join(folder, 'requirements.lock'), 'utf8');
    const version = (await readFile(path.join(folder, packageName, 'VERSION'), 'utf8')).trim();
    const files = (await folderEntries(path.join(folder, packageName)))
      .filter((entry) => !/(^|\/)__pycache__\/|\.pyc$|^\.|\/\./.test(entry.path))
      .map((entry) => ({ ...entry, path: `${packageName}/${entry.path}` }));
    const lockEntry = (await folderEntries(folder)).find((entry) => entry.path === 'requirements.lock');
    if (lockEntry === undefined || !/^[0-9A-Za-z.+-]{1,32}$/.test(version)) throw incomplete(folder);
    return { folder, version, digest: dirHash1([...files, lockEntry]), files, lock };
  } catch (error) {
    if (isMissing(error)) throw incomplete(folder);
    throw error;
  }
}

function incomplete(folder: string): ConfigurationError {
  return new ConfigurationError(`The serving runtime is not complete in ${folder}.`, {
    hint: `It needs ${packageName}/ with a VERSION, and requirements.lock.`,
  });
}
