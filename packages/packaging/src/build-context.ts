import { chmod, copyFile, lstat, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing } from '@passloop/core';
import { formatRequirements, type Requirement } from '@passloop/model';
import type { Runtime } from './runtime-files.ts';

export type ContextRequest = {
  folder: string;
  dockerfile: string;
  runtime: Runtime;
  requirements: { runtime: readonly Requirement[]; serve: readonly Requirement[] };
  wheels: { runtime: string; serve: string; installer: string };
};

/**
 * Lays the build context out beside the model that is there already. Every file gets one mode and one time: neither the
 * umask nor the clock of this machine enters the image.
 */
export async function writeContext(request: ContextRequest): Promise<void> {
  const { folder, runtime } = request;
  await mkdir(path.join(folder, 'locks'), { recursive: true });
  await writeFile(path.join(folder, 'Dockerfile'), request.dockerfile);
  for (const name of ['runtime', 'serve'] as const) {
    await writeFile(path.join(folder, 'locks', `${name}.txt`), formatRequirements(request.requirements[name]));
  }
  for (const [name, source] of Object.entries(request.wheels)) {
    const target = path.join(folder, 'wheels', name);
    await mkdir(target, { recursive: true });
    for (const file of await readdir(source)) await copyFile(path.join(source, file), path.join(target, file));
  }
  for (const file of runtime.files) {
    const target = path.join(folder, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(path.join(runtime.folder, file.path), target);
  }
  await settle(folder);
}

/** Copies one regular file of the pull request; a link could bring any file of this machine into the image. */
export async function copyRegularFile(source: string, target: string, what: string): Promise<void> {
  try {
    const found = await lstat(source);
    if (!found.isFile()) {
      throw new ConfigurationError(`${what} is ${found.isDirectory() ? 'a folder' : 'no regular file'}: ${source}`, {
        file: source,
        hint: 'The image serves one file; a symbolic link is not followed.',
      });
    }
  } catch (error) {
    if (isMissing(error)) throw new ConfigurationError(`${what} does not exist: ${source}`, { file: source });
    throw error;
  }
  await mkdir(path.dirname(target), { recursive: true });
  await copyFile(source, target);
}

const fixedTime = new Date('2000-01-01T00:00:00Z');

async function settle(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) await settle(full);
    else {
      await chmod(full, 0o644);
      await utimes(full, fixedTime, fixedTime);
    }
  }
  await chmod(folder, 0o755);
  await utimes(folder, fixedTime, fixedTime);
}
