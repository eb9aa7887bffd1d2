import { octokitForge } from '@passloop/github';
import {
  type AdoptRequest,
  adopt,
  type DeployQuery,
  type HoldRequest,
  hold,
  type MergePolicy,
  type PromotionRequest,
  promote,
  type RetryPorts,
  type RollbackRequest,
  rollback,
} from '@passloop/gitops';

/** A change of a deploy repository as data: what another process is told to do. */
export type DeployJob = { query: DeployQuery; merge: MergePolicy } & (
  | { act: 'promote'; request: PromotionRequest; order?: readonly string[] }
  | { act: 'rollback'; request: RollbackRequest }
  | { act: 'hold'; request: HoldRequest }
  | { act: 'adopt'; request: AdoptRequest }
);

export type JobPlace = { repository: string; token: string; baseUrl: string; timeoutMs?: number; maxWaitMs?: number };

export type JobResult = { outcome: string; reason: string | null; commit: string | null; merged: boolean };

/** A run at a later time: what an earlier one began keeps its own. */
export function jobAt(job: DeployJob, at: string): DeployJob {
  return { ...job, request: { ...job.request, at } } as DeployJob;
}

/** Does a job as the verbs do it: through the forge port, over HTTP. */
export async function performJob(job: DeployJob, place: JobPlace, ports: RetryPorts): Promise<JobResult> {
  const forge = octokitForge({ ...place, sleep: ports.sleep });
  const options = { merge: job.merge, ports };
  switch (job.act) {
    case 'promote':
      return promote(forge, job.query, job.request, { ...options, ...newerBy(job.order, job.request) });
    case 'rollback':
      return rollback(forge, job.query, job.request, { ...options, hasImage: async () => true });
    case 'hold':
      return hold(forge, job.query, job.request, options);
    case 'adopt':
      return adopt(forge, job.query, job.request, options);
  }
}

/** Order as the model repository's history tells it. @param order commits, oldest first */
function newerBy(order: readonly string[] | undefined, { candidate }: PromotionRequest) {
  if (order === undefined) return {};
  const own = order.indexOf(candidate.source?.commit ?? '');
  return { isNewer: async ({ commit }: { commit: string }) => order.indexOf(commit) > own };
}
