import { silentProgress } from '@passloop/core';
import { expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.ts';
import type { Context } from './context.ts';

function context(env: Context['env']): Context {
  return { cwd: '/home/ada/flights', env, now: () => new Date(), progress: silentProgress, version: '0.0.0' };
}

it.each<[Context['env'], string]>([
  [{ PASSLOOP_CACHE: 'cache', XDG_CACHE_HOME: '/xdg', HOME: '/home/ada' }, '/home/ada/flights/cache'],
  [{ PASSLOOP_CACHE: '', XDG_CACHE_HOME: '/xdg', HOME: '/home/ada' }, '/xdg/passloop'],
  [{ XDG_CACHE_HOME: '', HOME: '/home/ada' }, '/home/ada/.cache/passloop'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/home/ada' }, '/home/ada/.cache/passloop'],
])('%j keeps environments in %s', (env, folder) => {
  expect(cacheFolder(context(env))).toBe(folder);
});

it('is never a folder that others may have filled', () => {
  expect(() => cacheFolder(context({}))).toThrow(/neither PASSLOOP_CACHE nor HOME is set/);
  expect(() => cacheFolder(context({ HOME: '' }))).toThrow(/neither/);
});
