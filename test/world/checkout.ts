import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { World } from './world.ts';

/**
 * What actions/checkout leaves of the model repository in a new folder below `folder`: a branch by its name, any other ref as a detached commit, with
 * `depth` commits of its history (0: all). The token that fetched it isn't kept.
 */
export async function checkout(world: World, folder: string, ref: string, depth: number): Promise<string> {
  const place = await mkdtemp(path.join(folder, 'work-'));
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  const remote = branch === undefined ? 'refs/remotes/event' : `refs/remotes/origin/${branch}`;
  const shallow = depth === 0 ? [] : ['--no-tags', `--depth=${depth}`];
  const source = world.flights.cloneUrlWith(world.tokens.team);
  await world.git(place, 'init', '-q', '-b', 'unborn');
  await world.git(place, 'remote', 'add', 'origin', `${world.github.url}/acme/flights`);
  await world.git(place, 'fetch', '-q', ...shallow, source, `+${ref}:${remote}`);
  await world.git(place, 'checkout', '-q', '--force', ...(branch === undefined ? [] : ['-B', branch]), remote);
  return place;
}
