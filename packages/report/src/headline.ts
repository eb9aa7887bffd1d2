import { count, type Verdict } from '@passloop/core';
import type { ComparedMetric, ComparedSlice, ModelReport, ReportDocument } from '@passloop/documents';
import { named, phraseText } from './phrase.ts';
import { isSlice, metricLabel, metricSentence, sliceName } from './words.ts';

// What a person reads first, as phrases (see phrase.ts): the comment, the page and the terminal say the same.

type Measured = ComparedMetric | ComparedSlice;

const words: Record<Verdict, string> = {
  pass: 'Passed',
  warn: 'Passed with a warning',
  fail: 'Blocked',
  inconclusive: 'Inconclusive',
  pending: 'Pending',
  skipped: 'Skipped',
};

/** The verdict in one sentence, without a full stop: "Blocked: `flight-delay` is worse than production for `carrier = HA`". */
export function headline(model: ModelReport): string {
  return `${words[model.verdict]}: ${sentence(model)}`;
}

/** The headline of a whole report. */
export function reportHeadline(report: ReportDocument): string {
  const affected = affectedModels(report);
  const [only] = affected;
  if (only === undefined) {
    return report.models.length === 0
      ? `${words[report.verdict]}: the check could not be planned, see the log of its run`
      : 'Passed: no model is affected';
  }
  if (affected.length === 1) return headline(only);
  const deciding = affected.filter((model) => model.verdict === report.verdict);
  if (report.verdict === 'pass') return `${words.pass}: ${affected.length} models`;
  const names = deciding.slice(0, 3).map((model) => named(model.name));
  const more =
    deciding.length > names.length
      ? `${names.join(', ')} and ${deciding.length - names.length} more`
      : names.join(', ');
  return `${words[report.verdict]}: ${deciding.length} of ${affected.length} models (${more})`;
}

/** The affected models, what blocks first. */
export function affectedModels(report: ReportDocument): ModelReport[] {
  return report.models
    .filter((model) => model.affected)
    .sort((left, right) => verdictOrder[left.verdict] - verdictOrder[right.verdict]);
}

/** What needs a person comes first. */
export const verdictOrder: Record<Verdict, number> = {
  fail: 0,
  inconclusive: 1,
  warn: 2,
  pending: 3,
  pass: 4,
  skipped: 5,
};

/** The sentence that made the verdict, where the headline has not said it yet, and what else there is to say beside the numbers. */
export function explanation(model: ModelReport): { lead: string | null; more: string[] } {
  const compared = measurements(model);
  const gates = new Set(compared.map(metricSentence));
  // What a gate says stands in the table.
  const more = model.reasons.slice(1).filter((reason) => !gates.has(reason));
  const leading = leadingMetric(model);
  if (leading === null) {
    const best = model.verdict === 'pass' ? bestMetric(model) : null;
    if (best !== null) return { lead: `${metricSentence(best)} Every gate passes.`, more: [] };
    const lead = outcomeSentence(model, '') === null ? sentences(model).rest : reasonOf(model);
    const repeated = model.outcome === 'unchanged' || model.outcome === 'same-model';
    return { lead: repeated && model.verdict === 'pass' ? null : lead, more: model.verdict === 'pass' ? [] : more };
  }
  if (leading.verdict !== 'worse' && leading.verdict !== 'inconclusive') {
    const parts = [sentences(model).rest, besides(leading, model)].filter((part) => part !== null);
    return { lead: parts.length === 0 ? null : parts.join(' '), more };
  }
  const overall = isSlice(leading)
    ? model.comparison?.metrics.find((metric) => metric.name === leading.name)
    : undefined;
  const parts = [metricSentence(leading)];
  if (overall !== undefined && overall.gate === 'pass') parts.push(`Overall it is ${overall.verdict}.`);
  if (leading.gate === 'fail') {
    const others = compared.filter((metric) => metric.gate === 'fail' && metric !== leading);
    if (others.length > 0) parts.push(`Also failing: ${listed(others)}.`);
    else if (model.missing.every((part) => part.verdict !== 'fail')) parts.push('Nothing else blocks.');
  }
  if (leading.verdict === 'inconclusive') {
    const rows = isSlice(leading) ? leading.rows : model.comparison?.rows;
    if (leading.rowsNeeded !== null && rows !== undefined)
      parts.push(`There are ${count(rows)}${leading.seeds === undefined ? '' : ' rows'}.`);
    // Slices that are undecided warn everywhere.
    const waits = leading.gate === 'warn' && leading.severity === 'error' && !isSlice(leading);
    if (waits && model.production !== null)
      parts.push(`It warns here, and would block the promotion to ${named(model.production.environment)}.`);
  }
  return { lead: parts.join(' '), more };
}

/** What there is to say beside a bound that is broken: what else fails, or how the candidate stands where nothing else does. */
function besides(leading: Measured, model: ModelReport): string | null {
  const others = measurements(model).filter((metric) => metric !== leading);
  const failing = others.filter((metric) => metric.gate === 'fail');
  if (failing.length > 0) return `Also failing: ${listed(failing)}.`;
  const best = bestMetric(model);
  if (best === null || best === leading || others.some((metric) => metric.gate !== 'pass')) return null;
  return `${metricSentence(best)} Every other gate passes.`;
}

