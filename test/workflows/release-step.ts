import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { readWorkflow } from '../../scripts/workflow-file.ts';

/** Scripts of the release workflow as they stand in it. */
const run = promisify(execFile);
const workflow = path.resolve(import.meta.dirname, '../../.github/workflows/.release.yml');

/** git as a user without settings runs it. */
export async function git(cwd: string, ...argv: string[]): Promise<string> {
  const person = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return (await run('git', [...person, ...argv], { cwd, env })).stdout.trim();
}

export type Ended = { code: number; log: string };

/**
 * A step's script by the shell that GitHub takes where a step names none: `bash -e FILE`.
 * @throws where the step needs a variable that `env` hasn't
 */
export async function releaseStep(
  job: string,
  name: string,
  { cwd, folder, env }: { cwd: string; folder: string; env: Record<string, string> },
): Promise<Ended> {
  const { jobs } = readWorkflow(await readFile(workflow, 'utf8'));
  const found = jobs[job]?.steps.find((one) => one.name === name);
  if (found?.run === undefined) throw new Error(`The job ${job} has no script ${name}.`);
  const missing = Object.keys(found.env).filter((variable) => !(variable in env));
  if (missing.length > 0) throw new Error(`${name} is given no ${missing.join(', ')}.`);
  const script = path.join(await mkdtemp(path.join(folder, 'script-')), 'script.sh');
  await writeFile(script, found.run);
  const world = { PATH: process.env.PATH, HOME: folder, ...env };
  return run('bash', ['--noprofile', '--norc', '-e', script], { cwd, env: world }).then(
    ({ stdout, stderr }) => ({ code: 0, log: stdout + stderr }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      code: error.code ?? -1,
      log: `${error.stdout ?? ''}${error.stderr ?? ''}`,
    }),
  );
}
