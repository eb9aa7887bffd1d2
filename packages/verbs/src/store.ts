import path from 'node:path';
import { ConfigurationError, openGitRepository, plainText, readTextIfExists } from '@passloop/core';
import type { LoadedModel, Model } from '@passloop/model';
import {
  dockerConfigCredentials,
  openDirectoryStore,
  openOciStore,
  openRegistry,
  parseRepository,
  type Registry,
  type RegistryCredentials,
  type Store,
} from '@passloop/record';
import { type Context, toolEnvironment } from './context.ts';

/** The store of a model: the directory (relative to the repository's top), or the OCI package that its file names. */
export async function openModelStore(context: Context, root: string, model: Pick<Model, 'store'>): Promise<Store> {
  if ('directory' in model.store) {
    const folder = path.resolve(root, model.store.directory);
    await refuseCommitted(context, root, folder);
    return openDirectoryStore(folder);
  }
  return openOciStore({
    repository: model.store.oci,
    credentials: await registryCredentials(context, model.store.oci),
  });
}

/**
 * A folder of the workspace is gone with the job's machine: a check would know nothing of production, and say `first` for ever.
 * @throws ConfigurationError in a workflow, for such a store
 */
export function refuseVanishing(context: Context, root: string, model: LoadedModel): void {
  if (context.env.GITHUB_ACTIONS !== 'true' || !('directory' in model.store)) return;
  const { directory } = model.store;
  const relative = path.relative(root, path.resolve(root, directory));
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) return;
  throw new ConfigurationError(`The store of ${model.name} is the folder ${plainText(directory)} of the workspace.`, {
    file: model.file,
    line: model.lineOf(['store']),
    hint: "It is gone when the job ends, with what is known of production. Keep results in a registry: store: {oci: ghcr.io/OWNER/NAME-runs}, or in a folder of the runner that isn't in the workspace.",
  });
}

/**
 * A store that came with a checkout is whatever its author wrote: a result in it would be a hit that nobody trained.
 * It may come as files in the folder, or as a link or submodule on the way to it; case doesn't count, as on some disks.
 */
async function refuseCommitted(context: Context, root: string, folder: string): Promise<void> {
  const relative = path.relative(root, folder);
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) return;
  const place = relative.split(path.sep).join('/');
  const repository = await openGitRepository(root, toolEnvironment(context));
  const within = place === '' ? '.' : `:(literal,icase)${place.split('/')[0]}`;
  const tracked = (await repository.run(['ls-files', '-z', '--', within])).split('\0').filter((file) => file !== '');
  const folded = place.toLowerCase();
  for (const file of tracked) {
    const name = file.toLowerCase();
    const inStore = place === '' || name === folded || name.startsWith(`${folded}/`);
    if (!inStore && !folded.startsWith(`${name}/`)) continue;
    throw new ConfigurationError(
      inStore
        ? `The store ${place || '.'} holds committed files, such as ${plainText(file)}.`
        : `The store ${place} is reached through ${plainText(file)}, which is committed as a link or a submodule.`,
      {
        hint: 'A store is no part of a repository: remove it from git (git rm --cached), add it to .gitignore, or use store: {oci: …}.',
      },
    );
  }
}

export async function openImageRegistry(context: Context, repository: string): Promise<Registry> {
  return openRegistry({ repository, credentials: await registryCredentials(context, repository) });
}

/** What `docker login` wrote; on the forge's own registry, the job's token where there is no login. Null asks anonymously. */
export async function registryCredentials(context: Context, repository: string): Promise<RegistryCredentials | null> {
  const { host } = parseRepository(repository);
  const folder = dockerConfigFolder(context);
  const text = folder === null ? null : await readTextIfExists(path.join(folder, 'config.json'));
  const login = text === null ? null : dockerConfigCredentials(text, host);
  if (login !== null) return login;
  const job = forgeLogin(context);
  return job?.host === host ? { username: job.username, password: job.password } : null;
}

/** Where the user's Docker client keeps its logins; null where the machine has no home. */
export function dockerConfigFolder(context: Context): string | null {
  const { DOCKER_CONFIG: folder, HOME: home } = context.env;
  if (folder !== undefined && folder !== '') return folder;
  return home === undefined ? null : path.join(home, '.docker');
}

/**
 * The forge's registry: GitHub's own, or the host that PASSLOOP_CONTAINER_REGISTRY names (GitHub Enterprise). The job's token is for this
 * one alone.
 */
export function forgeRegistry(context: Context): string {
  const named = context.env.PASSLOOP_CONTAINER_REGISTRY;
  if (named === undefined || named === '') return 'ghcr.io';
  const { host } = parseRepository(`${named}/name`);
  if (host === named) return host;
  throw new ConfigurationError(
    `PASSLOOP_CONTAINER_REGISTRY is ${JSON.stringify(plainText(named, 200))}, no registry.`,
    {
      hint: 'Name its host alone, such as containers.example.com.',
    },
  );
}

/** The job's token as a login to the forge's registry; null outside of a job. */
export function forgeLogin(context: Context): { host: string; username: string; password: string } | null {
  const token = context.env.GITHUB_TOKEN;
  if (token === undefined || token === '') return null;
  return { host: forgeRegistry(context), username: context.env.GITHUB_ACTOR ?? 'x-access-token', password: token };
}