/** Metrics by name, slices by their number: "log loss, F1, 3 slices". */
function listed(measured: readonly Measured[]): string {
  const names = measured.filter((metric) => !isSlice(metric)).map(({ name }) => metricLabel(name));
  const slices = new Set(measured.filter(isSlice).map(sliceName)).size;
  return [
    ...names.slice(0, 3),
    ...(names.length > 3 ? [`${names.length - 3} more ${names.length === 4 ? 'metric' : 'metrics'}`] : []),
    ...(slices > 0 ? [`${slices} ${slices === 1 ? 'slice' : 'slices'}`] : []),
  ].join(', ');
}

/** Headline and explanation for a terminal, a line each. */
export function headlineText(model: ModelReport): string[] {
  const { lead, more } = explanation(model);
  return [headline(model), ...(lead === null ? [] : [lead]), ...more].map(phraseText);
}

function measurements(model: ModelReport): Measured[] {
  return [...(model.comparison?.metrics ?? []), ...(model.comparison?.slices ?? [])];
}

/** The measurement that the first reason is about. */
function leadingMetric(model: ModelReport): Measured | null {
  if (model.verdict === 'pass') return null;
  return measurements(model).find((metric) => metricSentence(metric) === model.reasons[0]) ?? null;
}

/** The measurement that recommends a candidate: the first that is better, else one that is no worse, or else the first. */
function bestMetric(model: ModelReport): ComparedMetric | null {
  if (model.comparison?.outcome !== 'compared') return null;
  const { metrics } = model.comparison;
  return (
    metrics.find((metric) => metric.verdict === 'better') ??
    metrics.find((metric) => metric.verdict === 'non-inferior') ??
    metrics.find((metric) => metric.delta !== null) ??
    null
  );
}

function sentence(model: ModelReport): string {
  const name = named(model.name);
  const leading = leadingMetric(model);
  switch (leading?.verdict) {
    case 'worse':
      return `${name} is worse than production ${placeOf(leading, model)}`;
    case 'inconclusive':
      return `${name} may be worse than allowed ${placeOf(leading, model)}: ${untold(leading)}`;
    default:
  }
  const said = outcomeSentence(model, name);
  if (said !== null) return said;
  if (model.verdict === 'pass') {
    const best = bestMetric(model);
    if (best?.verdict === 'better') return `${name} is better than production on ${metricLabel(best.name)}`;
    // Without an interval nothing is said of chance.
    if (best?.verdict === 'within') return `${name} stays within what its gates allow`;
    // A metric that has a bound alone may have fallen as far as that: nothing is said of it.
    const isBounded = ({ verdict, margin, delta }: Measured) =>
      verdict === 'within' && margin === null && delta !== null;
    if (best !== null) {
      const place = measurements(model).some(isBounded) ? ` ${placeOf(best, model)}` : '';
      return `${name} is non-inferior to production${place}`;
    }
  }
  const { first } = sentences(model);
  return first.startsWith('It ') ? `${name} ${first.slice(3)}` : `${name}: ${first}`;
}

/** What a clock measured is on no rows: more of them would tell nothing, nor do they where the seeds leave it open. */
function untold({ method, rowsNeeded, seeds }: Measured): string {
  if (method?.endsWith('side by side') === true) return 'the clock does not tell';
  return `too few ${rowsNeeded === null && (seeds?.needed ?? null) !== null ? 'seeds' : 'rows'} to tell`;
}

function reasonOf(model: ModelReport): string {
  return (model.verdict === 'pass' ? model.reasons.at(-1) : model.reasons[0]) ?? '';
}

/** A headline takes one sentence; the advice that may follow it stands below. */
function sentences(model: ModelReport): { first: string; rest: string | null } {
  const reason = reasonOf(model);
  const end = /\.\s+(?=[A-Z])/.exec(reason);
  if (end === null) return { first: reason.replace(/\.$/, ''), rest: null };
  return { first: reason.slice(0, end.index), rest: reason.slice(end.index + end[0].length) };
}

/** For an outcome that decides without metrics, where the comparison is what decided. */
function outcomeSentence(model: ModelReport, name: string): string | null {
  const { comparison } = model;
  if (comparison === null) return null;
  const decided = model.verdict === 'pass' || (comparison.reason !== null && reasonOf(model) === comparison.reason);
  if (!decided) return null;
  switch (comparison.outcome) {
    case 'unchanged':
      return `${name} is what production runs`;
    case 'same-model':
      return `${name} keeps its model; only its image differs`;
    case 'rollback':
      return `${name} returns to a model that production ran before`;
    case 'first':
      return model.verdict === 'pass' ? `${name} may be the first model in production` : null;
    case 'held':
      return `${name} is held`;
    case 'not-comparable':
      return `${name} cannot be compared with production`;
    default:
      return null;
  }
}

/** Where it is so: all places, or the first and how many more there are. */
function placeOf(leading: Measured, model: ModelReport): string {
  const alike = measurements(model).filter(
    (metric) =>
      metric.verdict === leading.verdict && metric.gate === leading.gate && isSlice(metric) === isSlice(leading),
  );
  const [preposition, noun, nameOf] = isSlice(leading)
    ? ['for', 'slice', (metric: Measured) => (isSlice(metric) ? sliceName(metric) : '')]
    : ['on', 'metric', ({ name }: Measured) => metricLabel(name)];
  const [first = '', second, ...rest] = new Set(alike.map(nameOf));
  if (second === undefined) return `${preposition} ${first}`;
  return `${preposition} ${first} and ${rest.length === 0 ? second : `${rest.length + 1} more ${noun}s`}`;
}
