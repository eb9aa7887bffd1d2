import { appendFile, chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationError, runOrThrow, silentProgress } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildEnvironment, type EnvironmentRequest } from './environment.ts';
import { createWheel } from './fixtures/wheel.ts';

const searchPath = process.env.PATH ?? '/usr/bin:/bin';
let folder: string;
let lock: string;
let python: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'passloop-environment-'));
  lock = await createWheel(path.join(folder, 'wheels'), 'tiny_wheel', '1.2.0');
  python = await versionOf('python3');
});
afterAll(async () => {
  await runOrThrow({ argv: ['chmod', '-R', 'u+w', folder], env: { PATH: searchPath } });
  await rm(folder, { recursive: true, force: true });
});

async function versionOf(program: string): Promise<string> {
  const question = 'import platform; print(platform.python_version())';
  return (await runOrThrow({ argv: [program, '-c', question], env: { PATH: searchPath } })).toString().trim();
}

function request(overrides: Partial<EnvironmentRequest> = {}): EnvironmentRequest {
  return {
    python: python.split('.').slice(0, 2).join('.'),
    lock: { file: 'requirements.lock', text: lock },
    platform: 'linux/amd64',
    cacheFolder: path.join(folder, 'cache'),
    searchPath,
    buildEnvironment: { HOME: folder, PIP_NO_INDEX: '1', PIP_FIND_LINKS: path.join(folder, 'wheels') },
    where: { file: 'passloop.yaml', line: 9 },
    progress: silentProgress,
    ...overrides,
  };
}

async function ask(bin: string, code: string): Promise<string> {
  return (await runOrThrow({ argv: [path.join(bin, 'python'), '-c', code], env: {} })).toString().trim();
}

it('holds what the lock names and nothing else, and is built once however many ask', async () => {
  const phases: string[] = [];
  const progress = { ...silentProgress, phase: (title: string) => phases.push(title) };
  const cacheFolder = path.join(folder, 'once');

  const first = await Promise.all([1, 2, 3].map(() => buildEnvironment(request({ cacheFolder, progress }))));
  const built = phases.length;
  const second = await buildEnvironment(request({ cacheFolder, progress }));
  // Whoever looked first must have left nothing behind, root neither.
  expect(await buildEnvironment(request({ cacheFolder, progress }))).toEqual(second);

  expect(new Set(first.map(({ bin }) => bin)).size).toBe(1);
  expect(second).toEqual(first[0]);
  expect(phases.length).toBe(built);
  expect(second.interpreter).toBe(`CPython ${python}`);
  const names = 'import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))';
  expect(await ask(second.bin, names)).toBe("['tiny_wheel']");
  expect((await readdir(cacheFolder)).length).toBe(2);
  expect((await runOrThrow({ argv: [path.join(second.bin, 'tiny_wheel')], env: {} })).toString()).toBe('1.2.0\n');
});

it('is read-only, and is built again where something in it was changed', async () => {
  const before = await buildEnvironment(request());
  const module = (await ask(before.bin, 'import tiny_wheel; print(tiny_wheel.__file__)')) as string;
  expect((await stat(module)).mode & 0o222).toBe(0);

  await chmod(module, 0o644);
  await appendFile(module, 'VERSION = "evil"\n');
  const after = await buildEnvironment(request());

  expect(after.bin).not.toBe(before.bin);
  expect(await ask(after.bin, 'import tiny_wheel; print(tiny_wheel.VERSION)')).toBe('1.2.0');
  await expect(stat(before.bin)).rejects.toThrow(/ENOENT/);
});

it('is another one for another lock, and for an empty one', async () => {
  const other = await createWheel(path.join(folder, 'wheels'), 'tiny_wheel', '1.3.0');
  const one = await buildEnvironment(request());
  const two = await buildEnvironment(request({ lock: { file: 'requirements.lock', text: other } }));
  const none = await buildEnvironment(request({ lock: { file: 'requirements.lock', text: '# nothing\n' } }));
  expect(new Set([one.bin, two.bin, none.bin]).size).toBe(3);
  expect(await ask(two.bin, 'import tiny_wheel; print(tiny_wheel.VERSION)')).toBe('1.3.0');
});

