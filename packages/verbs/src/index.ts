/**
 * The verbs. Each is loaded when it is called, so that nobody who asks for help, a key or a scan waits for what only a
 * promotion needs.
 */
export type { AbortRequest } from './abort-rollback.ts';
export type { AdoptRequest } from './adopt.ts';
export type { AssembleRequest } from './assemble-report.ts';
export type { DeployChainRequest, ModelTokens } from './chain-deploy.ts';
export type { CheckRequest, CheckResult } from './check.ts';
export type { DeployCheckRequest } from './check-deploy.ts';
export type { CompareRequest } from './compare.ts';
export type { Context } from './context.ts';
export type { DriftRequest, ValidatedDataset } from './data.ts';
export type { DatasetRequest } from './dataset-request.ts';
export type { DoctorRequest } from './doctor.ts';
export type { EditRequest, TargetFields } from './edit.ts';
export type { Explanation } from './explain.ts';
export type { HoldRequest } from './hold.ts';
export type { Initialized, InitRequest } from './init.ts';
export type { ManifestsRequest, WrittenManifests } from './manifests.ts';
export type { SealRequest } from './open-seal.ts';
export type { CheckPlan, PlanRequest } from './plan.ts';
export type { PlanJobRequest, PlannedJobs } from './plan-job.ts';
export type { PlannedPromotions, PromotionPlanRequest } from './plan-promotion.ts';
export type { ForkReportRequest, PostedForkReport } from './post-fork-report.ts';
export type { PostReportRequest } from './post-report.ts';
export type { PromoteRequest } from './promotion.ts';
export type { ProofResult, ProveRequest } from './prove.ts';
export type { ReportArtifacts, ReportedRun, ReportRunRequest } from './report-run.ts';
export type { RollbackRequest } from './rollback.ts';
export type { Sealed } from './seal-candidate.ts';
export type { StatusRequest } from './status.ts';
export type { TrainRequest } from './train.ts';
export type { TrainCandidateRequest, TrainedCandidate } from './train-candidate.ts';

export const adopt = verb(async () => (await import('./adopt.ts')).adopt);
export const chainDeploy = verb(async () => (await import('./chain-deploy.ts')).chainDeploy);
export const checkDeploy = verb(async () => (await import('./check-deploy.ts')).checkDeploy);
export const assembleReport = verb(async () => (await import('./assemble-report.ts')).assembleReport);
export const check = verb(async () => (await import('./check.ts')).check);
export const compare = verb(async () => (await import('./compare.ts')).compare);
export const dataDrift = verb(async () => (await import('./data.ts')).dataDrift);
export const dataLock = verb(async () => (await import('./data.ts')).dataLock);
export const dataSuggest = verb(async () => (await import('./data.ts')).dataSuggest);
export const dataProfile = verb(async () => (await import('./data.ts')).dataProfile);
export const dataValidate = verb(async () => (await import('./data.ts')).dataValidate);
export const doctor = verb(async () => (await import('./doctor.ts')).doctor);
export const edit = verb(async () => (await import('./edit.ts')).edit);
export const explain = verb(async () => (await import('./explain.ts')).explain);
export const hold = verb(async () => (await import('./hold.ts')).hold);
export const init = verb(async () => (await import('./init.ts')).init);
export const lintManifestFiles = verb(async () => (await import('./lint-manifests.ts')).lintManifestFiles);
export const manifests = verb(async () => (await import('./manifests.ts')).manifests);
export const modelNamed = verb(async () => (await import('./workspace.ts')).modelNamed);
export const packageBuild = verb(async () => (await import('./package.ts')).packageBuild);
export const packageModel = verb(async () => (await import('./package.ts')).packageModel);
export const packageProbe = verb(async () => (await import('./package.ts')).packageProbe);
export const packagePush = verb(async () => (await import('./package.ts')).packagePush);
export const packageScan = verb(async () => (await import('./package-scan.ts')).packageScan);
export const planCheck = verb(async () => (await import('./plan.ts')).planCheck);
export const planJob = verb(async () => (await import('./plan-job.ts')).planJob);
export const planPromotions = verb(async () => (await import('./plan-promotion.ts')).planPromotions);
export const postForkReport = verb(async () => (await import('./post-fork-report.ts')).postForkReport);
export const postReport = verb(async () => (await import('./post-report.ts')).postReport);
export const promote = verb(async () => (await import('./promote.ts')).promote);
export const prove = verb(async () => (await import('./prove.ts')).prove);
export const reportRun = verb(async () => (await import('./report-run.ts')).reportRun);
export const rollbackAborted = verb(async () => (await import('./abort-rollback.ts')).rollbackAborted);
export const rollback = verb(async () => (await import('./rollback.ts')).rollback);
export const sealCandidate = verb(async () => (await import('./seal-candidate.ts')).sealCandidate);
export const status = verb(async () => (await import('./status.ts')).status);
export const trainCandidate = verb(async () => (await import('./train-candidate.ts')).trainCandidate);
export const trainExplain = verb(async () => (await import('./train.ts')).trainExplain);
export const trainKey = verb(async () => (await import('./train.ts')).trainKey);
export const trainReproduce = verb(async () => (await import('./train.ts')).trainReproduce);
export const trainRun = verb(async () => (await import('./train.ts')).trainRunVerb);

function verb<Request extends unknown[], Answer>(
  load: () => Promise<(...request: Request) => Promise<Answer>>,
): (...request: Request) => Promise<Answer> {
  return async (...request) => (await load())(...request);
}
