import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationError } from './errors.ts';

/** Writes whole or not at all: a reader never sees half a file, whatever dies. */
export async function writeFileAtomic(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a folder that git passes over: what is in it (results, rows, labels) must not slip into a commit. */
export async function gitIgnoredFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(path.join(folder, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** The file's text, or null where there is none. Other failures are thrown. */
export async function readTextIfExists(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** True for a relative `/` path that stays below its root: no `..`, no absolute path, no drive, no control character. */
export function isInsidePath(relative: string): boolean {
  if (relative === '' || relative.includes('\\') || /[\u0000-\u001f]/.test(relative)) return false;
  if (path.posix.isAbsolute(relative) || /^[A-Za-z]:/.test(relative)) return false;
  const normal = path.posix.normalize(relative);
  return normal !== '..' && !normal.startsWith('../');
}

/** One text for all paths that are one file on a disk that ignores case, or how a letter is composed (macOS, Windows). */
export function foldedPath(relative: string): string {
  return relative.normalize('NFC').toLowerCase();
}

/**
 * Resolves a relative path below `root` and follows links of what exists already: the result lies inside `root`,
 * or a ConfigurationError says that it doesn't. `what` names the field for the message.
 */
export async function insidePath(root: string, relative: string, what: string): Promise<string> {
  if (!isInsidePath(relative)) throw outside(relative, what);
  const realRoot = await realpath(root);
  const target = path.join(realRoot, ...path.posix.normalize(relative).split('/'));
  let probe = target;
  for (;;) {
    try {
      const real = await realpath(probe);
      if (real !== realRoot && !real.startsWith(realRoot + path.sep)) throw outside(relative, what);
      return target;
    } catch (error) {
      if (!isMissing(error)) throw error;
      const parent = path.dirname(probe);
      if (parent === probe) throw outside(relative, what);
      probe = parent;
    }
  }
}

function outside(relative: string, what: string): ConfigurationError {
  return new ConfigurationError(`${what} is ${JSON.stringify(relative)}, which is not a path inside the repository.`, {
    hint: 'Write it relative to the folder of the model file, with "/", without "..", and not through a link that leads outside.',
  });
}

/** Folders that a block still holds. */
const temporaryFolders = new Set<string>();

/** Removes what blocks that will never end have left: for the end of the process. */
export function removeTemporaryFolders(): void {
  for (const folder of temporaryFolders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Something still writes there; the other ones can go.
    }
  }
}

export type TemporaryFolder = AsyncDisposable & { path: string };

/** A folder that is gone when its block ends: `await using folder = await temporaryFolder('train')`. */
export async function temporaryFolder(purpose: string, parent = tmpdir()): Promise<TemporaryFolder> {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(path.join(parent, `passloop-${purpose}-`));
  temporaryFolders.add(folder);
  return {
    path: folder,
    async [Symbol.asyncDispose]() {
      await removeFolder(folder);
      temporaryFolders.delete(folder);
    },
  };
}

/** A folder that is gone when the process ends: for what many steps use, and none of them last. */
export async function processFolder(purpose: string, parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(path.join(parent, `passloop-${purpose}-`));
  if (!isRemovedAtExit) process.once('exit', removeTemporaryFolders);
  isRemovedAtExit = true;
  temporaryFolders.add(folder);
  return folder;
}

let isRemovedAtExit = false;

/** Removes a folder with all that is in it, folders included that their maker left without the right to write. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')))
      throw error;
    await openFolders(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openFolders(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder)) {
    const full = path.join(folder, entry);
    if ((await lstat(full)).isDirectory()) await openFolders(full);
  }
}
