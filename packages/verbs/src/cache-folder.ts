import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context } from './context.ts';

/** Where environments and wheels are kept between runs: PASSLOOP_CACHE, or the user's cache folder. */
export function cacheFolder(context: Context): string {
  if (context.env.PASSLOOP_CACHE !== undefined) return path.resolve(context.cwd, context.env.PASSLOOP_CACHE);
  if (context.env.XDG_CACHE_HOME !== undefined) return path.join(context.env.XDG_CACHE_HOME, 'passloop');
  return context.env.HOME === undefined
    ? path.join(tmpdir(), 'passloop-cache')
    : path.join(context.env.HOME, '.cache/passloop');
}
