import { ApiError, notFound, unprocessable } from '../api-error.ts';
import { type Forge, type Repository, signatureOf } from '../forge.ts';
import {
  changeTree,
  EMPTY_TREE,
  type GitObject,
  isOid,
  MissingPathError,
  parseCommit,
  parseTree,
  type Signature,
  type TreeChange,
  type TreeEntry,
  typeOfMode,
  writeBlob,
  writeCommit,
  ZERO_OID,
} from '../git-objects.ts';
import { settlePulls } from '../merge-pull.ts';
import { nodeId } from '../node-id.ts';
import { changeRefs, listRefs, type Ref, readRef } from '../refs.ts';
import { repoApi } from '../urls.ts';
import {
  created,
  isRevision,
  NO_CONTENT,
  type Operation,
  ok,
  type RepositoryCall,
  reads,
  refuseEmpty,
  text,
  writes,
} from './call.ts';
import { presentGitCommit } from './commit.ts';

function presentRef(forge: Forge, repository: Repository, ref: Ref) {
  const { state } = repository;
  return {
    ref: ref.name,
    node_id: nodeId('REF', state.id, ref.name),
    url: repoApi(forge, state, `/git/${ref.name}`),
    object: { sha: ref.oid, type: ref.type, url: repoApi(forge, state, `/git/${ref.type}s/${ref.oid}`) },
  };
}

async function getRef({ forge, repository, ...call }: RepositoryCall) {
  await refuseEmpty(repository);
  const ref = await readRef(repository, `refs/${call.parameters.ref}`);
  if (ref === undefined) throw notFound();
  return ok(presentRef(forge, repository, ref));
}

async function listMatchingRefs({ forge, repository, ...call }: RepositoryCall) {
  const refs = await listRefs(repository, `refs/${call.parameters.ref}`);
  return ok(refs.map((ref) => presentRef(forge, repository, ref)));
}

async function createRef({ forge, repository, actor, body }: RepositoryCall) {
  const { ref: name, sha } = body as { ref: string; sha: string };
  if (!/^refs\/[^/]+\/./.test(name)) {
    throw unprocessable("Reference does not begin with 'refs' or does not have at least two slashes.");
  }
  await refuseEmpty(repository);
  if ((await readRef(repository, name)) !== undefined) throw unprocessable('Reference already exists');
  await changeRefs(repository, actor, [{ name, before: ZERO_OID, after: sha, force: false }]);
  await settlePulls(forge, repository, actor);
  const ref = (await readRef(repository, name))!;
  return created(presentRef(forge, repository, ref), repoApi(forge, repository.state, `/git/${name}`));
}

async function updateRef({ forge, repository, actor, body, ...call }: RepositoryCall) {
  const name = `refs/${call.parameters.ref}`;
  const { sha, force } = body as { sha: string; force?: boolean };
  await refuseEmpty(repository);
  if ((await readRef(repository, name)) === undefined) throw unprocessable('Reference does not exist');
  await changeRefs(repository, actor, [{ name, after: sha, force: force ?? false }]);
  await settlePulls(forge, repository, actor);
  return ok(presentRef(forge, repository, (await readRef(repository, name))!));
}

async function deleteRef({ forge, repository, actor, ...call }: RepositoryCall) {
  await refuseEmpty(repository);
  await changeRefs(repository, actor, [{ name: `refs/${call.parameters.ref}`, after: ZERO_OID, force: true }]);
  await settlePulls(forge, repository, actor);
  return NO_CONTENT;
}

/** The object of a full id; a name or an expression is none. */
async function readOid(repository: Repository, oid: string): Promise<GitObject | undefined> {
  return isOid(oid) ? repository.objects.read(oid) : undefined;
}

async function getCommit({ forge, repository, ...call }: RepositoryCall) {
  await refuseEmpty(repository);
  const object = await readOid(repository, text(call as RepositoryCall, 'commit_sha'));
  if (object?.type !== 'commit') throw notFound();
  return ok(presentGitCommit(forge, repository.state, parseCommit(object)));
}

