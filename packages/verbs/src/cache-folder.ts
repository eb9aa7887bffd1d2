import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import type { Context } from './context.ts';

/**
 * Where environments and wheels are kept between runs: PASSLOOP_CACHE, or the user's cache folder. What lies there is run, so
 * it is never a folder that every user of the machine may write to; an empty variable counts as none, as XDG has it.
 */
export function cacheFolder(context: Context): string {
  const { PASSLOOP_CACHE: own, XDG_CACHE_HOME: xdg, HOME: home } = context.env;
  if (own !== undefined && own !== '') return path.resolve(context.cwd, own);
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'passloop');
  if (home !== undefined && path.isAbsolute(home)) return path.join(home, '.cache/passloop');
  throw new ConfigurationError(
    'There is no place for environments and fetched tables: neither PASSLOOP_CACHE nor HOME is set.',
    {
      hint: 'Set PASSLOOP_CACHE to a folder that only you may write to.',
    },
  );
}
