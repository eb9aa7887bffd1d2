import { change, count, measured, plainText } from '@passloop/core';
import type { ComparisonDocument, FairnessGroup } from '@passloop/documents';
import { named } from './phrase.ts';
import { metricLabel } from './words.ts';

/** The groups behind a gate on a gap between groups: how often each model says yes in each of them. */

const words: Record<NonNullable<FairnessGroup['rate']>, string> = {
  'selection-rate': 'selected',
  'true-positive-rate': 'selected of the positive',
  'false-positive-rate': 'selected of the negative',
};

/** A phrase: what a stranger named is marked as such. */
export function groupName({ name, slice }: FairnessGroup): string {
  return `${metricLabel(name)} · ${named(`${plainText(slice.column, 56)} = ${plainText(slice.value, 56)}`)}`;
}

export function rateWords({ rate }: FairnessGroup): string {
  return rate === undefined ? '' : words[rate];
}

export function groupCells(group: FairnessGroup): {
  rows: string;
  production: string;
  candidate: string;
  change: string;
} {
  const rate = (text: string | null) => (text === null ? '–' : measured(text, 4));
  return {
    rows: count(group.rows),
    production: rate(group.production),
    candidate: rate(group.candidate),
    change: group.delta === null ? '–' : change(group.delta, 4),
  };
}

/** The groups of a comparison, each with the rate that it is about. */
export function groupsOf(comparison: ComparisonDocument | null): FairnessGroup[] {
  return (comparison?.fairness ?? []).filter(({ rate }) => rate !== undefined);
}

export function isSmall({ verdict }: FairnessGroup): boolean {
  return verdict === 'insufficient';
}

export function evidenceWords(group: FairnessGroup): string {
  const { reason } = group;
  return !isSmall(group) ? 'shown' : `insufficient evidence${reason === null ? '' : `: ${reason}`}`;
}

/** What a group that is too small says. */
export function groupSentence(group: FairnessGroup): string {
  return `Insufficient evidence for ${groupName(group)}, ${rateWords(group)}${group.reason === null ? '' : `: ${named(group.reason)}`}.`;
}

/** Too small first, then the lowest rate of the candidate. */
export function sortedGroups(groups: readonly FairnessGroup[]): FairnessGroup[] {
  const order = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);
  return [...groups].sort(
    (left, right) =>
      order(left.name, right.name) ||
      order(left.rate ?? '', right.rate ?? '') ||
      Number(isSmall(right)) - Number(isSmall(left)) ||
      Number(left.candidate ?? 0) - Number(right.candidate ?? 0),
  );
}
