import { bound, count, digitsOf, interval, metricName, plainText, quantity, type Verdict } from '@passloop/core';
import type {
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  DriftResult,
  ReproductionLevel,
} from '@passloop/documents';
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

export function isSlice(metric: ComparedMetric | ComparedSlice): metric is ComparedSlice {
  return 'slice' in metric;
}

const partLimit = 56;

/** A metric as people call it. A document may come from a stranger: what is no metric's name is shown as a name of theirs. */
export function metricLabel(name: string): string {
  return /^[a-z][a-z0-9_]{0,63}$/.test(name) ? metricName(name) : named(name);
}

/** A slice's column and value, each cut on its own, so that a long one hides nothing of the other. */
export function sliceName({ slice }: ComparedSlice): string {
  return named(`${plainText(slice.column, partLimit)} = ${plainText(slice.value, partLimit)}`);
}

export function subject(metric: ComparedMetric | ComparedSlice): string {
  const name = metricLabel(metric.name);
  return isSlice(metric) ? `${name} · ${sliceName(metric)}` : name;
}

/** What a gate allows, in a cell: as the policy says it, not rounded. */
export function allowed(metric: ComparedMetric): string {
  return [...margin(metric), ...bounds(metric)].join(', ') || '–';
}

/** What its change may be. */
function margin(metric: ComparedMetric): string[] {
  if (metric.margin === null) return [];
  // A share of production's value has as many digits as that has.
  const size = isShare(metric)
    ? quantity(metric.name, metric.margin, digitsOf(metric))
    : bound(metric.name, metric.margin);
  return [`${metric.margin === '0' ? '0' : `${metric.direction === 'higher' ? '−' : '+'}${size}`}${share(metric)}`];
}

function isShare({ relative }: ComparedMetric): boolean {
  return relative !== undefined && relative !== null;
}

/** Of what a margin is a share. */
export function share(metric: ComparedMetric): string {
  return isShare(metric) ? ` (${Number((Number(metric.relative) * 100).toPrecision(6))} % of production)` : '';
}

/** Whether it is the value that is not allowed, and not its change. */
function breaksBounds({ candidate, min, max }: ComparedMetric): boolean {
  const value = Number(candidate);
  return (min !== null && value < Number(min)) || (max !== null && value > Number(max));
}

/** Two numbers, each from a run of its own. */
export function isUnpaired({ method }: ComparedMetric): boolean {
  return method?.startsWith('unpaired') === true;
}

function ofSizes({ method }: ComparedMetric): boolean {
  return method?.startsWith('sizes') === true;
}

/** What the value itself must be, apart from its change. */
function bounds(metric: ComparedMetric): string[] {
  return [
    ...(metric.min === null ? [] : [`≥ ${bound(metric.name, metric.min)}`]),
    ...(metric.max === null ? [] : [`≤ ${bound(metric.name, metric.max)}`]),
  ];
}

/** A side's value; of several training seeds their mean, and how far they lie apart. */
export function valueCell(metric: ComparedMetric, side: 'production' | 'candidate'): string {
  const value = quantity(metric.name, metric[side], digitsOf(metric));
  const spread = metric.seeds?.[side].standardDeviation ?? null;
  return spread === null ? value : `${value} ± ${Number(Number(spread).toPrecision(2))}`;
}

export function changeCell(metric: ComparedMetric): string {
  const digits = digitsOf(metric);
  return metric.delta === null
    ? '–'
    : `${changeWords(metric, digits)}${isUnpaired(metric) ? ' (unpaired)' : interval(metric.interval, digits)}`;
}

function changeWords({ name, delta }: ComparedMetric, digits: number): string {
  const shown = quantity(name, delta, digits);
  return Number(delta) > 0 && Number.parseFloat(shown) !== 0 ? `+${shown}` : shown;
}

