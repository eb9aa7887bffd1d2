import { ApiError, notFound } from '../api-error.ts';
import { type Forge, type Repository, signatureOf, webSignature } from '../forge.ts';
import {
  changeTree,
  parseCommit,
  parseTree,
  type TreeEntry,
  writeBlob,
  writeCommit,
  ZERO_OID,
} from '../git-objects.ts';
import { settlePulls } from '../merge-pull.ts';
import { readCommit } from '../merging.ts';
import { branchTip, changeRefs } from '../refs.ts';
import { repoApi, repoPage } from '../urls.ts';
import { commitOrHead, created, type Operation, ok, type RepositoryCall, reads, writes } from './call.ts';
import { presentGitCommit } from './commit.ts';
import { base64Lines, isTreePath } from './git-data.ts';

const INLINE_LIMIT = 1024 * 1024;
const RAW_LIMIT = 100 * 1024 * 1024;

function kindOf(entry: TreeEntry): 'dir' | 'file' | 'submodule' | 'symlink' {
  if (entry.type === 'tree') return 'dir';
  if (entry.type === 'commit') return 'submodule';
  return entry.mode === '120000' ? 'symlink' : 'file';
}

async function presentEntry(forge: Forge, repository: Repository, ref: string, path: string, entry: TreeEntry) {
  const kind = kindOf(entry);
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const blob = entry.type === 'blob' ? await repository.objects.read(entry.oid) : undefined;
  const self = `${repoApi(forge, repository.state, `/contents/${encoded}`)}?ref=${encodeURIComponent(ref)}`;
  const folder = entry.type === 'tree' ? 'tree' : 'blob';
  const html = repoPage(forge, repository.state, `/${folder}/${encodeURIComponent(ref)}/${encoded}`);
  const git = repoApi(forge, repository.state, `/git/${folder}s/${entry.oid}`);
  const file = repoPage(forge, repository.state, `/raw/${encodeURIComponent(ref)}/${encoded}`);
  const download = entry.type === 'blob' ? file : null;
  return {
    name: path.split('/').at(-1) ?? '',
    path,
    sha: entry.oid,
    size: blob?.content.length ?? 0,
    url: self,
    html_url: entry.type === 'commit' ? null : html,
    git_url: entry.type === 'commit' ? null : git,
    download_url: download,
    type: kind,
    _links: { self, git: entry.type === 'commit' ? null : git, html: entry.type === 'commit' ? null : html },
  };
}

/** The entry at a path of a commit's tree; the root has no entry of its own. */
async function entryAt(repository: Repository, tree: string, path: string): Promise<TreeEntry | undefined> {
  let entry: TreeEntry = { mode: '040000', type: 'tree', oid: tree, name: '' };
  for (const part of path === '' ? [] : path.split('/')) {
    if (entry.type !== 'tree') return undefined;
    const object = await repository.objects.read(entry.oid);
    const next = object === undefined ? undefined : parseTree(object.content).find(({ name }) => name === part);
    if (next === undefined) return undefined;
    entry = next;
  }
  return entry;
}

async function getContent({ forge, repository, ...call }: RepositoryCall) {
  const revision = call.parameters.ref === undefined ? undefined : String(call.parameters.ref);
  const path = String(call.parameters.path ?? '').replaceAll(/^\/+|\/+$/g, '');
  const commit = await commitOrHead(repository, revision);
  const entry = await entryAt(repository, commit.tree, path);
  if (entry === undefined) throw notFound();
  const ref = revision ?? repository.state.defaultBranch;
  const isRaw = /application\/vnd\.github(\.v3)?\.raw/.test(call.accept);
  const object = await repository.objects.read(entry.oid);

  if (entry.type === 'tree') {
    const inner = object === undefined ? [] : parseTree(object.content);
    const entries = await Promise.all(
      inner.map((one) => presentEntry(forge, repository, ref, path === '' ? one.name : `${path}/${one.name}`, one)),
    );
    const isObject = /application\/vnd\.github(\.v3)?\.object/.test(call.accept);
    if (!isObject) return ok(entries.map((one) => (one.type === 'submodule' ? { ...one, type: 'file' } : one)));
    return ok({ ...(await presentEntry(forge, repository, ref, path, entry)), type: 'dir', entries });
  }
  const shown = await presentEntry(forge, repository, ref, path, entry);
  if (shown.type === 'submodule') return ok({ ...shown, submodule_git_url: null });
  const content = object!.content;
  if (content.length > RAW_LIMIT) {
    throw new ApiError(403, 'This API returns blobs up to 100 MB in size. The requested blob is too large.');
  }
  if (isRaw) return { status: 200, raw: { type: 'application/vnd.github.raw; charset=utf-8', content } };
  if (shown.type === 'symlink') return ok({ ...shown, target: content.toString() });
  const isInline = content.length <= INLINE_LIMIT;
  return ok({
    ...shown,
    content: isInline ? base64Lines(content) : '',
    encoding: isInline ? 'base64' : 'none',
  });
}

async function putContent({ forge, repository, actor, ...call }: RepositoryCall) {
  const path = String(call.parameters.path);
  const input = call.body as { message: string; content: string; sha?: string; branch?: string };
  const branch = input.branch ?? repository.state.defaultBranch;
  if (!isTreePath(path)) throw new ApiError(422, 'path contains a malformed path component');
  const tip = await branchTip(repository, branch);
  const head = tip === undefined ? undefined : await readCommit(repository.objects, tip);
  if (head === undefined && branch !== repository.state.defaultBranch) throw notFound(`Branch ${branch} not found`);
  const existing = head === undefined ? undefined : await entryAt(repository, head.tree, path);
  if (existing !== undefined && input.sha === undefined) {
    throw new ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.');
  }
  if (input.sha !== undefined && existing?.oid !== input.sha) {
    throw new ApiError(409, `${path} does not match ${input.sha}`);
  }
  const oid = await writeBlob(repository.directory, Buffer.from(input.content, 'base64'));
  const changes = new Map([[path, { mode: existing?.mode ?? '100644', type: 'blob' as const, oid }]]);
  const tree = await changeTree(repository.directory, repository.objects, head?.tree, changes);
  const sha = await writeCommit(repository.directory, {
    tree,
    parents: head === undefined ? [] : [head.oid],
    message: input.message,
    author: signatureOf(forge, actor.login),
    committer: webSignature(forge),
  });
  const update = { name: `refs/heads/${branch}`, before: head?.oid ?? ZERO_OID, after: sha, force: false };
  await changeRefs(repository, actor, [update]).catch((error: unknown) => {
    // this API says what the rules forbid with another status than the references' own
    if (!(error instanceof ApiError) || error.status !== 422) throw error;
    throw new ApiError(409, `Could not ${existing === undefined ? 'create' : 'update'} file: ${error.message}`);
  });
  await settlePulls(forge, repository, actor);
  const commit = parseCommit((await repository.objects.read(sha))!);
  const entry = (await entryAt(repository, tree, path))!;
  const body = {
    content: await presentEntry(forge, repository, branch, path, entry),
    commit: presentGitCommit(forge, repository.state, commit),
  };
  return existing === undefined ? created(body) : ok(body);
}

export const contentsOperations: Record<string, Operation> = {
  'repos/create-or-update-file-contents': writes('contents', putContent),
  'repos/get-content': reads('contents', getContent),
};
