import { expect, it } from 'vitest';
import { expectedAuthorization } from '../testing/object-server.ts';
import { emptyHash, encodePath, type SignedRequest, signatureV4 } from './signature-v4.ts';

// The published examples: "Signature Calculations for the Authorization Header" in the API reference of Amazon S3, and
// `get-vanilla` and `get-vanilla-query-order-key-case` of the AWS Signature Version 4 test suite.
const s3 = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};
const suite = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};
const bucket = { method: 'GET', region: 'us-east-1', service: 's3', at: new Date('2013-05-24T00:00:00Z') };
const plain = {
  method: 'GET',
  region: 'us-east-1',
  service: 'service',
  at: new Date('2015-08-30T12:36:00Z'),
  headers: {},
};
const hashed = { 'x-amz-content-sha256': emptyHash };

it.each<[string, SignedRequest, typeof s3, string]>([
  [
    'an object with a range',
    {
      ...bucket,
      url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
      headers: { ...hashed, range: 'bytes=0-9' },
    },
    s3,
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'a parameter without a value',
    { ...bucket, url: new URL('https://examplebucket.s3.amazonaws.com/?lifecycle'), headers: hashed },
    s3,
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'a listing',
    { ...bucket, url: new URL('https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J'), headers: hashed },
    s3,
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
  [
    'get-vanilla',
    { ...plain, url: new URL('https://example.amazonaws.com/') },
    suite,
    '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  ],
  [
    'get-vanilla-query-order-key-case',
    { ...plain, url: new URL('https://example.amazonaws.com/?Param2=value2&Param1=value1') },
    suite,
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
])('signs %s as published', (_name, request, keys, signature) => {
  const headers = signatureV4(request, keys);
  expect(headers.authorization).toMatch(new RegExp(`Signature=${signature}$`));

  // The test server's own calculation, which other tests rely on, is held against the same numbers.
  const { pathname, search, host } = request.url;
  const url = search.endsWith('lifecycle') ? `${pathname}${search}=` : pathname + search;
  const received = { method: 'GET', url, headers: { ...headers, host } };
  expect(expectedAuthorization(received, keys.secretAccessKey)).toBe(headers.authorization);
});

it('leaves nothing of a key that a URL would read otherwise', () => {
  expect(encodePath("a b/ü+!'()*~?#%.csv")).toBe('a%20b/%C3%BC%2B%21%27%28%29%2A~%3F%23%25.csv');
});

it('signs a session token and says it in its header', () => {
  const headers = signatureV4(
    { ...plain, url: new URL('https://example.amazonaws.com/') },
    { ...suite, sessionToken: 'abc' },
  );
  expect(headers['x-amz-security-token']).toBe('abc');
  expect(headers.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
  expect(JSON.stringify(headers)).not.toContain(suite.secretAccessKey);
});
