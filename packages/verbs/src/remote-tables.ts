import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import type { FetchRemote } from '@passloop/data';
import type { BucketAccess, RemoteAccess } from '@passloop/tables';
import { cacheFolder } from './cache-folder.ts';
import type { Context } from './context.ts';

/** Without a lock and without `--max-bytes`, no table of more than this is fetched. */
const defaultMaxBytes = 10 * 2 ** 30;

/** How remote tables come here: with the credentials that the environment has, into a cache of this user. */
export function remoteTables(context: Context, maxBytes?: number): FetchRemote {
  return async (uri, locked) => {
    // Few commands meet a remote table.
    const { fetchTable } = await import('@passloop/tables/remote');
    return fetchTable(uri, remoteAccess(context, maxBytes), locked);
  };
}

function remoteAccess(context: Context, maxBytes = defaultMaxBytes): RemoteAccess {
  return {
    cache: path.join(cacheFolder(context), 'tables'),
    s3: amazon(context),
    gs: google(context),
    maxBytes,
    now: context.now,
    progress: context.progress,
  };
}

function amazon(context: Context): BucketAccess {
  const id = variable(context, 'AWS_ACCESS_KEY_ID');
  const secret = variable(context, 'AWS_SECRET_ACCESS_KEY');
  return {
    endpoint: variable(context, 'AWS_ENDPOINT_URL_S3') ?? variable(context, 'AWS_ENDPOINT_URL'),
    region: variable(context, 'AWS_REGION') ?? variable(context, 'AWS_DEFAULT_REGION') ?? 'us-east-1',
    credentials: keyPair(id, secret, variable(context, 'AWS_SESSION_TOKEN'), [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
    ]),
  };
}

/** Google takes an access token, or the keys of a service account for clients of S3 (HMAC keys). */
function google(context: Context): BucketAccess {
  const token = variable(context, 'GOOGLE_OAUTH_ACCESS_TOKEN');
  const names = ['GS_ACCESS_KEY_ID', 'GS_SECRET_ACCESS_KEY'] as const;
  const emulator = variable(context, 'STORAGE_EMULATOR_HOST');
  return {
    endpoint: emulator === null || emulator.includes('://') ? emulator : `http://${emulator}`,
    region: 'auto',
    credentials:
      token === null
        ? keyPair(variable(context, names[0]), variable(context, names[1]), null, names)
        : { kind: 'bearer', token },
  };
}

function keyPair(
  accessKeyId: string | null,
  secretAccessKey: string | null,
  sessionToken: string | null,
  [id, secret]: readonly [string, string],
): BucketAccess['credentials'] {
  if (accessKeyId === null && secretAccessKey === null) return null;
  if (accessKeyId !== null && secretAccessKey !== null)
    return { kind: 'keys', keys: { accessKeyId, secretAccessKey, sessionToken } };
  const [there, missing] = accessKeyId === null ? [secret, id] : [id, secret];
  throw new ConfigurationError(`${there} is set, but ${missing} is not.`, { hint: 'Set both, or none.' });
}

/** A variable's value; an empty one counts as none, and one that would break a header's line is refused. */
function variable(context: Context, name: string): string | null {
  const value = context.env[name];
  if (value === undefined || value === '') return null;
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new ConfigurationError(`${name} holds a space, a line break or another character that no credential has.`, {
    hint: 'Set it again, without quotes and line breaks around it.',
  });
}
