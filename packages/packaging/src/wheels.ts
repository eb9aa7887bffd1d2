import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  InfrastructureError,
  isMissing,
  jsonDigest,
  lastLine,
  plainText,
  runProcess,
  temporaryFolder,
  writeFileAtomic,
} from '@passloop/core';
import { formatRequirements, type Requirement } from '@passloop/model';

/** What is installed, and for which interpreter. */
export type WheelRequest = {
  requirements: readonly Requirement[];
  /** `3.11` */
  python: string;
  /** `linux/amd64` */
  platform: string;
};

/** Gives a folder that holds a wheel for each requirement. Outside of the build, so that the build has no network. */
export type WheelSource = (request: WheelRequest) => Promise<string>;

export type PipSourceOptions = {
  /** Wheels are kept here, a folder per lock, interpreter and platform. */
  cache: string;
  /** A Python that has pip. It need not be the version that serves. */
  python: string;
  /** Where PATH, HOME, PIP_*, proxies and certificates are taken from. */
  environment: Readonly<Record<string, string | undefined>>;
  timeoutMs?: number | undefined;
};

const passedNames =
  /^(PATH|HOME|USER|LANG|TMPDIR|PIP_[A-Z_]+|PYENV_[A-Z_]+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|NETRC|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;

/**
 * Wheels by `pip download`: only files whose sha256 the lock names, no source distributions (they would run code here), and
 * no others than the lock's own (`--no-deps`; the installation inside the image tells whether the lock is complete).
 */
export function pipWheelSource(options: PipSourceOptions): WheelSource {
  return async (request) => {
    const name = jsonDigest({ ...request, requirements: formatRequirements(request.requirements) }).slice(
      'sha256:'.length,
    );
    const folder = path.join(options.cache, name);
    if (await isFolder(folder)) return folder;
    await mkdir(options.cache, { recursive: true });
    await using work = await temporaryFolder('wheels', options.cache);
    const wheels = path.join(work.path, 'wheels');
    await mkdir(wheels);
    const lock = path.join(work.path, 'lock.txt');
    await writeFileAtomic(lock, formatRequirements(request.requirements));
    if (request.requirements.length > 0) await download(options, request, lock, wheels);
    try {
      await rename(wheels, folder);
    } catch (error) {
      // Another process was first with the same files.
      if (!(await isFolder(folder))) throw error;
      await rm(wheels, { recursive: true, force: true });
    }
    return folder;
  };
}

async function download(options: PipSourceOptions, request: WheelRequest, lock: string, wheels: string): Promise<void> {
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(options.environment)) {
    if (value !== undefined && passedNames.test(key)) env[key] = value;
  }
  const argv = [
    options.python,
    '-m',
    'pip',
    ...downloadArguments(request),
    '--dest',
    wheels,
    '--requirement',
    lock,
  ] as const;
  const timeoutMs = options.timeoutMs ?? 30 * 60_000;
  const result = await runProcess({ argv: [...argv], env, timeoutMs, maxOutputBytes: 1 << 20 }).catch(
    (error: unknown) => {
      if (error instanceof ConfigurationError) throw withoutPip(options.python, error.message);
      throw error;
    },
  );
  if (result.timedOut) throw new InfrastructureError(`pip download did not finish within ${timeoutMs / 1000} s.`);
  if (result.exitCode === 0) return;
  const output = `${result.stdout}\n${result.stderr}`;
  if (/No module named pip/.test(output)) throw withoutPip(options.python, 'it has no pip');
  const reason = plainText(errorLine(output) ?? lastLine(result.stderr), 400);
  if (/HASHES|hash(es)? (are )?required|No matching distribution|Could not find a version/i.test(output)) {
    throw new ConfigurationError(
      `The serving lock cannot be downloaded for Python ${request.python}, ${request.platform}: ${reason}`,
      {
        hint: 'Each package needs a wheel for that Python and platform, and its hash in the lock. Write the lock for it (uv pip compile --python-version --python-platform --generate-hashes).',
      },
    );
  }
  throw new InfrastructureError(`pip download failed: ${reason}`, {
    hint: 'Is the package index reachable? PIP_INDEX_URL and the proxies of the environment reach pip.',
  });
}

/** The options of `pip download` that select wheels of another machine: the newest manylinux that Debian 11 and later run. */
export function downloadArguments(request: WheelRequest): string[] {
  const machine = { 'linux/amd64': 'x86_64', 'linux/arm64': 'aarch64' }[request.platform];
  if (machine === undefined || !/^3\.\d{1,2}$/.test(request.python)) {
    throw new ConfigurationError(`No wheels are known for Python ${request.python} on ${request.platform}.`);
  }
  const platforms = [];
  for (let minor = 31; minor >= 5; minor -= 1) platforms.push('--platform', `manylinux_2_${minor}_${machine}`);
  for (const old of ['manylinux2014', 'manylinux2010', 'manylinux1']) platforms.push('--platform', `${old}_${machine}`);
  const abi = `cp${request.python.replace('.', '')}`;
  return [
    'download',
    '--no-deps',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--no-input',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    ...platforms,
    ...['--implementation', 'cp', '--python-version', request.python],
    ...['--abi', abi, '--abi', 'abi3', '--abi', 'none'],
  ];
}

function withoutPip(python: string, reason: string): InfrastructureError {
  return new InfrastructureError(`Wheels cannot be downloaded: ${reason}.`, {
    hint: `A Python with pip is needed on this machine, as ${JSON.stringify(python)} (Debian and Ubuntu: apt-get install python3-pip).`,
  });
}

function errorLine(output: string): string | undefined {
  return output.split(/\r?\n/).findLast((line) => /^ERROR: /.test(line.trim()));
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    await readdir(folder);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
