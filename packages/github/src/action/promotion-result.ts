import type { PromotionDocument, RollbackDocument } from '@passloop/documents';
import { printPromotion, promotionSentence, promotionSummary, promotionVerdict } from '@passloop/report';
import type { ActionResult } from './run-action.ts';

/** What a promotion and a rollback tell alike. */
export function promotionResult(
  kind: 'promotion' | 'rollback',
  document: PromotionDocument | RollbackDocument,
): ActionResult {
  return {
    kind,
    document,
    verdict: promotionVerdict(document),
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
