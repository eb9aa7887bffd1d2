import { ConfigurationError, InfrastructureError, plainText } from '@passloop/core';
import { type BucketAddress, isPlainKey, requireEncryption } from './address.ts';
import { askText, type Outgoing, type Patience, type Refused, type RemoteObject } from './request.ts';
import { emptyHash, encodeComponent, encodePath, type SigningKeys, signatureV4 } from './signature-v4.ts';

/** How the buckets of one provider are reached. Whoever makes it read the credentials; nothing here sees an environment. */
export type BucketAccess = {
  /** Another server than the provider's own, with the bucket in the path; null for the provider's. */
  endpoint: string | null;
  region: string;
  credentials: { kind: 'keys'; keys: SigningKeys } | { kind: 'bearer'; token: string } | null;
};

type BucketRequests = { access: BucketAccess; now: () => Date };

/** One object of a bucket. */
export function bucketObject(address: BucketAddress, key: string, requests: BucketRequests): RemoteObject {
  const header = address.kind === 's3' ? 'x-amz-version-id' : 'x-goog-generation';
  const parameter = address.kind === 's3' ? 'versionId' : 'generation';
  const what = address.kind === 's3' ? 'version' : 'generation';
  return {
    shown: `${address.kind}://${address.bucket}/${key}`,
    request: (version) =>
      bucketRequest(
        address,
        key,
        version?.startsWith(`${what}:`) ? { [parameter]: version.slice(what.length + 1) } : {},
        requests,
      ),
    refusal: (answer) => refusal(address, key, 'read', requests.access, answer),
    versionOf(headers) {
      const value = headers[header];
      return typeof value !== 'string' || value === 'null' ? null : `${what}:${plainText(value, 200)}`;
    },
    followsRedirects: false,
  };
}

function bucketRequest(
  address: BucketAddress,
  key: string,
  query: Record<string, string>,
  { access, now }: BucketRequests,
): Outgoing {
  const url = new URL(baseOf(address, access));
  if (url.pathname === '/') url.pathname = '';
  url.pathname = `${url.pathname}/${encodePath(key)}`.replace(/^\/+/, '/');
  url.search = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeComponent(value)}`)
    .join('&');
  const { credentials, region } = access;
  if (credentials === null) return { url, headers: {} };
  if (credentials.kind === 'bearer') return { url, headers: { authorization: `Bearer ${credentials.token}` } };
  const signed = {
    method: 'GET',
    url,
    headers: { 'x-amz-content-sha256': emptyHash },
    region,
    service: 's3',
    at: now(),
  };
  return { url, headers: signatureV4(signed, credentials.keys) };
}

function baseOf({ kind, bucket }: BucketAddress, { endpoint, region }: BucketAccess): string {
  if (endpoint !== null) return `${withoutSlash(checkedEndpoint(endpoint))}/${bucket}`;
  if (kind === 'gs') return `https://storage.googleapis.com/${bucket}`;
  if (!/^[a-z0-9-]{1,40}$/.test(region)) {
    throw new ConfigurationError(`AWS_REGION is no region: ${JSON.stringify(plainText(region, 60))}.`, {
      hint: 'Write it as eu-central-1.',
    });
  }
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  // A dot in the name would make a host that the certificate does not cover.
  return /[._]/.test(bucket) ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new ConfigurationError('The endpoint of the bucket is no plain address, such as https://minio.example.org.', {
      hint: 'Mend AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL; for gs:// STORAGE_EMULATOR_HOST.',
    });
  requireEncryption(url, `${url.protocol}//${url.host}`);
  return url.href;
}

function withoutSlash(text: string): string {
  return text.replace(/\/+$/, '');
}

export type ListedObject = { key: string; below: string };

const mostObjects = 10_000;
const longestPage = 8 << 20;

/**
 * The objects of a prefix or glob that `isWanted` takes, with their paths below the prefix, sorted by bytes.
 *
 * @throws ConfigurationError for a key that is no path, more than 10,000 objects, or a listing that is refused
 */
export async function listObjects(
  address: BucketAddress,
  requests: BucketRequests,
  deadline: AbortSignal,
  patience: Patience,
  isWanted: (below: string) => boolean,
): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  let seen = 0;
  for (let token: string | null = null, pages = 0; ; pages++) {
    const query: Record<string, string> = { 'encoding-type': 'url', 'list-type': '2', prefix: address.key };
    if (token !== null) query['continuation-token'] = token;
    const page = await askText(listing(address, query, requests), deadline, patience, longestPage);
    const keys = tags(page, 'Contents').map((entry) => keyOf(entry, page));
    seen += keys.length;
    if (seen > mostObjects || pages > mostObjects) {
      throw new ConfigurationError(`${address.uri} holds more than ${mostObjects} objects.`, {
        hint: 'Name a deeper prefix.',
      });
    }
    for (const key of keys) {
      if (!key.startsWith(address.key)) throw badList(address);
      const below = key.slice(address.key.length);
      // A console makes an empty object for a folder.
      if (below === '' || below.endsWith('/') || !isWanted(below)) continue;
      if (!isPlainKey(below)) {
        throw new ConfigurationError(
          `${address.uri} holds an object whose key is no path: ${JSON.stringify(plainText(key))}.`,
          { hint: 'Rename the object, or name a deeper prefix.' },
        );
      }
      found.push({ key, below });
    }
    if (text(page, 'IsTruncated') !== 'true') break;
    const next = text(page, 'NextContinuationToken');
    if (next === null || next === token) throw badList(address);
    token = next;
  }
  return found.sort((left, right) => Buffer.compare(Buffer.from(left.below), Buffer.from(right.below)));
}

