import { change, digitsOf, interval, measured, metricName, unitOf, type Verdict } from '@passloop/core';
import type { ComparedMetric, ComparedSlice } from '@passloop/documents';
import { named } from './phrase.ts';

/** An icon never stands alone: the word beside it says the same to who cannot see it. */
export const icons: Record<Verdict, string> = {
  pass: '✅',
  warn: '⚠️',
  fail: '❌',
  inconclusive: '❔',
  pending: '⏳',
  skipped: '➖',
};

/** The same for a page that can't count on a font with emoji. */
export const signs: Record<Verdict, string> = {
  pass: '✓',
  warn: '!',
  fail: '✕',
  inconclusive: '?',
  pending: '…',
  skipped: '–',
};

function isSlice(metric: ComparedMetric | ComparedSlice): metric is ComparedSlice {
  return 'slice' in metric;
}

export function subject(metric: ComparedMetric | ComparedSlice): string {
  const name = metricName(metric.name);
  return isSlice(metric) ? `${name} · ${named(metric.slice.column)} = ${named(metric.slice.value)}` : name;
}

/** What a gate allows, in a cell: as the policy says it, not rounded. */
export function allowed(metric: ComparedMetric): string {
  const parts: string[] = [];
  if (metric.margin !== null)
    parts.push(metric.margin === '0' ? '0' : `${metric.direction === 'higher' ? '−' : '+'}${metric.margin}`);
  if (metric.min !== null) parts.push(`≥ ${metric.min.replace('-', '−')}`);
  if (metric.max !== null) parts.push(`≤ ${metric.max.replace('-', '−')}${unitOf(metric.name)}`);
  return parts.join(', ') || '–';
}

export function changeCell(metric: ComparedMetric): string {
  const digits = digitsOf(metric);
  return metric.delta === null
    ? '–'
    : `${change(metric.delta, digits)}${unitOf(metric.name)}${interval(metric.interval, digits)}`;
}

export function verdictCell(metric: ComparedMetric): string {
  return `${icons[metric.gate]} ${metric.verdict.replaceAll('-', '‑')}`;
}

/** A deciding metric as a sentence. */
export function metricSentence(metric: ComparedMetric | ComparedSlice): string {
  const digits = digitsOf(metric);
  const where = isSlice(metric)
    ? `${metricName(metric.name)} on slice ${named(metric.slice.column)} = ${named(metric.slice.value)}`
    : metricName(metric.name);
  switch (metric.verdict) {
    case 'worse':
      return `${where} is worse than production: ${change(metric.delta, digits)}${percentInterval(metric, digits)}, allowed ${allowed(metric)}.`;
    case 'outside':
      return `${where} is ${measured(metric.candidate, digits)}${unitOf(metric.name)}, allowed ${allowed(metric)}.`;
    case 'inconclusive':
      return `${where} cannot be decided: ${change(metric.delta, digits)}${percentInterval(metric, digits)}, allowed ${allowed(metric)}${
        metric.rowsNeeded === null ? '' : `; about ${metric.rowsNeeded.toLocaleString('en-US')} rows would decide`
      }.`;
    default:
      return `${where} is ${metric.verdict}${metric.reason === null ? '' : `: ${metric.reason}`}.`;
  }
}

function percentInterval(metric: ComparedMetric, digits: number): string {
  if (metric.interval === null) return '';
  return ` (${Number(metric.level ?? '0.95') * 100} % interval ${measured(metric.interval[0], digits)} … ${measured(metric.interval[1], digits)})`;
}
