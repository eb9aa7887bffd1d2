export { type AdoptRequest, adopt } from './adopt.ts';
export { type CheckRequest, type CheckResult, check } from './check.ts';
export { type CompareRequest, compare } from './compare.ts';
export type { Context } from './context.ts';
export {
  type DatasetRequest,
  type DriftRequest,
  dataDrift,
  dataLock,
  dataProfile,
  dataValidate,
  type ValidatedDataset,
} from './data.ts';
export { type EditRequest, edit } from './edit.ts';
export { type Explanation, explain } from './explain.ts';
export { type HoldRequest, hold } from './hold.ts';
export { packageBuild, packageProbe, packagePush, packageScan } from './package.ts';
export { type CheckPlan, type PlanRequest, planCheck } from './plan.ts';
export { type PostReportRequest, postReport } from './post-report.ts';
export { type PromoteRequest, promote } from './promote.ts';
export { type RollbackRequest, rollback } from './rollback.ts';
export { type StatusRequest, status } from './status.ts';
export { type TrainRequest, trainExplain, trainKey, trainReproduce, trainRunVerb as trainRun } from './train.ts';
