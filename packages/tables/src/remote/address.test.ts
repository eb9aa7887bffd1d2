import { ConfigurationError } from '@passloop/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPlainKey, parseRemote, type RemoteAddress } from './address.ts';
import { bucketObject } from './bucket.ts';
import { encodePath } from './signature-v4.ts';

const access = { endpoint: 'http://127.0.0.1:9', region: 'eu-central-1', credentials: null };

function parsed(uri: string): RemoteAddress | null {
  try {
    return parseRemote(uri);
  } catch (error) {
    if (error instanceof ConfigurationError) return null;
    throw error;
  }
}

it('asks for each key at its own path, and at no other host', () => {
  const part = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('..', '.', '%2e%2e', '@evil', ':80', '?a=b', '#', ' ', '+'),
  );
  const keys = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(keys, (key) => {
      const address = parsed(`s3://acme-data/${key}`);
      if (address === null || address.kind === 'http') return;
      expect(address.key === '' || isPlainKey(address.key.replace(/\/$/, ''))).toBe(true);
      const { url } = bucketObject(address, address.key, { access, now: () => new Date(0) }).request(null);
      expect(url.host).toBe('127.0.0.1:9');
      expect(url.pathname).toBe(`/acme-data/${encodePath(address.key)}`);
      expect(decodeURIComponent(url.pathname)).toBe(`/acme-data/${address.key}`);
    }),
    { numRuns: 500 },
  );
});

it('refuses whatever is no address, and reaches no host that the address does not name', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (uri) => {
      const address = parsed(uri.replace(/^http:/, 'https:'));
      if (address?.kind === 'http') expect(uri).toContain(address.url.hostname.split('.').slice(-1)[0] ?? '');
    }),
  );
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('s3', 'gs', 'https', 'http', 'file', 'ftp'), (text, scheme) => {
      const address = parsed(`${scheme}://${text}`);
      if (address?.kind === 'http' && address.url.protocol === 'http:')
        expect(address.url.hostname).toMatch(/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/);
    }),
  );
});

it.each([
  ['s3://acme/a/b.csv', { key: 'a/b.csv', below: null }],
  ['s3://acme/', { key: '', below: '' }],
  ['s3://acme', { key: '', below: '' }],
  ['gs://acme/a/', { key: 'a/', below: '' }],
  ['s3://acme/a/*/b-?.csv', { key: 'a/', below: '*/b-?.csv' }],
  ['s3://acme/*.csv', { key: '', below: '*.csv' }],
])('reads %s', (uri, expected) => {
  expect(parseRemote(uri)).toMatchObject(expected);
});

it.each([
  'x-api-key',
  'apikey',
  'api_key',
  'key',
  'subscription-key',
  'Ocp-Apim-Subscription-Key',
  'private_key',
  'AWSAccessKeyId',
  'auth',
  'Authorization',
  'authkey',
  'jwt',
  'pwd',
  'passwd',
  'password',
  'sig',
  'X-Amz-Signature',
  'access_token',
])('takes no address with the parameter %s, and repeats nothing of it', (parameter) => {
  const read = () => parseRemote(`https://data.example/a.csv?${parameter}=s3cr3t`);
  expect(read).toThrow(/is given with the query parameter/);
  expect(read).not.toThrow(/s3cr3t/);
});

it.each(['version', 'download', 'keyword', 'author'])('takes one with the parameter %s', (parameter) => {
  expect(parseRemote(`https://data.example/a.csv?${parameter}=1`)).toMatchObject({ kind: 'http' });
});