/** A row's cells, of which an interval, a bound or a verdict breaks over no two lines where the table is narrow. */
export function unbroken(cells: readonly string[]): string {
  return cells.map((cell) => cell.replace(/(?<!,) (?!\()/g, '\u00a0')).join(' | ');
}

export function verdictCell(metric: ComparedMetric): string {
  return `${icons[metric.gate]} ${metric.verdict.replaceAll('-', '\u2011')}`;
}

/** Where a metric was measured, as the subject of a sentence. */
function where(metric: ComparedMetric | ComparedSlice): string {
  return isSlice(metric) ? `${metricLabel(metric.name)} on slice ${sliceName(metric)}` : metricLabel(metric.name);
}

/** A metric as a sentence: what it says of the candidate, with the numbers that say so. */
export function metricSentence(metric: ComparedMetric | ComparedSlice): string {
  const digits = digitsOf(metric);
  switch (metric.verdict) {
    case 'worse':
    case 'better':
    case 'non-inferior':
      return `${where(metric)} ${moved(metric, digits)} (${intervalWords(metric, digits)}allowed ${margin(metric)}).`;
    case 'outside':
      if (!breaksBounds(metric)) return unpaired(metric, digits);
      return `${where(metric)} is ${valueCell(metric, 'candidate')}, and must be ${bounds(metric).join(' and ')}.`;
    case 'within':
      if (metric.margin !== null && (isUnpaired(metric) || ofSizes(metric))) return unpaired(metric, digits);
      return `${where(metric)} is ${valueCell(metric, 'candidate')} (allowed ${bounds(metric).join(', ') || allowed(metric)}).`;
    case 'inconclusive':
      return `${where(metric)} cannot be decided: ${changeWords(metric, digits)} (${intervalWords(metric, digits)}allowed ${margin(metric)})${
        neededText(metric) === null ? because(metric) : `; ${neededText(metric)} would decide`
      }.`;
    case 'insufficient':
      return `${where(metric)} has too few rows to decide${metric.reason === null ? '' : `: ${metric.reason}`}.`;
    default:
      return `${where(metric)} cannot be compared${metric.reason === null ? '' : `: ${metric.reason.replace(/\.$/, '')}`}.`;
  }
}

function because({ reason }: ComparedMetric): string {
  return reason === null ? '' : `: ${reason}`;
}

/** Of two numbers there is a difference, and nothing that tells it from chance. */
function unpaired(metric: ComparedMetric | ComparedSlice, digits: number): string {
  return `${where(metric)} ${moved(metric, digits)} (${ofSizes(metric) ? '' : 'not paired, '}allowed ${margin(metric)}).`;
}

/** What would decide an undecided gate; null where no number would. */
export function neededText({ rowsNeeded, seeds }: ComparedMetric): string | null {
  const needed = seeds?.needed ?? null;
  if (rowsNeeded === null) return needed === null ? null : `${needed} seeds on the same rows`;
  return `${rowsText(rowsNeeded)}${needed === null ? '' : ` or ${needed} seeds`}`;
}

/** What the numbers are about: of one model nobody knows how others would come out of its training. */
export function claimText({ claim, production, candidate }: ComparisonDocument): string | null {
  const seeds = (side: ComparisonDocument['production']) => side?.seeds?.length ?? 1;
  const means = 'values are means over seeds ± their standard deviation';
  switch (claim) {
    case undefined:
      return null;
    case 'artifact':
      return 'Two models are compared, each trained once: another seed may come out otherwise.';
    case 'pipeline':
      return `Two ways of training are compared, by ${seeds(production)} seeds of production and ${seeds(candidate)} of the candidate: ${means}.`;
    case 'pipeline-against-artifact':
      return `The candidate's way of training, by ${seeds(candidate)} seeds, is compared with one model of production: ${means}.`;
    case 'artifact-against-pipeline':
      return `One model of the candidate is compared with production's way of training, by ${seeds(production)} seeds: ${means}.`;
  }
}

/** An estimate: more than two digits of it would pretend to know. */
function rowsText(rows: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, rows))) - 1);
  return `about ${count(Math.ceil(rows / step) * step)} rows`;
}

function moved({ name, delta }: ComparedMetric, digits: number): string {
  const value = Number(delta ?? '0');
  if (value === 0) return 'did not change';
  return `${value < 0 ? 'fell' : 'rose'} by ${quantity(name, delta, digits).replace(/^−/, '')}`;
}

function intervalWords(metric: ComparedMetric, digits: number): string {
  if (metric.interval === null) return '';
  const level = Math.round(Number(metric.level ?? '0.95') * 1000) / 10;
  return `${level} % interval${interval(metric.interval, digits).replace(/[()]/g, '')}, `;
}

/** What is held against the threshold. */
export function driftSize({ effect, statistic }: DriftResult): string | null {
  return effect ?? statistic;
}

/** Whether a drift's score is a p-value, which is small where much drifted. */
export function isPValue({ method }: DriftResult): boolean {
  return /^evidently:\w+\(score=p,/.test(method);
}

/** A column's drift in a few words: "`distance` drifted, PSI 0.12, allowed 0.1"; of a model's own columns: "label drift: `late`, PSI 0.12, allowed 0.1". */
export function driftText(result: DriftResult): string {
  const { column, role, method, effect, statistic, threshold, verdict } = result;
  const name = named(plainText(column, partLimit));
  if (verdict !== 'warn' && verdict !== 'fail') return `${name} ${verdict}`;
  if (statistic === null) return `${name} cannot be compared`;
  const isOfModel = role === 'label' || role === 'prediction';
  const drifted = isOfModel ? `${role} drift: ${name}` : `${name} drifted`;
  const size = (text: string) => String(Number(Number(text).toPrecision(3)));
  // Its score is a p-value where small ones drift, and a distance where large ones do.
  const evidently = /^evidently:(\w+)\(score=(p|distance),/.exec(method);
  if (evidently !== null) {
    const [, test, score] = evidently;
    const limit =
      score === 'p'
        ? `p ${size(statistic)}, under ${size(threshold)}`
        : `${size(statistic)}, not under ${size(threshold)}`;
    return `${drifted}, Evidently's ${test} ${limit}`;
  }
  const [short = method] = method.split('(');
  const measure = effect !== undefined && short === 'chi2' ? "Cramer's V" : short.toUpperCase();
  return `${drifted}, ${measure} ${size(effect ?? statistic)}, allowed ${size(threshold)}`;
}

/** What a drifted or quiet column is to the model, where it is more than a feature: " (label)". */
export function roleText({ role }: Pick<DriftResult, 'role'>): string {
  return role === 'label' || role === 'prediction' ? ` (${role})` : '';
}

export const reproductionWords: Record<ReproductionLevel, string> = {
  bitwise: 'reproduced bit for bit',
  functional: 'reproduced: predictions equal, model file differs',
  metric: 'reproduced: metrics equal, predictions differ',
  diverged: 'not reproduced: the metrics differ',
};