type Person = { name: string; email: string; date?: string };

function signatureFrom(person: Person | undefined, standard: Signature): Signature {
  if (person === undefined) return standard;
  const seconds = person.date === undefined ? standard.seconds : Math.floor(Date.parse(person.date) / 1000);
  return { name: person.name, email: person.email, seconds, offset: '+0000' };
}

async function createCommit({ forge, repository, actor, body }: RepositoryCall) {
  const input = body as { message: string; tree: string; parents?: string[]; author?: Person; committer?: Person };
  await refuseEmpty(repository);
  if ((await readOid(repository, input.tree))?.type !== 'tree') throw unprocessable('Tree SHA does not exist');
  for (const parent of input.parents ?? []) {
    if ((await readOid(repository, parent))?.type === 'commit') continue;
    throw unprocessable('Parent SHA does not exist or is not a commit object');
  }
  const author = signatureFrom(input.author, signatureOf(forge, actor.login));
  const committer = signatureFrom(input.committer, author);
  const oid = await writeCommit(repository.directory, {
    tree: input.tree,
    parents: input.parents ?? [],
    message: input.message,
    author,
    committer,
  });
  const commit = presentGitCommit(forge, repository.state, parseCommit((await repository.objects.read(oid))!));
  return created(commit, commit.url);
}

function presentTreeEntry(forge: Forge, repository: Repository, entry: TreeEntry & { path: string; size?: number }) {
  const kind = entry.type === 'tree' ? 'trees' : 'blobs';
  return {
    path: entry.path,
    mode: entry.mode,
    type: entry.type,
    sha: entry.oid,
    ...(entry.size === undefined ? {} : { size: entry.size }),
    ...(entry.type === 'commit' ? {} : { url: repoApi(forge, repository.state, `/git/${kind}/${entry.oid}`) }),
  };
}

async function presentTree(forge: Forge, repository: Repository, oid: string, recursive: boolean) {
  const entries: (TreeEntry & { path: string; size?: number })[] = [];
  const walk = async (tree: string, prefix: string): Promise<void> => {
    const object = tree === EMPTY_TREE ? undefined : await repository.objects.read(tree);
    for (const entry of object === undefined ? [] : parseTree(object.content)) {
      const path = prefix + entry.name;
      const blob = entry.type === 'blob' ? await repository.objects.read(entry.oid) : undefined;
      entries.push({ ...entry, path, ...(blob === undefined ? {} : { size: blob.content.length }) });
      if (recursive && entry.type === 'tree') await walk(entry.oid, `${path}/`);
    }
  };
  await walk(oid, '');
  return {
    sha: oid,
    url: repoApi(forge, repository.state, `/git/trees/${oid}`),
    tree: entries.map((entry) => presentTreeEntry(forge, repository, entry)),
    truncated: false,
  };
}

async function getTree({ forge, repository, ...call }: RepositoryCall) {
  await refuseEmpty(repository);
  const revision = String(call.parameters.tree_sha);
  const object = isRevision(revision) ? await repository.objects.read(`${revision}^{tree}`) : undefined;
  if (object === undefined) throw notFound();
  return ok(await presentTree(forge, repository, object.oid, call.parameters.recursive !== undefined));
}

export function isTreePath(path: string): boolean {
  return path
    .split('/')
    .every((part) => !['', '.', '..'].includes(part) && part.toLowerCase() !== '.git' && !part.includes('\0'));
}

type TreeInput = { path?: string; mode?: string; type?: string; sha?: string | null; content?: string };

