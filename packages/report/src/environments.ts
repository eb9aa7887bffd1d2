import { isPassing, type Verdict } from '@passloop/core';
import type { ComparedEnvironment, ComparedMetric, ComparedSlice, ComparisonDocument } from '@passloop/documents';
import { named } from './phrase.ts';
import { allowed, metricSentence } from './words.ts';

/** What each environment of a model says of the candidate, where any of them has gates of its own. As phrases. */

type Measured = ComparedMetric | ComparedSlice;

/** What a promotion there would come to: by its gates, and by the environment that has to take it first. */
export type EnvironmentAnswer = { environment: ComparedEnvironment; verdict: Verdict; words: string };

export function environmentAnswers(comparison: ComparisonDocument | null): EnvironmentAnswer[] {
  const environments = comparison?.environments ?? [];
  return environments.map((environment) => {
    const { verdict } = environment;
    if (verdict === 'inconclusive') return { environment, verdict, words: 'can’t tell yet' };
    if (!isPassing(verdict)) return { environment, verdict, words: 'refuses it' };
    const closed = closedBefore(environment, environments);
    if (closed !== null) return { environment, verdict: 'skipped', words: `waits for ${named(closed.name)}` };
    const later = laterWords(environment, comparison);
    return { environment, verdict: 'pass', words: later === null ? 'takes it' : `takes it; ${later}` };
  });
}

/** What a gate that blocks there has still to see; null where all of them were seen. */
function laterWords({ metrics }: ComparedEnvironment, comparison: ComparisonDocument | null): string | null {
  // What an environment doesn't say itself, the model's gates say there too.
  const itself = new Set(metrics.map(({ name }) => name));
  const ofModel = (comparison?.metrics ?? []).filter(({ name }) => !itself.has(name));
  const later = [...metrics, ...ofModel].filter(
    ({ measuredAtPromotion, severity }) => measuredAtPromotion === true && severity === 'error',
  );
  if (later.length === 0) return null;
  const isReady = ({ name }: ComparedMetric) => name === 'ready_seconds';
  const what = [
    ...(later.every(isReady) ? [] : ['its latency']),
    ...(later.some(isReady) ? ['how long it takes to start'] : []),
  ];
  return `${what.join(' and ')} ${what.length > 1 ? 'are' : 'is'} measured at the promotion`;
}

/** The nearest environment before this one that doesn't take the candidate. A document may come from a stranger: no circle is walked twice. */
function closedBefore(
  { after }: ComparedEnvironment,
  environments: readonly ComparedEnvironment[],
): ComparedEnvironment | null {
  const walked = new Set<string>();
  for (let name = after; name !== null && !walked.has(name); ) {
    walked.add(name);
    const before = environments.find((one) => one.name === name);
    if (before === undefined) return null;
    if (!isPassing(before.verdict)) return before;
    name = before.after;
  }
  return null;
}

/** Where the candidate may go and where not, and why not; null where it may go everywhere. */
export function environmentSentence(comparison: ComparisonDocument): string | null {
  const answers = environmentAnswers(comparison);
  const closed = answers.filter(({ verdict }) => verdict !== 'pass');
  if (closed.length === 0) return null;
  const open = answers.filter(({ verdict }) => verdict === 'pass');
  const where = open.length === 0 ? 'to none of its environments' : `to ${names(open)}, not to ${names(closed)}`;
  const why = closed
    .filter(({ verdict }) => verdict !== 'skipped')
    .slice(0, 3)
    .map(({ environment }) => `For ${named(environment.name)}: ${whyClosed(environment)}`);
  return [`It may be promoted ${where}.`, ...why].join(' ');
}

function names(answers: readonly EnvironmentAnswer[]): string {
  const all = answers.map(({ environment }) => named(environment.name));
  return all.length > 3 ? `${all.slice(0, 2).join(', ')} and ${all.length - 2} more` : all.join(' and ');
}

function whyClosed(environment: ComparedEnvironment): string {
  const { reason, verdict } = environment;
  const [first, ...more] = closingGates(environment);
  if (first === undefined) return reason ?? `its gates say ${verdict}.`;
  return more.length === 0
    ? metricSentence(first)
    : `${metricSentence(first).replace(/\.$/, '')}; and ${more.length} more.`;
}

/** What keeps the candidate out of an environment. */
function closingGates({ metrics, slices }: ComparedEnvironment): Measured[] {
  return [...metrics, ...slices].filter(({ gate }) => !isPassing(gate) && gate !== 'skipped');
}

/** What is measured by an environment's own gates. */
export function ownGates({ own, metrics, slices }: ComparedEnvironment): Measured[] {
  return [...metrics, ...slices].filter(({ name }) => own.includes(name));
}

/** What an own gate allows, and what of the model's it takes the place of. */
export function allowedThere(metric: Measured, comparison: ComparisonDocument): string {
  const ofModel = comparison.metrics.find(({ name }) => name === metric.name);
  if (ofModel === undefined || 'slice' in metric) return allowed(metric);
  return `${allowed(metric)} (in place of ${allowed(ofModel)})`;
}

/** With what production the gates of all were held, which a promotion is not. */
export const measuredAgainst =
  'All are measured here against production; a promotion measures them against what its own environment runs.';
