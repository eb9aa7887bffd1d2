import type { Repository } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import type { PullRequest } from '../state.ts';
import { repoPage } from '../urls.ts';
import { actorNode } from './actors.ts';
import type { Context } from './context.ts';
import { pullNode } from './pull-nodes.ts';

export function queueNode(context: Context, repository: Repository, branch: string) {
  if (!repository.state.mergeQueues.includes(branch)) return null;
  return {
    id: nodeId('MQ', repository.state.id, branch),
    url: repoPage(context.forge, repository.state, `/queue/${branch}`),
  };
}

export function queueEntryNode(context: Context, repository: Repository, pull: PullRequest) {
  const { queued } = pull;
  if (queued === null) return null;
  const line = repository.state.pulls.filter(
    (other) => other.state === 'open' && other.queued !== null && other.base.ref === pull.base.ref,
  );
  return {
    id: nodeId('MQE', repository.state.id, pull.number),
    enqueuedAt: queued.at,
    enqueuer: actorNode(context.forge, queued.by),
    position: line.indexOf(pull) + 1,
    pullRequest: () => pullNode(context, repository, pull),
    state: 'QUEUED',
  };
}
