import type { Repository } from '../forge.ts';
import { isOid } from '../git-objects.ts';
import { parseNodeId } from '../node-id.ts';
import { pullOf } from '../pull-requests.ts';
import { readRef } from '../refs.ts';
import type { PullRequest } from '../state.ts';
import { canSee } from '../tokens.ts';
import { type Context, need, unresolved } from './context.ts';
import { objectNode, refNode } from './git-nodes.ts';
import { commentNode, pullNode } from './pull-nodes.ts';
import { labelNode, repositoryNode } from './repository-node.ts';

type Found = { repository: Repository; kind: string; parts: (number | string)[] };

function find(context: Context, id: string): Found | undefined {
  const parsed = parseNodeId(id);
  if (parsed === undefined) return undefined;
  const [repositoryId, ...parts] = parsed.parts;
  const repository = [...context.forge.repositories.values()].find(({ state }) => state.id === repositoryId);
  if (repository === undefined || !canSee(context.actor, repository)) return undefined;
  return { repository, kind: parsed.kind, parts };
}

/** @throws ApiError of type NOT_FOUND */
export function repositoryOfId(context: Context, id: string): Repository {
  const found = find(context, id);
  if (found?.kind !== 'R') throw unresolved('Repository', id);
  return found.repository;
}

/** @throws ApiError of type NOT_FOUND */
export function pullOfId(context: Context, id: string): { repository: Repository; pull: PullRequest } {
  const found = find(context, id);
  const pull = found?.kind === 'PR' ? pullOf(found.repository.state, Number(found.parts[0])) : undefined;
  if (found === undefined || pull === undefined) throw unresolved('PullRequest', id);
  return { repository: found.repository, pull };
}

/** The full name of the reference. @throws ApiError of type NOT_FOUND */
export function refOfId(context: Context, id: string): { repository: Repository; name: string } {
  const found = find(context, id);
  if (found?.kind !== 'REF') throw unresolved('Ref', id);
  return { repository: found.repository, name: String(found.parts[0]) };
}

export function commentOfId(context: Context, id: string) {
  const found = find(context, id);
  const comment = found?.repository.state.comments.find((one) => found.kind === 'IC' && one.id === found.parts[0]);
  const pull = comment === undefined ? undefined : pullOf(found!.repository.state, comment.number);
  if (found === undefined || comment === undefined || pull === undefined) throw unresolved('IssueComment', id);
  return { repository: found.repository, comment, pull };
}

export function labelOfId(context: Context, id: string) {
  const found = find(context, id);
  const label = found?.repository.state.labels.find((one) => found.kind === 'LA' && one.id === found.parts[0]);
  if (found === undefined || label === undefined) throw unresolved('Label', id);
  return { repository: found.repository, label };
}

/** Query `node`. @throws ApiError of type NOT_FOUND */
export async function nodeOfId(context: Context, id: string): Promise<object> {
  const found = find(context, id);
  if (found === undefined) throw unresolved('node', id);
  const { repository, kind, parts } = found;
  if (kind === 'R') return repositoryNode(context, repository);
  if (kind === 'PR') {
    need(context, repository, ['pull_requests'], 'read');
    return pullNode(context, repository, pullOfId(context, id).pull);
  }
  if (kind === 'LA') {
    need(context, repository, ['issues', 'pull_requests'], 'read');
    return labelNode(context, repository, labelOfId(context, id).label);
  }
  if (kind === 'IC') {
    need(context, repository, ['issues', 'pull_requests'], 'read');
    const { comment, pull } = commentOfId(context, id);
    return commentNode(context, repository, pull, comment);
  }
  need(context, repository, ['contents'], 'read');
  if (kind === 'REF') {
    const ref = await readRef(repository, String(parts[0]));
    if (ref !== undefined) return refNode(context, repository, ref);
  }
  const oid = String(parts[0]);
  const isObject = ['B', 'C', 'T', 'TAG'].includes(kind) && isOid(oid);
  const object = isObject ? await repository.objects.read(oid) : undefined;
  if (object === undefined) throw unresolved('node', id);
  return objectNode(context, repository, object);
}