it('refuses a wheel that is not what was locked, and leaves nothing', async () => {
  const cacheFolder = path.join(folder, 'wrong');
  const text = lock.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`);
  const failure = await buildEnvironment(request({ cacheFolder, lock: { file: 'requirements.lock', text } })).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ConfigurationError);
  expect((failure as ConfigurationError).message).toMatch(
    /^The packages of requirements\.lock could not be installed: THESE PACKAGES DO NOT MATCH THE HASHES/,
  );
  expect((failure as ConfigurationError).hint).toMatch(/not what was locked/);
  expect(await readdir(cacheFolder)).toEqual([]);
});

it('names a package that cannot be had', async () => {
  const text = `absent-package==1.0 --hash=sha256:${'0'.repeat(64)}\n`;
  await expect(buildEnvironment(request({ lock: { file: 'requirements.lock', text } }))).rejects.toThrow(
    /could not be installed: .*absent-package==1\.0/,
  );
});

it('names the interpreters that are there when the declared one is not', async () => {
  const failure = await buildEnvironment(request({ python: '3.2' })).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigurationError);
  expect((failure as ConfigurationError).message).toMatch(
    /^passloop\.yaml:9: Python 3\.2 is declared and was not found\. Found: .*3\.\d+\.\d+ \(\//,
  );
  await expect(buildEnvironment(request({ python, searchPath: path.join(folder, 'empty') }))).rejects.toThrow(
    /Found: no Python at all\./,
  );
  const [major, minor, patch] = python.split('.');
  await expect(buildEnvironment(request({ python: `${major}.${minor}.${Number(patch) + 90}` }))).rejects.toThrow(
    /was not found/,
  );
  expect((await buildEnvironment(request({ python }))).interpreter).toContain(python);
});

it('survives a marker that is no marker', async () => {
  const cacheFolder = path.join(folder, 'marker');
  const before = await buildEnvironment(request({ cacheFolder }));
  const [marker] = (await readdir(cacheFolder)).filter((name) => name.endsWith('.json'));
  expect(await readFile(path.join(cacheFolder, marker!), 'utf8')).toContain('fingerprint');
  await writeFile(path.join(cacheFolder, marker!), '{"folder": "../../../etc", "interpreter": "x", "fingerprint": ""}');
  const after = await buildEnvironment(request({ cacheFolder }));
  expect(after.bin).not.toBe(before.bin);
  expect(await ask(after.bin, 'import tiny_wheel; print(tiny_wheel.VERSION)')).toBe('1.2.0');
});

it.each([
  ['an option', (line: string) => `--no-binary=:all:\n${line}\n`],
  ['an option behind what only pip takes for a line end', (line: string) => `${line}\u2028--no-binary=:all:\n`],
])('runs no code of a package, though the lock asks for it by %s', async (_title, write) => {
  const wheels = path.join(folder, 'wheels');
  const ran = path.join(folder, 'ran');
  const script = `
mkdir -p evil-1.0 && cd evil-1.0
printf '[build-system]\\nrequires = []\\nbuild-backend = "backend"\\nbackend-path = ["."]\\n' > pyproject.toml
printf 'Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n' > PKG-INFO
printf 'import os; open("${ran}", "w").write(os.environ.get("PIP_NO_INDEX", ""))\\n' > backend.py
cd .. && tar czf evil-1.0.tar.gz evil-1.0 && sha256sum evil-1.0.tar.gz | cut -c1-64`;
  const digest = await runOrThrow({ argv: ['sh', '-c', script], cwd: wheels, env: { PATH: searchPath } });
  const text = write(`evil==1.0 --hash=sha256:${digest.toString().trim()}`);

  const failure = await buildEnvironment(request({ lock: { file: 'requirements.lock', text } })).catch(
    (error: unknown) => error,
  );

  await expect(stat(ran)).rejects.toThrow(/ENOENT/);
  expect((failure as ConfigurationError).message).toMatch(/^requirements\.lock:1: .* is not "name==version/);
});
