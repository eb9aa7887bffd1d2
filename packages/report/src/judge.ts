import { count, isPassing, plainText, shortDigest, type Verdict, worstVerdict } from '@passloop/core';
import type { CheckResult, DataReport, ModelReport, Override, PolicyDifference } from '@passloop/documents';
import { environmentSentence } from './environments.ts';
import { groupSentence, groupsOf, isSmall } from './fairness-groups.ts';
import { named } from './phrase.ts';
import { driftText, metricSentence } from './words.ts';

type Parts = Omit<ModelReport, 'verdict' | 'reasons'>;

const longestReason = 4000;

/** A committed exception; `isOver`: its last day is past, `isNew`: the target branch has no such one. */
export type JudgedOverride = Override & { isOver: boolean; isNew: boolean };

const order: Record<Verdict, number> = { fail: 0, inconclusive: 1, pending: 2, warn: 3, pass: 4, skipped: 5 };

/**
 * The verdict of one model's check from its parts, with the sentences that made it, worst first.
 * Data that fails, a policy that loosens itself, a scan, a probe, a gate: each can block alone. What did not run blocks
 * with its reason, unless the outcome says that it had nothing to do (an unchanged model is not trained again).
 * @param overrides committed exceptions, matched by gate
 */
export function judgeModel(parts: Parts, overrides: readonly JudgedOverride[] = []): ModelReport {
  if (!parts.affected)
    return { ...parts, verdict: 'pass', reasons: ['Nothing that this model depends on has changed.'] };
  const findings: { verdict: Verdict; reason: string }[] = [];
  // Its gates decide promotions, not the check. Where the model's own block, nothing is promoted anyway.
  const closed =
    parts.comparison !== null && isPassing(parts.comparison.verdict) ? environmentSentence(parts.comparison) : null;
  if (closed !== null) findings.push({ verdict: 'warn', reason: closed });
  for (const difference of parts.policy.differences.filter((entry) => entry.loosens)) {
    const about = overrides.filter((override) => isAbout(override, parts.name, difference.path));
    const override = about.find(({ isOver }) => !isOver);
    findings.push(
      override === undefined
        ? {
            verdict: 'fail',
            reason: `It loosens its own policy: ${policySentence(difference)}.${notAllowed(difference.path, about, overrides, findings)}`,
          }
        : {
            verdict: 'warn',
            reason: `${policySentence(difference)}, allowed by ${named(override.file)} until ${override.until}${override.isNew ? ', which this change adds' : ''}.`,
          },
    );
  }
  const rows = parts.policy.differences.find((entry) => entry.path === 'evaluate.rows');
  if (rows !== undefined) {
    const [from, to] = [rows.from, rows.to].map((digest) => (digest === null ? 'none' : named(shortDigest(digest))));
    findings.push({
      verdict: 'warn',
      reason: `The rows that decide differ from those of ${named(parts.policy.ref ?? 'the target branch')} (${from} → ${to}): ${driftOfRows(parts.data, rows)}. Whoever reviews this should know why.`,
    });
  }
  for (const report of parts.data) findings.push(...dataFindings(report));
  if (parts.scan !== null && parts.scan.verdict !== 'pass') {
    const worst = parts.scan.files.find((file) => file.verdict === parts.scan?.verdict);
    const finding = worst?.findings[0];
    findings.push({
      verdict: 'fail',
      reason: `The model file ${named(worst?.path ?? '?')} is not safe to load: ${finding?.rule ?? parts.scan.verdict} (${named(finding?.detail ?? '')}).`,
    });
  }
  if (parts.probe !== null) {
    const failed = parts.probe.checks.filter((check) => check.verdict === 'fail' || check.verdict === 'inconclusive');
    for (const check of failed)
      findings.push({ verdict: check.verdict, reason: `The image fails ${named(check.id)}: ${named(check.detail)}.` });
    if (failed.length === 0)
      findings.push({ verdict: parts.probe.verdict, reason: 'The image answers as its signature says.' });
  }
  const comparison = parts.comparison;
  if (comparison !== null) {
    // A return to a model that was in production before shows its gates; what it returns to was accepted then. Where
    // nothing could be compared, each gate would only repeat why.
    const shown = ['rollback', 'unchanged', 'held', 'not-comparable'].includes(comparison.outcome);
    const deciding = [...comparison.metrics, ...comparison.slices].filter(
      (metric) => metric.gate !== 'pass' && metric.gate !== 'skipped',
    );
    if (!shown) {
      const before = findings.length;
      for (const metric of deciding) findings.push({ verdict: metric.gate, reason: metricSentence(metric) });
      for (const group of groupsOf(comparison).filter(isSmall))
        findings.push({ verdict: group.gate, reason: groupSentence(group) });
      if (!findings.slice(before).some((one) => order[one.verdict] <= order[comparison.verdict])) {
        findings.push({ verdict: comparison.verdict, reason: comparison.reason ?? comparisonSentence(parts) });
      }
    } else {
      findings.push({ verdict: comparison.verdict, reason: comparison.reason ?? comparisonSentence(parts) });
    }
  }
  for (const missing of parts.missing) findings.push({ verdict: missing.verdict, reason: missing.reason });
  findings.sort((left, right) => order[left.verdict] - order[right.verdict]);
  const verdict = worstVerdict(findings.map((finding) => finding.verdict));
  // What passed is worth a sentence only where nothing else has one.
  const loud = findings.filter((finding) => finding.verdict !== 'pass' && finding.verdict !== 'skipped');
  const quiet = findings.filter((finding) => finding.verdict === 'pass');
  // A part's own reason may be as long as a document allows, and the sentence adds to it.
  const said = (loud.length > 0 ? loud : quiet).map((finding) => plainText(finding.reason, longestReason));
  return {
    ...parts,
    verdict,
    reasons: said.length > 0 ? said : ['Nothing ran, and nothing that ran is nothing proven.'],
  };
}

