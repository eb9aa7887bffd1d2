import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * For tests: the `bin` folder of a virtual environment with what job/requirements-test.lock names (pyspark, sqlglot). Made
 * once per lock and machine, in the temporary folder. Needs python3 >= 3.10 with venv; running it needs Java 17.
 */
export async function sparkEnvironment(): Promise<string> {
  const lock = path.join(import.meta.dirname, 'job/requirements-test.lock');
  const digest = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(tmpdir(), `passloop-spark-${digest}`);
  if (existsSync(folder)) return path.join(folder, 'bin');
  // pip writes absolute paths into its scripts: the folder has its name from the start, and is there for others at the end.
  const made = `${folder}.${process.pid}`;
  await run('python3', ['-m', 'venv', made]);
  await run(path.join(made, 'bin/python'), ['-m', 'pip', 'install', '-q', '--require-hashes', '-r', lock]);
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return path.join(folder, 'bin');
}
