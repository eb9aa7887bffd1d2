import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Forge, fullName, type Repository } from './forge.ts';
import { gitText } from './git.ts';
import { ObjectReader } from './git-objects.ts';

/** What a replica that is behind would still say: every repository as it was before its last write. */
export type Lag = {
  remember: (repository: Repository) => Promise<void>;
  /** The forge as it was. */
  view: () => Forge;
  close: () => Promise<void>;
};

/** A repository of the same objects with references of its own: those of now. */
async function freeze(repository: Repository, directory: string): Promise<Repository> {
  const source = repository.directory;
  await mkdir(join(directory, 'objects', 'info'), { recursive: true });
  await mkdir(join(directory, 'refs'), { recursive: true });
  await copyFile(join(source, 'HEAD'), join(directory, 'HEAD'));
  await writeFile(join(directory, 'objects', 'info', 'alternates'), `${join(source, 'objects')}\n`);
  await writeFile(join(directory, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  const refs = await gitText(source, ['for-each-ref', '--format=%(objectname) %(refname)']);
  await writeFile(join(directory, 'packed-refs'), refs === '' ? '' : `${refs}\n`);
  return {
    ...repository,
    directory,
    objects: new ObjectReader(directory),
    state: structuredClone(repository.state),
    seenBases: new Map(),
  };
}

export function createLag(forge: Forge): Lag {
  const folder = join(forge.scratch, 'lag');
  const frozen = new Map<string, Repository>();
  let count = 0;
  return {
    remember: async (repository) => {
      const name = fullName(repository.state).toLowerCase();
      const old = frozen.get(name);
      count += 1;
      frozen.set(name, await freeze(repository, join(folder, String(count))));
      old?.objects.close();
    },
    view: () => ({ ...forge, repositories: new Map([...forge.repositories, ...frozen]) }),
    close: async () => {
      for (const { objects } of frozen.values()) objects.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