/** Whether an exception is about a rule of a model: by the path that is shown of it, or the beginning of one. */
function isAbout({ gate, model }: Override, name: string, path: string): boolean {
  return (model ?? name) === name && (path === gate || path.startsWith(`${gate}.`));
}

/** Why no exception allows a loosening, and how one would, said once. */
function notAllowed(
  path: string,
  about: readonly JudgedOverride[],
  overrides: readonly JudgedOverride[],
  before: readonly { verdict: Verdict }[],
): string {
  const [over] = about;
  if (over !== undefined)
    return ` The override ${named(over.file)} allowed it until ${over.until}, and that day is over.`;
  if (before.some(({ verdict }) => verdict === 'fail')) return '';
  const meant = overrides.find((override) => !override.isOver && (override.isNew || isNear(override.gate, path)));
  const of = meant?.model === undefined ? '' : ` of ${named(meant.model)}`;
  const missed =
    meant === undefined
      ? ''
      : ` The override ${named(meant.file)} is about ${named(meant.gate)}${of}, and this is ${named(path)}.`;
  return `${missed} An override, \`.passloop/overrides/NAME.yaml\` with gate, reason and until, would allow it.`;
}

/** Whether somebody who wrote this name may have meant that rule. */
function isNear(gate: string, path: string): boolean {
  return path.split('.').includes(gate.split('.').at(-1) ?? '');
}

/** How the rows of the change lie beside those of the target branch, whose profile judges them. */
function driftOfRows(reports: readonly DataReport[], { to }: PolicyDifference): string {
  const report = to === null ? undefined : reports.find(({ dataset }) => dataset.digest === to);
  const drift = report?.drift.filter(({ statistic }) => statistic !== null) ?? [];
  if (drift.length === 0) return 'no profile tells how far apart the two lie';
  const drifted = drift.filter(({ verdict }) => verdict === 'warn' || verdict === 'fail');
  const columns = `${drift.length} ${drift.length === 1 ? 'column' : 'columns'}`;
  if (drifted.length === 0) return `none of ${columns} drifted from the profile`;
  const names = drifted.slice(0, 3).map(({ column }) => named(plainText(column, 56)));
  return `${drifted.length} of ${columns} drifted from the profile (${names.join(', ')}${drifted.length > 3 ? ', …' : ''})`;
}

