import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { openTables, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, expect, it } from 'vitest';

const main = path.resolve(import.meta.dirname, 'main.ts');
/** Minutes of work for every processor, in one query. */
const text = Array(6).fill('name').join(' || ');
const endless = `- {kind: expression, expression: "levenshtein(${text}, reverse(${text})) >= 0"}\n`;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('interruption');
  await using session = await openTables();
  const query = 'SELECT md5(i::VARCHAR) AS name FROM range(1000000) t(i)';
  await writeParquet(session, query, path.join(folder.path, 'names.parquet'));
  await writeFile(path.join(folder.path, 'checks.yaml'), endless);
});
afterAll(() => folder[Symbol.asyncDispose]());

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a command in the middle of a query', async (signal, exitCode) => {
  const scratch = path.join(folder.path, signal);
  await mkdir(scratch);
  const json = path.join(folder.path, `${signal}.json`);
  const args = ['data', 'validate', 'names.parquet', '--checks', 'checks.yaml', '--json', json];
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder.path,
    env: { PATH: process.env.PATH, TMPDIR: scratch },
    // What is stuck in a query hears no other signal.
    timeout: 30_000,
    killSignal: 'SIGKILL',
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  while ((await readdir(scratch)).length === 0 && child.exitCode === null) await delay(20);
  await delay(500);

  child.kill(signal);

  expect(await ended).toEqual([exitCode, null]);
  expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({ message: `Interrupted (${signal}).` });
  expect(await readdir(scratch)).toEqual([]);
});
