export {
  type ArtifactLimits,
  candidateLimits,
  documentLimits,
} from '../artifact-archive.ts';
export { type RunArtifacts, runArtifacts } from './artifacts.ts';
export { type CheckEvent, readCheckEvent } from './check-event.ts';
export { provideDuckdb } from './duckdb.ts';
export {
  documentText,
  flag,
  flagOn,
  lines,
  list,
  optionalText,
  readInputs,
  repositoryInputs,
  requiredLines,
  requiredList,
  requiredText,
  wholeNumber,
} from './inputs.ts';
export { promotionResult } from './promotion-result.ts';
export { recipientText } from './recipient-text.ts';
export {
  appSecrets,
  deployRead,
  deploySecrets,
  deployWrite,
  healthSecrets,
  type RepositoryTokens,
  repositoryTokens,
} from './repository-tokens.ts';
export { type ActionContext, type ActionOptions, type ActionResult, runAction } from './run-action.ts';
export type { Annotation, Runner } from './runner.ts';
