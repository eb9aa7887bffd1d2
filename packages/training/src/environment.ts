import { randomBytes } from 'node:crypto';
import { chmod, link, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  canonicalJson,
  InfrastructureError,
  lastLine,
  logText,
  type Progress,
  readTextIfExists,
  removeFolder,
  runProcess,
  sha256Hex,
} from '@passloop/core';
import { formatRequirements, parseRequirements, type Requirement } from '@passloop/model';
import { z } from 'zod';
import { findInterpreter, type Interpreter } from './interpreter.ts';

export type EnvironmentRequest = {
  /** As declared: `3.11` or `3.11.9`. */
  python: string;
  /** The requirements lock: its path in the repository, for messages, and its text at the commit. */
  lock: { file: string; text: string };
  /** `linux/amd64`: part of what the environment is kept under. */
  platform: string;
  /** Where environments are kept, one for each lock, interpreter and platform. */
  cacheFolder: string;
  /** Folders in which interpreters are looked for, as PATH has them. */
  searchPath: string;
  /** What the installation may see of the machine's environment (HOME, PIP_*, proxies); a stage sees nothing of it. */
  buildEnvironment: Readonly<Record<string, string>>;
  /** File and line of the declaration, for messages. */
  where: { file: string; line: number };
  progress: Progress;
  timeoutMs?: number | undefined;
};

export type TrainingEnvironmentFolder = {
  /** Folder of `python` and the programs of the installed packages. */
  bin: string;
  /** `CPython 3.11.7`: recorded, not keyed. */
  interpreter: string;
};

const Marker = z.object({
  folder: z.string().regex(/^[0-9a-f]{64}-[0-9a-f]{8}$/),
  interpreter: z.string().max(128),
  /** Of every file's path, mode, size and change time, taken when the environment was finished. */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
});
type Marker = z.infer<typeof Marker>;

const defaultTimeout = 30 * 60_000;
const venvHint = 'On Debian and Ubuntu install python3-venv; elsewhere a Python with venv and ensurepip.';
const noInstaller = 'no ensurepip with a wheel of pip';

/**
 * Runs the pip that came with the interpreter from its wheel. It is not installed: that takes longer than most locks do, and
 * the environment holds what the lock names and nothing else. Distributions may keep the wheel in a folder of theirs, which
 * Python calls `WHEEL_PKG_DIR`.
 */
const runPip = `
import glob, os, runpy, sys, sysconfig
folders = [sysconfig.get_config_var('WHEEL_PKG_DIR')]
try:
    import ensurepip
    folders.append(os.path.join(os.path.dirname(ensurepip.__file__), '_bundled'))
except ImportError:
    pass
wheels = [file for folder in folders if folder for file in glob.glob(os.path.join(folder, 'pip-*.whl'))]
if not wheels:
    sys.exit('${noInstaller}')
sys.path.insert(0, wheels[0])
runpy.run_module('pip', run_name='__main__', alter_sys=True)
`;

/**
 * The clean environment of a lock: built once, read-only from then on, verified before each use, built again where anything
 * in it has changed. Many may build at once: each in a folder of its own, and the first that finishes is everyone's.
 * Only wheels are installed, by hash: no code of a package runs, and nothing that the lock does not name comes along.
 * @throws ConfigurationError for a lock that does not pin everything, a missing interpreter, a package that cannot be had
 */
