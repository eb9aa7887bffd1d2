import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, readTextIfExists, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { z } from 'zod';
import type { Engine } from './engine.ts';

/** Who a registry's client is. */
export type HostLogin = { host: string; username: string; password: string };

const DockerConfig = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type DockerConfig = z.infer<typeof DockerConfig>;

type HelperAnswer = { Username: string; Secret: string };

/** Docker asks a helper by its name behind `docker-credential-`: one file that starts the other, whose words are no shell's. */
const helperName = 'passloop';
const starter = '#!/bin/sh\nexec "$PASSLOOP_HELPER_NODE" "$PASSLOOP_HELPER_FILE" "$@"\n';
const helper = `import { readFileSync } from 'node:fs';
const server = readFileSync(0, 'utf8').trim();
const logins = new Map(JSON.parse(process.env.PASSLOOP_REGISTRY_LOGINS ?? '[]'));
const login = process.argv[2] === 'get' ? logins.get(server) : undefined;
console.log(login === undefined ? 'credentials not found in native keychain' : JSON.stringify({ ServerURL: server, ...login }));
process.exitCode = login === undefined ? 1 : 0;
`;

/**
 * An engine whose client is logged in to one registry more, for one block, without a secret on disk: Docker asks a helper, which answers
 * from an environment variable of the client alone. What the user's own configuration says stays as it is; where it has a login for that
 * host, nothing is added.
 * @param configFolder the user's own configuration, or null where there is none
 */
export async function withLogin(
  engine: Engine,
  login: HostLogin,
  { configFolder, searchPath }: { configFolder: string | null; searchPath: string },
): Promise<Engine & AsyncDisposable> {
  const config = await readConfig(configFolder);
  if (hasLogin(config, login.host)) return { ...engine, [Symbol.asyncDispose]: async () => {} };
  const folder = await temporaryFolder('docker');
  try {
    const { auths, ...rest } = config;
    const logins = new Map<string, HelperAnswer>([[login.host, { Username: login.username, Secret: login.password }]]);
    // A login that stands in the file in the clear isn't copied: the helper answers for it too.
    for (const [server, entry] of Object.entries(auths ?? {})) {
      const answer = answerOf(entry);
      if (answer !== null) logins.set(server, answer);
    }
    const credHelpers: Record<string, string> = { ...rest.credHelpers };
    for (const server of logins.keys()) credHelpers[server] = helperName;
    await lay(folder, configFolder, `${JSON.stringify({ ...rest, credHelpers })}\n`);
    const bin = path.join(folder.path, '.passloop');
    return {
      ...engine.with({
        DOCKER_CONFIG: folder.path,
        PATH: `${bin}${path.delimiter}${searchPath}`,
        PASSLOOP_HELPER_NODE: process.execPath,
        PASSLOOP_HELPER_FILE: path.join(bin, 'helper.mjs'),
        PASSLOOP_REGISTRY_LOGINS: JSON.stringify([...logins]),
      }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function readConfig(folder: string | null): Promise<DockerConfig> {
  const text = folder === null ? null : await readTextIfExists(path.join(folder, 'config.json'));
  try {
    return DockerConfig.parse(JSON.parse(text ?? '{}'));
  } catch {
    // Docker itself warns of it, and goes on without.
    return {};
  }
}

/** True where the user logged in: with a store of credentials the file keeps an empty entry of the host. */
function hasLogin({ auths, credHelpers }: DockerConfig, host: string): boolean {
  const names = [host, `https://${host}`, `https://${host}/v1/`, `https://${host}/v2/`];
  return names.some((name) => auths?.[name] !== undefined || credHelpers?.[name] !== undefined);
}

function answerOf(entry: NonNullable<DockerConfig['auths']>[string]): HelperAnswer | null {
  if (entry.identitytoken !== undefined) return { Username: '<token>', Secret: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined) {
    return { Username: entry.username, Secret: entry.password };
  }
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon > 0 ? { Username: decoded.slice(0, colon), Secret: decoded.slice(colon + 1).replace(/\0+$/, '') } : null;
}

/** The configuration, the helper, and the rest of the user's folder (contexts, plugins) as links. */
async function lay(folder: TemporaryFolder, configFolder: string | null, config: string): Promise<void> {
  const bin = path.join(folder.path, '.passloop');
  await mkdir(bin);
  await writeFile(path.join(bin, 'helper.mjs'), helper);
  const program = path.join(bin, `docker-credential-${helperName}`);
  await writeFile(program, starter);
  await chmod(program, 0o700);
  await writeFile(path.join(folder.path, 'config.json'), config, { mode: 0o600 });
  if (configFolder === null) return;
  const names = await readdir(configFolder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names) {
    if (name === 'config.json' || name === '.passloop') continue;
    await symlink(path.resolve(configFolder, name), path.join(folder.path, name));
  }
}