function listing(address: BucketAddress, query: Record<string, string>, requests: BucketRequests): RemoteObject {
  return {
    shown: address.uri,
    request: () => bucketRequest(address, '', query, requests),
    refusal: (answer) => refusal(address, address.key, 'list', requests.access, answer),
    versionOf: () => null,
    followsRedirects: false,
  };
}

function keyOf(entry: string, page: string): string {
  const key = text(entry, 'Key') ?? '';
  try {
    return text(page, 'EncodingType') === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
  } catch {
    throw new InfrastructureError('A bucket listed a key that is not UTF-8.');
  }
}

function badList(address: BucketAddress): InfrastructureError {
  return new InfrastructureError(`${address.uri} could not be listed: the server answered with another list.`);
}

/** The contents of an element that holds no other of its name: all that a listing and an error consist of. */
function tags(xml: string, name: string): string[] {
  const parts = xml.split(`<${name}>`).slice(1);
  return parts.map((part) => part.slice(0, Math.max(0, part.indexOf(`</${name}>`))));
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function text(xml: string, name: string): string | null {
  const [found] = tags(xml, name);
  return found === undefined
    ? null
    : found.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, decimal, hex, named) => {
        const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : null;
        if (code !== null) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
        return entities[named] ?? whole;
      });
}

function refusal(
  { kind, bucket, uri }: BucketAddress,
  key: string,
  deed: 'read' | 'list',
  access: BucketAccess,
  { status, headers, body }: Refused,
): ConfigurationError | null {
  const shown = deed === 'list' ? uri : `${kind}://${bucket}/${key}`;
  const code = plainText(text(body, 'Code') ?? '', 60);
  const region = headers['x-amz-bucket-region'] ?? text(body, 'Region');
  if (
    kind === 's3' &&
    typeof region === 'string' &&
    region !== '' &&
    region !== access.region &&
    status !== 403 &&
    status !== 404
  ) {
    return new ConfigurationError(`${shown} lies in another region.`, {
      hint: `Set AWS_REGION=${plainText(region, 40)}.`,
    });
  }
  if (status === 404) {
    const what = code === 'NoSuchBucket' ? `There is no bucket ${bucket}` : `There is nothing at ${shown}`;
    return new ConfigurationError(`${what} (404).`, { hint: 'Mend the address.' });
  }
  if (status !== 401 && status !== 403 && status !== 400) {
    return status < 300 || status > 399
      ? null
      : new ConfigurationError(`${shown} redirects elsewhere (${status}); with a bucket none is followed.`, {
          hint: 'Set AWS_REGION to the region of the bucket, or the endpoint to its server.',
        });
  }
  const said = code === '' ? String(status) : `${status} ${code}`;
  if (access.credentials === null) {
    return new ConfigurationError(`${shown} may not be read without a credential (${said}), and there is none.`, {
      hint: missingCredential[kind],
    });
  }
  return new ConfigurationError(
    `${shown} may not be ${deed === 'list' ? 'listed' : 'read'} with the credential that is set (${said}).`,
    {
      hint: /Signature|InvalidAccessKey|Expired|InvalidToken|InvalidSecurity/.test(code)
        ? `The credential itself is refused: ${credentialNames[kind]}.`
        : `It needs ${permission[kind][deed](bucket, key)}.`,
    },
  );
}

const missingCredential = {
  s3: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN where they are temporary), and AWS_REGION; in a workflow, a step such as aws-actions/configure-aws-credentials does.',
  gs: 'Set GOOGLE_OAUTH_ACCESS_TOKEN, or GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY (an HMAC key); in a workflow, a step such as google-github-actions/auth gives a token.',
};
const credentialNames = {
  s3: 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is wrong or no longer valid',
  gs: 'GOOGLE_OAUTH_ACCESS_TOKEN, or the pair of GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY, is wrong or no longer valid',
};
const permission = {
  s3: {
    read: (bucket: string, key: string) =>
      `the permission s3:GetObject on arn:aws:s3:::${bucket}/${plainText(key)} (s3:GetObjectVersion for a locked version); without s3:ListBucket on the bucket, S3 says the same of an object that isn't there`,
    list: (bucket: string) => `the permission s3:ListBucket on arn:aws:s3:::${bucket}`,
  },
  gs: {
    read: (bucket: string) => `the permission storage.objects.get on the bucket ${bucket} (roles/storage.objectViewer)`,
    list: (bucket: string) =>
      `the permission storage.objects.list on the bucket ${bucket} (roles/storage.objectViewer)`,
  },
};
