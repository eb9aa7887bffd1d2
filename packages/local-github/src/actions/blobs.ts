import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Forge } from '../forge.ts';
import type { RestAnswer } from '../serve-rest.ts';
import type { Artifact } from './state.ts';

/** The account's name in addresses of blobs; no owner of repositories has such a name. */
const ACCOUNT = '/_blob/actions-results/';
const VERSION = '2025-01-05';

/** A request of Azure's protocol for block blobs, as far as uploads and downloads of artifacts use it. */
export type BlobRequest = { operation: BlobOperation; path: string; blockId: string };
type BlobOperation = 'get-blob' | 'put-block' | 'put-block-list';

export function parseBlobRequest(method: string, url: URL): BlobRequest | undefined {
  if (!url.pathname.startsWith(ACCOUNT)) return undefined;
  const path = url.pathname.slice(ACCOUNT.length);
  const comp = url.searchParams.get('comp');
  const blockId = url.searchParams.get('blockid') ?? '';
  if (method === 'GET' || method === 'HEAD') return { operation: 'get-blob', path, blockId };
  if (method === 'PUT' && comp === 'block') return { operation: 'put-block', path, blockId };
  if (method === 'PUT' && comp === 'blocklist') return { operation: 'put-block-list', path, blockId };
  return undefined;
}

/** Where an artifact's bytes are kept, as GitHub lays them out. A blob's name says whether it is an archive. */
export function newBlobPath(plan: string, job: string, mimeType: string): string {
  const suffix = mimeType === 'application/zip' ? '.zip' : '';
  return `${plan}/workflow-job-run-${job}/artifacts/${randomUUID()}${suffix}`;
}

function signatureOf(forge: Forge, path: string, permissions: string, expiry: string): string {
  return createHmac('sha256', forge.secret).update(`${path}\n${permissions}\n${expiry}`).digest('base64');
}

/**
 * An address that allows one thing with one blob for a while, without any token: Azure's shared access signature.
 * Its host is another one than the API's, so that a client which follows a redirect leaves its token behind.
 */
