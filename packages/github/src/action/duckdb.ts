import { access, cp, readdir, readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  ConfigurationError,
  InfrastructureError,
  type Progress,
  plainText,
  runProcess,
  temporaryFolder,
} from '@passloop/core';

type DuckdbRequest = {
  /** A folder whose `node_modules` holds `@duckdb/node-api`: for runners that reach no package registry. */
  folder: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  progress: Progress;
};

const wanted = '@duckdb/node-api';
/** In the bundle: the lock of exactly these packages, with their integrity hashes. */
const lockFolder = path.join(import.meta.dirname, 'duckdb');

/** What npm may see: where the registry is and how it is reached. No token of the job, and nothing of the workspace. */
const npmVariables =
  /^(PATH|HOME|USERPROFILE|SystemRoot|TMPDIR|TEMP|TMP|npm_config_[a-z_]+|NPM_CONFIG_[A-Z_]+|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;

/**
 * Makes `@duckdb/*` loadable. Its binding is 68 MB for each platform, which no release carries: it is installed once by npm, from a lock with
 * integrity hashes, and kept in the runner's tool cache. Modules are then found there, and nowhere else.
 * @throws ConfigurationError for a folder that has none; InfrastructureError that says how to do without a registry
 */
export async function provideDuckdb(request: DuckdbRequest): Promise<void> {
  const folder = request.folder ?? (await installed(request));
  if (folder === null) return;
  const home = path.resolve(folder);
  try {
    await access(path.join(home, 'node_modules', wanted, 'package.json'));
  } catch {
    throw new ConfigurationError(`${home} has no node_modules/${wanted}.`, {
      hint: 'Input `duckdb-path` names a folder in which `npm install @duckdb/node-api` was run.',
    });
  }
  const parentURL = pathToFileURL(path.join(home, 'index.js')).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith('@duckdb/') && !insideOf(home, context.parentURL)
        ? next(specifier, { ...context, parentURL })
        : next(specifier, context),
  });
}

function insideOf(home: string, url: string | undefined): boolean {
  return url?.startsWith(`${pathToFileURL(home).href}/`) ?? false;
}

/** The folder in the tool cache, or null where this runs from sources: those have their own `node_modules`. */
async function installed({ env, progress }: DuckdbRequest): Promise<string | null> {
  let lock: { packages: Record<string, { version?: string }> };
  try {
    lock = JSON.parse(await readFile(path.join(lockFolder, 'package-lock.json'), 'utf8')) as typeof lock;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { cacheDir, find } = await import('@actions/tool-cache');
  const version = lock.packages[`node_modules/${wanted}`]?.version ?? '0.0.0';
  const tool = `passloop-duckdb${libc()}`;
  const cached = find(tool, version);
  if (cached !== '') return cached;
  progress.phase(`install DuckDB ${version}`);
  await using folder = await temporaryFolder('duckdb');
  await cp(lockFolder, folder.path, { recursive: true });
  // The lock names no address: npm asks the registry of the machine's own configuration, and takes nothing that has another hash.
  const argv = [
    'npm',
    'ci',
    '--ignore-scripts',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--fetch-timeout=60000',
  ] as const;
  const variables = Object.entries(env).filter(
    (entry): entry is [string, string] => npmVariables.test(entry[0]) && entry[1] !== undefined,
  );
  const hint = `Where npm or a package registry is missing, put \`npm install ${wanted}@${version}\` into the runner’s image and name its folder by the input \`duckdb-path\`.`;
  const failed = (why: string) => new InfrastructureError(`DuckDB could not be installed: ${why}.`, { hint });
  const request = { argv, cwd: folder.path, env: Object.fromEntries(variables), timeoutMs: 300_000 };
  const result = await runProcess(request).catch((error: unknown) => {
    throw error instanceof ConfigurationError ? failed('there is no npm on PATH') : error;
  });
  if (result.timedOut) throw failed('npm did not finish within 300 s');
  if (result.exitCode !== 0) throw failed(reasonOf(result.stderr.toString('utf8')));
  const bindings = await readdir(path.join(folder.path, 'node_modules/@duckdb'));
  if (!bindings.some((name) => name.startsWith('node-bindings-')))
    throw failed(`there is no binding for ${process.platform} ${process.arch}`);
  return await cacheDir(folder.path, tool, version);
}

/** Of npm's many lines the one that says what happened; the last one names its log. */
function reasonOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm error /, '').trim());
  const said = lines.find((line) => line !== '' && !/^(code|errno|syscall|npm warn|A complete log)\b/.test(line));
  return plainText(said ?? 'npm says nothing', 300).replace(/\.$/, '');
}

/** A container with another C library may share the tool cache of its host. */
function libc(): string {
  if (process.platform !== 'linux') return '';
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? '-musl' : '';
}
