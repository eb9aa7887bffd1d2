import { codeSpan, escapeMarkdown } from '@passloop/core';
import type { PlanDocument } from '@passloop/documents';

const most = 200;

/** What a plan found, as plain text. */
export function planSentence(plan: PlanDocument): string {
  const affected = plan.models.filter((model) => model.affected).length;
  if (plan.models.length === 0) return 'No model file was found.';
  if (affected === 0) return 'No model is affected.';
  return affected === plan.models.length && affected === 1
    ? 'The model is affected.'
    : `${affected} of ${plan.models.length} models are affected.`;
}

export function planSummary(plan: PlanDocument): string {
  const rows = plan.models.slice(0, most).map((model) => {
    const stored = { hit: 'the store has its run', miss: 'is trained', unknown: '' }[model.store];
    const what = model.affected ? ['affected', stored].filter((word) => word !== '').join(', ') : 'not affected';
    return `| ${codeSpan(model.name)} | ${what} | ${escapeMarkdown(model.reason)} |`;
  });
  const more = plan.models.length > most ? [`| … and ${plan.models.length - most} more | | |`] : [];
  return [`### ${planSentence(plan)}`, '', '| model | | why |', '|---|---|---|', ...rows, ...more, ''].join('\n');
}
