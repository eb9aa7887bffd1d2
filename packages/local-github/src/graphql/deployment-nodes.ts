import type { Repository } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import type { Deployment } from '../state.ts';

export type DeploymentFilter = {
  environments?: (string | null)[] | null;
  orderBy?: { field: string; direction: string } | null;
};

/** Oldest first unless `orderBy` says otherwise; those of one second stay in the order in which they were made. */
export function filterDeployments(repository: Repository, { environments, orderBy }: DeploymentFilter): Deployment[] {
  const found = repository.state.deployments.filter(
    ({ environment }) => environments == null || environments.includes(environment),
  );
  return orderBy?.direction === 'DESC' ? found.reverse() : found;
}

export function deploymentNode(repository: Repository, deployment: Deployment) {
  const { status } = deployment;
  return {
    __typename: 'Deployment',
    id: nodeId('DE', repository.state.id, deployment.id),
    commitOid: deployment.sha,
    createdAt: deployment.createdAt,
    environment: deployment.environment,
    state: status === null ? 'PENDING' : status.state === 'success' ? 'ACTIVE' : status.state.toUpperCase(),
    latestStatus:
      status === null
        ? null
        : {
            id: nodeId('DES', repository.state.id, status.id),
            state: status.state.toUpperCase(),
            description: status.description,
            createdAt: status.createdAt,
          },
  };
}