export function policySentence(difference: PolicyDifference): string {
  const shown = (value: string) => named(/^sha256:[0-9a-f]{64}$/.test(value) ? shortDigest(value) : value);
  return `${named(difference.path)} ${difference.from === null ? 'added' : shown(difference.from)} → ${difference.to === null ? 'removed' : shown(difference.to)}`;
}

function comparisonSentence(parts: Parts): string {
  switch (parts.comparison?.outcome) {
    case 'unchanged':
      return 'The model and the image are the ones in production.';
    case 'rollback':
      return 'This model was in production before: its gates are shown, and block nothing.';
    case 'same-model':
      return 'The model is the one in production; only its image differs.';
    case 'first':
      return 'Nothing is in production yet: absolute gates decide.';
    case 'held':
      return 'This model is held.';
    case 'not-comparable':
      return 'The candidate cannot be compared with production.';
    default: {
      const found = new Set(parts.comparison?.metrics.map(({ verdict }) => verdict));
      if (found.has('better')) return 'It is better than production.';
      return found.has('non-inferior') ? 'It is non-inferior to production.' : 'It stays within what its gates allow.';
    }
  }
}

function dataFindings(report: DataReport): { verdict: Verdict; reason: string }[] {
  const findings = [
    ...report.checks
      // A drift check sums up the columns that are told below it: the same thing is not said twice.
      .filter((check) => check.kind !== 'drift' || !report.drift.some((row) => row.verdict === check.verdict))
      .filter((check) => check.verdict !== 'pass')
      .map((check) => ({ verdict: check.verdict, reason: checkSentence(report, check) })),
    ...report.drift
      .filter((drift) => drift.verdict === 'fail' || drift.verdict === 'warn')
      .map((drift) => ({
        verdict: drift.verdict,
        reason: `${driftText(drift)} (${named(report.dataset.name)}).`,
      })),
  ];
  if (findings.length === 0 || report.executed === 0) {
    findings.push({
      verdict: report.verdict,
      reason:
        report.executed === 0
          ? `No check ran on ${named(report.dataset.name)}.`
          : `All ${report.executed} checks of ${named(report.dataset.name)} pass.`,
    });
  }
  return findings;
}

/** What a check that does not hold says, as a phrase. */
export function checkSentence(report: DataReport, check: CheckResult): string {
  const where =
    check.column === null ? named(report.dataset.name) : `${named(check.column)} of ${named(report.dataset.name)}`;
  const rows = check.failingRows === null ? '' : `${count(check.failingRows)} rows of `;
  const sentence: Record<string, string> = {
    'not-null': `${rows}${where} are null`,
    range: `${rows}${where} are out of range`,
    set: `${rows}${where} are not in the set`,
    'not-in-set': `${rows}${where} have a value that is not allowed`,
    unique: `${rows}${where} are not unique`,
    'null-like': `${rows}${where} hold text that means missing`,
    finite: `${rows}${where} are NaN or infinite`,
    length: `${rows}${where} are shorter or longer than allowed`,
    outliers: `${rows}${where} lie far from the others`,
    'duplicate-rows': `${rows}${where} are there already`,
    references: `${rows}${where} refer to nothing`,
    'known-values': `${rows}${where} have a value that was not known`,
    'conflicting-labels': `${rows}${where} have the features of others and another label`,
    leakage: `${rows}${where} leak`,
  };
  const open = check.verdict === 'inconclusive' || check.verdict === 'pending';
  const what =
    check.failingRows === null || open
      ? `${named(check.id)} ${open ? 'is undecided' : 'fails'} on ${where}`
      : (sentence[check.kind] ?? `${rows}${where} fail ${named(check.id)}`);
  return `${what} (expected ${named(check.expected)}${check.observed === null ? '' : `, found ${named(check.observed)}`})${check.reason === null ? '' : `: ${named(check.reason)}`}.`;
}
