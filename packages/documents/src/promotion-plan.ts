import { z } from 'zod';
import { PromotionOutcome } from './promotion.ts';
import { Commit, EnvironmentName, ModelName, RunKey, Text, Verdict } from './scalars.ts';

/** The first job that a model's promotion needs: none, all of them, the image's, or the one that writes. */
export const PromotionNeed = z.enum(['nothing', 'train', 'image', 'promote']);
export type PromotionNeed = z.infer<typeof PromotionNeed>;

export const PlannedPromotion = z.object({
  name: ModelName,
  environment: EnvironmentName,
  needs: PromotionNeed,
  /** What the promotion comes to; `pending` where jobs follow, and where nothing is needed but that another environment gets so far. */
  outcome: PromotionOutcome,
  reason: Text.nullable(),
  runKey: RunKey.nullable(),
});
export type PlannedPromotion = z.infer<typeof PlannedPromotion>;

/** What is to be done to bring the models of a commit to their next environments, before anything of it is done. */
export const PromotionPlanDocument = z.object({
  schema: z.literal('passloop/promotion-plan/v1'),
  commit: Commit,
  verdict: Verdict,
  models: z.array(PlannedPromotion),
});
export type PromotionPlanDocument = z.infer<typeof PromotionPlanDocument>;