export function signedBlobUrl(forge: Forge, path: string, use: 'read' | 'write', minutes: number): string {
  const url = new URL(ACCOUNT + path, forge.url.replace('127.0.0.1', 'localhost'));
  const expiry = new Date(forge.clock().getTime() + minutes * 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const permissions = use === 'read' ? 'r' : 'cw';
  url.search = new URLSearchParams({
    sv: VERSION,
    sr: 'b',
    sp: permissions,
    se: expiry,
    sig: signatureOf(forge, path, permissions, expiry),
  }).toString();
  return url.href;
}

function folderOf(forge: Forge, path: string): string {
  return join(forge.root, '.blobs', createHash('sha256').update(path).digest('hex'));
}

/** Whether anything was uploaded to a blob, and committed. */
export async function hasBlob(forge: Forge, path: string): Promise<boolean> {
  return access(join(folderOf(forge, path), 'content')).then(
    () => true,
    () => false,
  );
}

/** Stores bytes past the protocol. */
export async function writeBlob(forge: Forge, path: string, content: Buffer): Promise<void> {
  await mkdir(folderOf(forge, path), { recursive: true });
  await writeFile(join(folderOf(forge, path), 'content'), content);
}

export async function deleteBlob(forge: Forge, path: string): Promise<void> {
  await rm(folderOf(forge, path), { recursive: true, force: true });
}

function refusal(status: number, code: string, message: string): RestAnswer {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const headers = { 'Content-Type': 'application/xml', 'x-ms-error-code': code, 'x-ms-version': VERSION };
  return { status, headers, body: Buffer.from(body) };
}

/** Why an address doesn't open the blob. */
function accessProblem(forge: Forge, request: BlobRequest, url: URL, authorization: string | undefined) {
  if (authorization !== undefined) {
    const message =
      'Authentication information is not given in the correct format. Check the value of Authorization header.';
    return refusal(400, 'InvalidAuthenticationInfo', message);
  }
  const parameter = (name: string) => url.searchParams.get(name) ?? '';
  const expected = Buffer.from(signatureOf(forge, request.path, parameter('sp'), parameter('se')));
  const given = Buffer.from(parameter('sig'));
  const isSigned = expected.length === given.length && timingSafeEqual(expected, given);
  const isTimely = Date.parse(parameter('se')) > forge.clock().getTime();
  const message =
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.';
  if (!isSigned || !isTimely) return refusal(403, 'AuthenticationFailed', message);
  const isAllowed = parameter('sp').includes(request.operation === 'get-blob' ? 'r' : 'w');
  if (isAllowed) return undefined;
  return refusal(403, 'AuthorizationPermissionMismatch', 'This request is not authorized to perform this operation.');
}

function blockFile(folder: string, blockId: string): string {
  return join(folder, 'blocks', Buffer.from(blockId).toString('hex'));
}

function made(): RestAnswer {
  const headers = {
    ETag: `"0x${randomUUID().slice(0, 8)}"`,
    'x-ms-version': VERSION,
    'x-ms-request-server-encrypted': 'true',
  };
  return { status: 201, headers, body: Buffer.alloc(0) };
}

async function commitBlocks(folder: string, list: string): Promise<RestAnswer> {
  const ids = [...list.matchAll(/<(?:Latest|Uncommitted)>([^<]*)<\//g)].map((match) => match[1]!);
  const target = join(folder, 'content.new');
  await mkdir(folder, { recursive: true });
  await writeFile(target, '');
  for (const id of ids) {
    try {
      await pipeline(createReadStream(blockFile(folder, id)), createWriteStream(target, { flags: 'a' }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return refusal(400, 'InvalidBlockList', 'The specified block list is invalid.');
    }
  }
  await rename(target, join(folder, 'content'));
  await rm(join(folder, 'blocks'), { recursive: true, force: true });
  return made();
}

function contentHeaders(artifact: Artifact): Record<string, string> {
  const isZip = artifact.mimeType === 'application/zip';
  const name = isZip ? `${artifact.name}.zip` : artifact.name;
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\]/g, '_');
  return {
    'Content-Type': artifact.mimeType,
    'Content-Disposition': `${isZip ? 'attachment' : 'inline'}; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`,
  };
}

/**
 * Answers as Azure's blob storage does. It knows nothing of runs: whoever has an address may use it until it expires,
 * after the artifact was finished too.
 */
export async function serveBlob(
  forge: Forge,
  request: BlobRequest,
  exchange: { url: URL; authorization: string | undefined; body: Buffer; artifact: Artifact | undefined },
): Promise<RestAnswer> {
  const { url, authorization, body, artifact } = exchange;
  const problem = accessProblem(forge, request, url, authorization);
  if (problem !== undefined) return problem;
  const missing = refusal(404, 'BlobNotFound', 'The specified blob does not exist.');
  if (artifact === undefined) return missing;
  const folder = folderOf(forge, request.path);
  if (request.operation === 'put-block-list') return commitBlocks(folder, body.toString());
  if (request.operation === 'put-block') {
    // Azure's limit: 64 bytes, in base64
    if (!/^[A-Za-z0-9+/]{1,88}={0,2}$/.test(request.blockId) || request.blockId.length > 88) {
      return refusal(400, 'InvalidQueryParameterValue', 'Value for one of the query parameters is not valid.');
    }
    await mkdir(join(folder, 'blocks'), { recursive: true });
    await writeFile(blockFile(folder, request.blockId), body);
    return made();
  }
  try {
    const content = await readFile(join(folder, 'content'));
    return { status: 200, headers: { ...contentHeaders(artifact), 'x-ms-blob-type': 'BlockBlob' }, body: content };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return missing;
  }
}
