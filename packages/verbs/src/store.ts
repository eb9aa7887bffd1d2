import path from 'node:path';
import { ConfigurationError, openGitRepository, plainText, readTextIfExists } from '@passloop/core';
import type { Model } from '@passloop/model';
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

/** What `docker login` wrote; on GitHub's own registry, the job's token where there is no login. Null asks anonymously. */
export async function registryCredentials(context: Context, repository: string): Promise<RegistryCredentials | null> {
  const { host } = parseRepository(repository);
  const folder =
    context.env.DOCKER_CONFIG ?? (context.env.HOME === undefined ? null : path.join(context.env.HOME, '.docker'));
  const text = folder === null ? null : await readTextIfExists(path.join(folder, 'config.json'));
  const login = text === null ? null : dockerConfigCredentials(text, host);
  if (login !== null) return login;
  const token = context.env.GITHUB_TOKEN;
  if (host === 'ghcr.io' && token !== undefined)
    return { username: context.env.GITHUB_ACTOR ?? 'x-access-token', password: token };
  return null;
}
