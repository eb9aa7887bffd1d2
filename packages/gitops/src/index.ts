export { type AbortEvent, parseAbortEvent } from './abort-event.ts';
export { type Aborted, findAborted } from './aborted-promotion.ts';
export * from './adopt.ts';
export { isStuck, type MergePolicy, type Refusal, type RetryPorts } from './apply-change.ts';
export * from './commit-message.ts';
export * from './decision.ts';
export { type ChainedModel, type ChainPlan, chainedModels } from './deploy-chain.ts';
export type { DeployChange } from './deploy-change.ts';
export { checkDeployChange, type DeployJudgement, type NamedImage } from './deploy-check.ts';
export * from './deploy-state.ts';
export { type DeployDiff, type DeployTree, recordedFiles, recordPlaces } from './deploy-tree.ts';
export * from './edits.ts';
export * from './forge.ts';
export {
  type CommitReport,
  type CommitReports,
  type DeploymentReport,
  type Health,
  type HealthPorts,
  type HealthRequest,
  healthOf,
  healthPermissions,
  type Observation,
  observe,
} from './health.ts';
export type { HttpAnswer } from './health-answers.ts';
export * from './hold.ts';
export * from './holds.ts';
export * from './kustomization.ts';
export { type BranchCommit, type Landing, landingOf } from './landing.ts';
export type { LintFinding } from './lint/finding.ts';
export { lintLine, lintManifests, type ManifestText } from './lint/lint.ts';
export {
  environmentsText,
  type GraphManifests,
  graphManifests,
} from './manifests/graph-manifests.ts';
export { imageInterface } from './manifests/serving-pod.ts';
export { type Opened, openedAs } from './opened.ts';
export * from './paths.ts';
export { precedenceProblem } from './precedence.ts';
export { type PromotionOptions, promote } from './promote.ts';
export { openPromotion, type PromotionPlan, type PromotionRequest, planPromotion } from './promotion.ts';
export { planDocument, refusalDocument } from './promotion-document.ts';
export type { DataEvidence, PromotionEvidence } from './pull-request-text.ts';
export { openRecord } from './record-change.ts';
export * from './record-history.ts';
export { type RefusedPromotion, refusalReason } from './refused-promotion.ts';
export { imageGone, plannedRollback, prepareRollback, type RollbackOptions, rollback } from './rollback.ts';
export {
  type GroupMember,
  groupDocument,
  groupRequest,
  planTogether,
  rollbackTogether,
} from './rollback-group.ts';
export { planRollback, type RollbackPlan, type RollbackRequest } from './rollback-plan.ts';
export type { RollbackTarget } from './rollback-target.ts';
export { type SignatureChange, signatureChange } from './signature-change.ts';
export * from './status.ts';
export type { Carried, TargetImage } from './target-kind.ts';
export * from './targets.ts';
export { type Withdrawal, withdraw, withdrawals } from './withdrawal.ts';
export { isPlainString, scalarText } from './yaml-edit.ts';
