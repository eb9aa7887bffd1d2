import type { PromotionDocument, RollbackDocument } from '@passloop/documents';
import { printPromotion, promotionSentence, promotionSummary, promotionVerdict } from '@passloop/report';
import type { ActionResult } from './run-action.ts';

/** What a promotion and a rollback tell alike. */
export function promotionResult(
  kind: 'promotion' | 'rollback',
  document: PromotionDocument | RollbackDocument,
): ActionResult {
  const verdict = promotionVerdict(document);
  return {
    kind,
    document,
    verdict,
    // A soak that isn't over is no failed job: the next event, or the schedule, starts it again.
    toldLater: verdict === 'pending',
    sentence: promotionSentence(document),
    text: printPromotion(document),
    summary: promotionSummary(document),
    outputs: {
      outcome: document.outcome,
      'pull-request': document.pullRequest?.url ?? null,
      merged: String(document.merged),
    },
  };
}
