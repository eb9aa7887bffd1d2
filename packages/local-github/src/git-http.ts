import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { requiredChecksProblem } from './checks.ts';
import { type Forge, now, type Repository } from './forge.ts';
import { gitEnvironment } from './git.ts';
import { settlePulls } from './merge-pull.ts';
import { bindingProtection } from './refs.ts';
import { type Actor, hasPermission } from './tokens.ts';

type GitService = 'receive-pack' | 'upload-pack';
/** A request of git's smart HTTP protocol: `/<owner>/<name>.git/info/refs?service=...`, `.../git-upload-pack`. */
export type GitRequest = { owner: string; name: string; file: string; service: GitService };

export function parseGitRequest(url: URL): GitRequest | undefined {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-(upload|receive)-pack)$/.exec(url.pathname);
  if (match === null) return undefined;
  const asked = match[4] === undefined ? url.searchParams.get('service') : `git-${match[4]}-pack`;
  if (asked !== 'git-upload-pack' && asked !== 'git-receive-pack') return undefined;
  const service = asked === 'git-upload-pack' ? 'upload-pack' : 'receive-pack';
  // not decoded: no name of an owner or a repository needs that
  return { owner: match[1]!, name: match[2]!, file: match[3]!, service };
}

/** A refusal that git shows to the person who pushes or clones. */
export type GitRefusal = { status: number; message: string };

/** GitHub's answers to someone who may not read or write. */
export function gitRefusal(
  repository: Repository | undefined,
  actor: Actor,
  request: GitRequest,
): GitRefusal | undefined {
  const level = request.service === 'upload-pack' ? 'read' : 'write';
  const isReadable = repository !== undefined && hasPermission(actor, repository, 'contents', 'read');
  if (isReadable && hasPermission(actor, repository, 'contents', level)) return undefined;
  if (actor.kind === 'anonymous') return { status: 401, message: 'Authentication required.' };
  if (!isReadable) return { status: 404, message: 'Repository not found.' };
  const name = `${repository.state.owner}/${repository.state.name}`;
  return { status: 403, message: `Permission to ${name}.git denied to ${actor.login}.` };
}

const PRE_RECEIVE = `#!/bin/sh
# Refuses what the protection of a branch forbids. The server lays the rules down before it starts git, a folder a
# protected branch: empty files are switches, "checks" holds a message, "passed" the commits that it doesn't concern.
[ -n "$LOCAL_GITHUB_RULES" ] || exit 0
zero=0000000000000000000000000000000000000000
refused=0
while read -r old new ref; do
  rules="$LOCAL_GITHUB_RULES/$ref.rules"
  reason=
  if [ -f "$LOCAL_GITHUB_RULES/no-workflows" ] && [ "$new" != $zero ]; then
    base=$old
    [ "$old" != $zero ] || base=$(git rev-parse -q --verify HEAD) || base=$(git hash-object -t tree /dev/null)
    changed=$(git diff --name-only "$base" "$new" -- .github/workflows | head -n 1)
    [ -z "$changed" ] || reason="refusing to allow $(cat "$LOCAL_GITHUB_RULES/no-workflows") to create or update workflow \\\`$changed\\\` without \\\`workflows\\\` permission"
  fi
  if [ -z "$reason" ] && [ -d "$rules" ] && [ "$old" != $zero ]; then
    if [ "$new" = $zero ]; then
      [ -f "$rules/deletions" ] || reason="Cannot delete this branch"
    elif ! git merge-base --is-ancestor "$old" "$new" && [ ! -f "$rules/force-pushes" ]; then
      reason="Cannot force-push to this branch"
    elif [ -f "$rules/pull-requests" ]; then
      reason="Changes must be made through a pull request."
    elif [ -f "$rules/linear" ] && [ -n "$(git rev-list --merges -n 1 "$old..$new")" ]; then
      reason="This branch must not contain merge commits."
    elif [ -f "$rules/checks" ] && ! grep -q -x "$new" "$rules/passed"; then
      reason=$(cat "$rules/checks")
    fi
    [ -z "$reason" ] || echo "error: GH006: Protected branch update failed for $ref." >&2
  fi
  if [ -n "$reason" ]; then
    echo "error: $reason" >&2
    refused=1
  fi
done
exit $refused
`;

/** Installs the hook that every push passes. */
export async function writeHook(directory: string): Promise<void> {
  await mkdir(join(directory, 'hooks'), { recursive: true });
  await writeFile(join(directory, 'hooks', 'pre-receive'), PRE_RECEIVE, { mode: 0o755 });
}

