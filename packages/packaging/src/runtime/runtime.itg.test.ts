import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { pythonEnvironment } from './python-environment.ts';

const run = promisify(execFile);
const here = { cwd: import.meta.dirname, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }, maxBuffer: 1 << 24 };
let python: string;

beforeAll(async () => {
  python = await pythonEnvironment();
}, 300_000);

it('keeps the style of ruff', async () => {
  await run(python, ['-m', 'ruff', 'check', '--no-cache', '.'], here);
  await run(python, ['-m', 'ruff', 'format', '--no-cache', '--check', '.'], here);
}, 60_000);

it('serves the protocol as its own tests ask', async () => {
  const { stdout } = await run(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'], here);
  const [, passed = '0'] = /^(\d+) passed in /m.exec(stdout) ?? [];
  expect(Number(passed), stdout).toBeGreaterThan(90);
}, 300_000);
