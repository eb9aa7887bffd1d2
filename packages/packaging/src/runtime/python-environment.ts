import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * For tests: the python of a virtual environment with what requirements-test.lock names (scikit-learn, the runtime's
 * dependencies, pytest, ruff). Made once per lock and machine, in the temporary folder. Needs python3 >= 3.11 with venv.
 */
export async function pythonEnvironment(): Promise<string> {
  const lock = join(import.meta.dirname, 'requirements-test.lock');
  const digest = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex')
    .slice(0, 16);
  const folder = join(tmpdir(), `passloop-python-${digest}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  const made = `${folder}.${process.pid}`;
  await run('python3', ['-m', 'venv', made]);
  await run(join(made, 'bin', 'python'), ['-m', 'pip', 'install', '-q', '--require-hashes', '-r', lock]);
  // Another process may have been faster; either result is the same.
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return python;
}