export async function buildEnvironment(request: EnvironmentRequest): Promise<TrainingEnvironmentFolder> {
  const requirements = parseRequirements(request.lock.text, request.lock.file);
  const interpreter = await findInterpreter(request.python, request.searchPath, request.where);
  const key = sha256Hex(
    canonicalJson({
      schema: 'environment/1',
      lock: sha256Hex(request.lock.text),
      interpreter,
      platform: request.platform,
    }),
  );
  const marker = path.join(request.cacheFolder, `${key}.json`);
  const present = await usable(request.cacheFolder, marker);
  if (present !== null) return present;

  request.progress.phase(
    `Environment: ${requirements.length} packages for ${interpreter.implementation} ${interpreter.version}`,
  );
  const name = `${key}-${randomBytes(4).toString('hex')}`;
  const folder = path.join(request.cacheFolder, name);
  await mkdir(request.cacheFolder, { recursive: true });
  try {
    await install(request, interpreter, folder, requirements);
    await makeReadOnly(folder);
    const content: Marker = {
      folder: name,
      interpreter: `${interpreter.implementation} ${interpreter.version}`,
      fingerprint: await fingerprint(folder),
    };
    const draft = `${folder}.json`;
    await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`);
    try {
      await link(draft, marker);
      return { bin: path.join(folder, 'bin'), interpreter: content.interpreter };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    } finally {
      await rm(draft, { force: true });
    }
  } catch (error) {
    await removeFolder(folder);
    throw error;
  } finally {
    request.progress.done();
  }
  // Someone else finished first.
  await removeFolder(folder);
  const winner = await usable(request.cacheFolder, marker);
  if (winner === null) {
    throw new InfrastructureError(`The environment at ${marker} changed while it was built; try again.`);
  }
  return winner;
}

/** The environment that a marker names, or null; one that is not as it was left is removed. */
async function usable(cacheFolder: string, marker: string): Promise<TrainingEnvironmentFolder | null> {
  const text = await readTextIfExists(marker);
  if (text === null) return null;
  const parsed = parseMarker(text);
  if (parsed !== null) {
    const folder = path.join(cacheFolder, parsed.folder);
    const bin = path.join(folder, 'bin');
    if ((await fingerprint(folder)) === parsed.fingerprint && (await answers(path.join(bin, 'python')))) {
      return { bin, interpreter: parsed.interpreter };
    }
  }
  await rm(marker, { force: true });
  if (parsed !== null) await removeFolder(path.join(cacheFolder, parsed.folder));
  return null;
}

function parseMarker(text: string): Marker | null {
  try {
    const result = Marker.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

async function answers(python: string): Promise<boolean> {
  // It imports what a package's .pth file names. Root may write bytecode of that into a folder that is read-only.
  const argv: [string, ...string[]] = [python, '-I', '-B', '-c', ''];
  const result = await runProcess({ argv, env: {}, timeoutMs: 20_000 }).catch(() => null);
  return result?.exitCode === 0;
}

async function install(
  request: EnvironmentRequest,
  interpreter: Interpreter,
  folder: string,
  requirements: readonly Requirement[],
): Promise<void> {
  const env = { LC_ALL: 'C.UTF-8', ...request.buildEnvironment, PATH: request.searchPath };
  async function run(
    argv: [string, ...string[]],
    input = '',
  ): Promise<{ ok: boolean; output: string; reason: string }> {
    const result = await runProcess({
      argv,
      env,
      input,
      cwd: request.cacheFolder,
      timeoutMs: request.timeoutMs ?? defaultTimeout,
      maxOutputBytes: 1 << 20,
      onLine: (line) => request.progress.note(logText(line)),
    });
    if (result.timedOut) {
      throw new InfrastructureError(
        `The environment of ${request.lock.file} was not installed within ${(request.timeoutMs ?? defaultTimeout) / 1000} s.`,
      );
    }
    const output = `${result.stdout}${result.stderr}`;
    return { ok: result.exitCode === 0, output, reason: lastLine(result.stderr) || lastLine(result.stdout) };
  }

  const made = await run([interpreter.executable, '-I', '-m', 'venv', '--without-pip', folder]);
  if (!made.ok) {
    throw new ConfigurationError(
      `${interpreter.executable} could not make a virtual environment: ${logText(made.reason)}`,
      { ...request.where, hint: venvHint },
    );
  }
  if (requirements.length === 0) return;
  const python = path.join(folder, 'bin', 'python');
  const pip: [string, ...string[]] = [python, '-I', '-c', runPip];
  const lock = path.join(folder, 'requirements.lock');
  await writeFile(lock, formatRequirements(requirements));
  const only = ['--require-hashes', '--no-deps', '--only-binary', ':all:'];
  const options = ['--disable-pip-version-check', '--no-input', '--quiet', '--no-compile', ...only];
  const installed = await run([...pip, 'install', ...options, '--requirement', lock]);
  if (!installed.ok && installed.output.includes(noInstaller)) {
    throw new ConfigurationError(`${interpreter.executable} has no installer of packages: ${noInstaller}.`, {
      ...request.where,
      hint: venvHint,
    });
  }
  if (!installed.ok) throw installFailure(request, installed.output);
  // Most of the time goes into this, and pip does it on one processor. What some package holds that is no Python stays as it is.
  await run([python, '-I', '-S', '-m', 'compileall', '-q', '-j', '0', path.join(folder, 'lib')]);
}

function installFailure(request: EnvironmentRequest, output: string): ConfigurationError | InfrastructureError {
  const error = output.split('\n').find((line) => /^\s*ERROR:/.test(line)) ?? lastLine(Buffer.from(output));
  const reason = logText(error.replace(/^\s*ERROR:\s*/, '').trim()).slice(0, 1000);
  const message = `The packages of ${request.lock.file} could not be installed: ${reason}`;
  if (/connection|timed? ?out|resolve|retries|SSL|proxy|HTTP error 5/i.test(output) && !/HASHES/i.test(output)) {
    return new InfrastructureError(message, {
      hint: 'Is the package index reachable from here? Try again.',
      file: request.lock.file,
    });
  }
  return new ConfigurationError(message, {
    file: request.lock.file,
    hint: /HASHES/i.test(output)
      ? 'What the index serves is not what was locked: write the lock again, and see why it changed.'
      : 'Only wheels for this interpreter and platform are installed: lock versions that have one.',
  });
}

/** sha256 over path, mode, size and change time of everything below a folder; '' where it is gone. */
async function fingerprint(folder: string): Promise<string> {
  let names: string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch {
    return '';
  }
  const lines = await Promise.all(
    names.map(async (name) => {
      const stat = await lstat(path.join(folder, name), { bigint: true }).catch(() => null);
      return `${name}\0${stat?.mode}\0${stat?.size}\0${stat?.isDirectory() ? '' : stat?.ctimeNs}`;
    }),
  );
  return sha256Hex(lines.sort().join('\n'));
}

async function makeReadOnly(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    const full = path.join(folder, name);
    const stat = await lstat(full);
    if (!stat.isSymbolicLink()) await chmod(full, stat.mode & 0o555);
  }
  await chmod(folder, 0o555);
}