async function treeChange(repository: Repository, entry: TreeInput): Promise<TreeChange> {
  if (entry.content !== undefined && entry.sha !== undefined) {
    throw unprocessable('tree.content and tree.sha cannot both be supplied');
  }
  if (entry.content !== undefined) {
    const oid = await writeBlob(repository.directory, Buffer.from(entry.content));
    return { mode: entry.mode ?? '100644', type: 'blob', oid };
  }
  if (entry.sha === null) return null;
  if (entry.sha === undefined) throw unprocessable('Must supply either tree.sha or tree.content');
  const mode = entry.mode ?? '100644';
  const type = typeOfMode(mode);
  // a submodule's commit lies elsewhere
  const isValid = type === 'commit' ? isOid(entry.sha) : (await readOid(repository, entry.sha))?.type === type;
  if (!isValid) throw unprocessable(`tree.sha ${entry.sha} is not a valid ${type}`);
  return { mode, type, oid: entry.sha };
}

async function createTree({ forge, repository, body }: RepositoryCall) {
  const input = body as { tree: TreeInput[]; base_tree?: string };
  await refuseEmpty(repository);
  let base: string | undefined;
  if (input.base_tree !== undefined) {
    base = isOid(input.base_tree) ? (await repository.objects.read(`${input.base_tree}^{tree}`))?.oid : undefined;
    if (base === undefined) throw unprocessable('base_tree is not a valid tree oid');
  }
  const changes = new Map<string, TreeChange>();
  for (const entry of input.tree) {
    if (entry.path === undefined || !isTreePath(entry.path)) {
      throw unprocessable('tree.path contains a malformed path component');
    }
    changes.set(entry.path, await treeChange(repository, entry));
  }
  try {
    const oid = await changeTree(repository.directory, repository.objects, base, changes);
    const tree = await presentTree(forge, repository, oid, false);
    return created(tree, tree.url);
  } catch (error) {
    if (error instanceof MissingPathError) throw new ApiError(422, 'GitRPC::BadObjectState');
    throw error;
  }
}

async function getBlob({ forge, repository, ...call }: RepositoryCall) {
  await refuseEmpty(repository);
  const oid = String(call.parameters.file_sha);
  const object = await readOid(repository, oid);
  if (object?.type !== 'blob') throw notFound();
  if (/application\/vnd\.github(\.v3)?\.raw/.test(call.accept)) {
    return { status: 200, raw: { type: 'application/vnd.github.raw; charset=utf-8', content: object.content } };
  }
  return ok({
    sha: oid,
    node_id: nodeId('B', repository.state.id, oid),
    size: object.content.length,
    url: repoApi(forge, repository.state, `/git/blobs/${oid}`),
    content: base64Lines(object.content),
    encoding: 'base64',
  });
}

/** Base64 as GitHub breaks it: 60 characters a line, each line ended. */
export function base64Lines(content: Buffer): string {
  return content.toString('base64').replaceAll(/.{1,60}/g, '$&\n');
}

async function createBlob({ forge, repository, body }: RepositoryCall) {
  const { content, encoding } = body as { content: string; encoding?: string };
  await refuseEmpty(repository);
  if (encoding === 'base64' && !/^[A-Za-z0-9+/\s]*=*\s*$/.test(content)) {
    throw unprocessable('content is not valid Base64');
  }
  const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
  const sha = await writeBlob(repository.directory, bytes);
  const url = repoApi(forge, repository.state, `/git/blobs/${sha}`);
  return created({ sha, url }, url);
}

export const gitDataOperations: Record<string, Operation> = {
  'git/create-blob': writes('contents', createBlob),
  'git/create-commit': writes('contents', createCommit),
  'git/create-ref': writes('contents', createRef),
  'git/create-tree': writes('contents', createTree),
  'git/delete-ref': writes('contents', deleteRef),
  'git/get-blob': reads('contents', getBlob),
  'git/get-commit': reads('contents', getCommit),
  'git/get-ref': reads('contents', getRef),
  'git/get-tree': reads('contents', getTree),
  'git/list-matching-refs': reads('contents', listMatchingRefs),
  'git/update-ref': writes('contents', updateRef),
};