async function layRules(forge: Forge, repository: Repository, actor: Actor): Promise<string> {
  const folder = await mkdtemp(join(forge.scratch, 'rules-'));
  const put = async (path: string, text = '') => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const isApp = actor.kind === 'installation' || actor.kind === 'job';
  if (!hasPermission(actor, repository, 'workflows', 'write')) {
    await put('no-workflows', isApp ? 'a GitHub App' : 'a Personal Access Token');
  }
  const { state } = repository;
  const reported = new Set([...state.statuses, ...state.checkRuns].map(({ sha }) => sha));
  for (const branch of Object.keys(state.protections)) {
    const protection = bindingProtection(repository, actor, branch)!;
    const rules = `refs/heads/${branch}.rules`;
    await put(`${rules}/protected`);
    if (protection.allowDeletions) await put(`${rules}/deletions`);
    if (protection.allowForcePushes) await put(`${rules}/force-pushes`);
    if (protection.requiredReviews !== null) await put(`${rules}/pull-requests`);
    if (protection.requireLinearHistory) await put(`${rules}/linear`);
    const expected = requiredChecksProblem(state, protection, '');
    if (expected === undefined) continue;
    const passed = [...reported].filter((sha) => requiredChecksProblem(state, protection, sha) === undefined);
    await put(`${rules}/checks`, expected);
    await put(`${rules}/passed`, passed.map((sha) => `${sha}\n`).join(''));
  }
  return folder;
}

function splitHeaders(output: Buffer): { status: number; headers: [string, string][]; rest: Buffer } | undefined {
  const crlf = output.indexOf('\r\n\r\n');
  if (crlf < 0) return undefined;
  const lines = output.subarray(0, crlf).toString().split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1];
  return {
    status: status === undefined ? 200 : Number.parseInt(status, 10),
    headers: headers.filter(([name]) => name.toLowerCase() !== 'status'),
    rest: output.subarray(crlf + 4),
  };
}

/**
 * Lets `git http-backend` answer. A push has brought the pull requests in line before its answer ends.
 * @param answers false: the work is done and the answer thrown away
 * @returns the status that was (or would have been) sent
 */
export async function serveGit(
  forge: Forge,
  repository: Repository,
  actor: Actor,
  request: GitRequest,
  exchange: { incoming: IncomingMessage; outgoing: ServerResponse; url: URL; answers: boolean },
): Promise<number> {
  const { incoming, outgoing, url, answers } = exchange;
  const isPush = incoming.method === 'POST' && request.service === 'receive-pack';
  if (isPush) await repository.locked(() => forge.beforeWrite(repository));
  const rules = isPush ? await layRules(forge, repository, actor) : undefined;
  const header = (name: string) => String(incoming.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    env: gitEnvironment({
      GIT_PROJECT_ROOT: dirname(repository.directory),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${repository.state.name}.git/${request.file}`,
      REQUEST_METHOD: incoming.method ?? 'GET',
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: header('content-type'),
      REMOTE_USER: actor.login,
      REMOTE_ADDR: '127.0.0.1',
      ...(header('content-length') === '' ? {} : { CONTENT_LENGTH: header('content-length') }),
      ...(header('content-encoding') === '' ? {} : { HTTP_CONTENT_ENCODING: header('content-encoding') }),
      ...(header('git-protocol') === '' ? {} : { GIT_PROTOCOL: header('git-protocol') }),
      ...(rules === undefined ? {} : { LOCAL_GITHUB_RULES: rules }),
    }),
  });
  child.stdin.on('error', () => undefined);
  incoming.pipe(child.stdin);
  const stopIfCutOff = () => {
    if (!incoming.complete) child.kill();
  };
  if (incoming.destroyed) stopIfCutOff();
  incoming.once('close', stopIfCutOff);
  outgoing.once('close', () => {
    // whoever asked is gone: git would wait for ever to be read. A push is finished all the same
    if (!isPush && !outgoing.writableFinished) child.stdout.destroy();
  });
  child.stderr.resume();
  const closed = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve());
  });

  let status = 0;
  let head = Buffer.alloc(0);
  const tail: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    if (status !== 0) {
      if (isPush) tail.push(chunk);
      else if (answers && !outgoing.write(chunk)) {
        child.stdout.pause();
        outgoing.once('drain', () => child.stdout.resume());
      }
      return;
    }
    head = Buffer.concat([head, chunk]);
    const split = splitHeaders(head);
    if (split === undefined) return;
    status = split.status;
    if (answers) {
      for (const [name, value] of split.headers) outgoing.setHeader(name, value);
      outgoing.statusCode = status;
    }
    if (isPush) tail.push(split.rest);
    else if (answers) outgoing.write(split.rest);
  });
  try {
    await closed;
    if (isPush) await followPush(forge, repository, actor);
  } finally {
    if (rules !== undefined) await rm(rules, { recursive: true, force: true });
  }
  if (!answers) return status;
  if (status === 0) outgoing.statusCode = 500;
  outgoing.end(isPush ? Buffer.concat(tail) : undefined);
  return status === 0 ? 500 : status;
}

async function followPush(forge: Forge, repository: Repository, actor: Actor): Promise<void> {
  await repository.locked(async () => {
    repository.state.pushedAt = now(forge);
    await settlePulls(forge, repository, actor);
  });
  await forge.save();
}
