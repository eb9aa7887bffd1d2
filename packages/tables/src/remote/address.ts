import { ConfigurationError, isInsidePath, plainText } from '@passloop/core';

export type BucketAddress = {
  kind: 's3' | 'gs';
  uri: string;
  bucket: string;
  /** The key of one object, or what all keys begin with. */
  key: string;
  /** For several objects: the part of each key below `key` that is wanted; null for one object. */
  below: string | null;
};

/** Where a table lies that is not on this machine. `uri` is what the model file or the person wrote. */
export type RemoteAddress = { kind: 'http'; uri: string; url: URL } | BucketAddress;

const scheme = /^([a-z][a-z0-9+.-]+):\/\//i;
const globCharacters = /[*?[\]{}]/;

export function isRemote(uri: string): boolean {
  return scheme.test(uri);
}

/** @throws ConfigurationError for an address that holds a secret, names no table, or would be read without encryption */
export function parseRemote(uri: string): RemoteAddress {
  if (/[\p{Cc}]|[^\S ]/u.test(uri) || !uri.isWellFormed())
    throw wrong(uri, 'holds a control character, or what is no text');
  const [, name = ''] = scheme.exec(uri) ?? [];
  switch (name.toLowerCase()) {
    case 'https':
    case 'http':
      return { kind: 'http', uri, url: webAddress(uri) };
    case 's3':
      return bucketAddress('s3', uri);
    case 'gs':
      return bucketAddress('gs', uri);
  }
  throw wrong(uri, 'has a scheme that Passloop does not read', 'It reads https://, s3:// and gs://.');
}

/** Query parameters by which addresses are signed or tokens handed over. */
const secretParameter = /signature|^sig$|token|secret|credential|passw|^pwd$|auth(?!ors?$)|jwt|key(id)?$/i;

function webAddress(uri: string): URL {
  const url = uri.includes(' ') ? null : URL.parse(uri);
  if (url === null) throw wrong(uri, 'is no address');
  if (url.username !== '' || url.password !== '')
    throw secret(`${url.protocol}//${url.host}${url.pathname}`, 'a user name or password');
  for (const parameter of url.searchParams.keys()) {
    if (secretParameter.test(parameter))
      throw secret(
        `${url.protocol}//${url.host}${url.pathname}`,
        `the query parameter \`${plainText(parameter, 40)}\``,
      );
  }
  if (url.hash !== '') throw wrong(uri, 'has a fragment (#), which no server sees', 'Leave it out.');
  requireEncryption(url, uri);
  if (globCharacters.test(url.pathname) || /[[\]{}*]/.test(uri) || url.pathname.endsWith('/')) {
    throw wrong(uri, 'names several files, and https has no list of them', 'Name one file; or use s3:// or gs://.');
  }
  return url;
}

/** @throws ConfigurationError for http:// to another machine: whoever is between would read and change it */
export function requireEncryption(url: URL, shown: string): void {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return;
  throw wrong(
    shown,
    'is not encrypted',
    'Use https://; http:// is for servers of this machine (localhost, 127.0.0.1) only.',
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** What S3 and Google both take; it becomes a part of a host's name. */
const bucketName = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

function bucketAddress(kind: 's3' | 'gs', uri: string): BucketAddress {
  const [, bucket = '', path = ''] = /^[a-z0-9]+:\/\/([^/]*)\/?(.*)$/i.exec(uri) ?? [];
  if (!bucketName.test(bucket) || bucket.includes('..'))
    throw wrong(
      uri,
      `names no bucket: ${JSON.stringify(plainText(bucket, 80))}`,
      `Write it as ${kind}://bucket/folder/file.parquet.`,
    );
  if (path === '' || path.endsWith('/')) return { kind, uri, bucket, key: objectKey(path, uri), below: '' };
  if (!globCharacters.test(path)) return { kind, uri, bucket, key: objectKey(path, uri), below: null };
  const parts = path.split('/');
  const first = parts.findIndex((part) => globCharacters.test(part));
  const fixed = parts.slice(0, first).map((part) => `${part}/`);
  return { kind, uri, bucket, key: objectKey(fixed.join(''), uri), below: parts.slice(first).join('/') };
}

function objectKey(key: string, uri: string): string {
  if (key === '' || isPlainKey(key.replace(/\/$/, ''))) return key;
  throw wrong(uri, 'has an empty part, "." or ".." in its path');
}

/** A key that is a path on disk too, the same one. */
export function isPlainKey(key: string): boolean {
  return (
    isInsidePath(key) &&
    key.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255)
  );
}

function wrong(uri: string, what: string, hint?: string): ConfigurationError {
  return new ConfigurationError(`${plainText(uri)} ${what}.`, { hint });
}

function secret(shown: string, what: string): ConfigurationError {
  return new ConfigurationError(`${plainText(shown)} is given with ${what} in the address.`, {
    hint: 'An address is written to files, logs and documents, so that it must hold no secret. Name the object as s3://bucket/key or gs://bucket/key; credentials come from the environment.',
  });
}
