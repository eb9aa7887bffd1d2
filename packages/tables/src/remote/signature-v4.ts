import { createHash, createHmac } from 'node:crypto';

export type SigningKeys = { accessKeyId: string; secretAccessKey: string; sessionToken: string | null };

export type SignedRequest = {
  method: string;
  url: URL;
  /** All of them are signed, `host` in addition. Names in lower case. */
  headers: Readonly<Record<string, string>>;
  region: string;
  service: string;
  at: Date;
};

/** `/`-separated text as RFC 3986 has it: everything but letters, digits and `-._~` by its UTF-8 bytes in capitals. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeComponent).join('/');
}

export function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The headers by which AWS Signature Version 4 signs a request without a body. The path is taken as it is encoded in the
 * URL, as S3 asks for; other services would encode it twice.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signatureV4(request: SignedRequest, keys: SigningKeys): Record<string, string> {
  const time = request.at.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const added: Record<string, string> = { 'x-amz-date': time };
  if (keys.sessionToken !== null) added['x-amz-security-token'] = keys.sessionToken;
  const signed = Object.entries({ host: request.url.host, ...request.headers, ...added })
    .map(([name, value]) => [name, value.trim().replace(/ +/g, ' ')] as const)
    .sort(byName);
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    request.headers['x-amz-content-sha256'] ?? emptyHash,
  ].join('\n');
  const scope = `${day}/${request.region}/${request.service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, request.region, request.service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${keys.secretAccessKey}`,
  );
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, text).toString('hex')}`;
  return { ...request.headers, ...added, authorization };
}

export const emptyHash = createHash('sha256').update('').digest('hex');

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => [encodeComponent(name), encodeComponent(value)] as const)
    .sort((left, right) => byName(left, right) || byName([left[1]], [right[1]]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function byName([left]: readonly [string, ...string[]], [right]: readonly [string, ...string[]]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function hmac(secret: string | Buffer, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}
