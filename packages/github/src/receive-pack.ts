import { createHash } from 'node:crypto';
import { ConfigurationError, InfrastructureError, plainText } from '@passloop/core';
import { StaleError } from '@passloop/gitops';

export type RefMove = {
  /** `https://github.example.com/acme/deploy.git`. */
  url: string;
  token: string;
  branch: string;
  /** What the branch must be now; null: it must not exist. */
  before: string | null;
  /** A commit that the server has. */
  after: string;
  timeoutMs: number;
};

/**
 * Moves a branch as `git push` does, on the wire (gitprotocol-pack): one command `<old> <new> <ref>` and an empty pack, since
 * the server has the objects. It compares the old id under its lock, so this is the compare-and-swap that every git server has.
 * @throws StaleError where the branch is not at `before`
 */
export async function moveByReceivePack(move: RefMove): Promise<void> {
  const { url, token, branch, before, after } = move;
  const zeros = '0'.repeat(after.length);
  const command = `${before ?? zeros} ${after} refs/heads/${branch}\0 report-status agent=passloop`;
  const pack = emptyPack(after.length === 64 ? 'sha256' : 'sha1');
  const response = await send(`${url}/git-receive-pack`, {
    method: 'POST',
    redirect: 'error',
    headers: {
      Authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
      'Content-Type': 'application/x-git-receive-pack-request',
      Accept: 'application/x-git-receive-pack-result',
    },
    body: Buffer.concat([Buffer.from(`${packetLine(command)}0000`), pack]),
    signal: AbortSignal.timeout(move.timeoutMs),
  });
  if (response.status !== 200) throw refusedWith(response.status, url, await response.text());
  judge(linesOf(Buffer.from(await response.arrayBuffer()).toString('utf8')), branch, url);
}

async function send(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw new InfrastructureError(`${url} can't be reached: ${plainText(String(error))}.`, {
      hint: 'Run it again: what was done is found again.',
      cause: error,
    });
  }
}

function packetLine(text: string): string {
  return `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
}

/** "PACK", version 2, no objects, and the digest of that. */
function emptyPack(hash: 'sha1' | 'sha256'): Buffer {
  const head = Buffer.from('5041434b0000000200000000', 'hex');
  return Buffer.concat([head, createHash(hash).update(head).digest()]);
}

function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 4 <= text.length; ) {
    const length = Number.parseInt(text.slice(at, at + 4), 16);
    if (!Number.isInteger(length) || length < 4) break;
    lines.push(text.slice(at + 4, at + length).trimEnd());
    at += length;
  }
  return lines;
}

function judge(lines: readonly string[], branch: string, url: string): void {
  if (lines.includes(`ok refs/heads/${branch}`)) return;
  const refused = lines.find((line) => line.startsWith('ng '))?.slice(`ng refs/heads/${branch} `.length);
  const unpacked = lines.find((line) => line.startsWith('unpack '));
  const said = plainText(refused ?? unpacked ?? 'no report of the push', 300);
  if (refused === undefined) throw new InfrastructureError(`${url} did not move ${branch}: ${said}.`);
  if (/failed to update ref|incorrect old value|cannot lock|reference already exists|stale|fetch first/i.test(said)) {
    throw new StaleError(`${branch} is not where it was: ${said}`);
  }
  throw new ConfigurationError(`${url} refuses to move ${branch}: ${said}.`, {
    hint: 'A rule of the repository, or a hook of the server, keeps this token from pushing that branch.',
  });
}

function refusedWith(status: number, url: string, text: string): Error {
  const said = plainText(text.replace(/<[^>]*>/g, ' '), 200);
  if (status === 401 || status === 403 || status === 404) {
    return new ConfigurationError(`The token lacks \`contents: write\` for git on ${url} (${status}: ${said}).`, {
      hint: 'This server moves branches by git over HTTP, which the token must be allowed to use.',
    });
  }
  return new InfrastructureError(`${url} answered ${status} to a push: ${said}.`);
}
