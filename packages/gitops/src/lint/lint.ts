import { ConfigurationError } from '@passloop/core';
import { lintAutomation } from './automation.ts';
import type { LintFinding } from './finding.ts';
import { lintImages } from './images.ts';
import { lintIstio } from './istio.ts';
import { lintKserve } from './kserve.ts';
import { type LintFile, openLintFile } from './manifest-set.ts';
import { lintRollouts } from './rollouts.ts';
import { lintSeldonV1 } from './seldon-v1.ts';
import { lintSeldonV2 } from './seldon-v2.ts';

/** A file's text, as it is or as a change would leave it. */
export type ManifestText = { file: string; text: string };

const rules = [
  lintSeldonV1,
  lintSeldonV2,
  lintKserve,
  lintIstio,
  lintRollouts,
  lintImages,
  lintAutomation,
] satisfies readonly ((files: readonly LintFile[]) => LintFinding[])[];

/**
 * What schemas don't say: manifests that are accepted and mean something else, or that a webhook refuses after the merge. Files
 * are judged together, since a route and its subsets may lie in two. In the order of files and lines.
 */
export function lintManifests(files: readonly ManifestText[]): LintFinding[] {
  const opened: LintFile[] = [];
  const findings: LintFinding[] = [];
  for (const { file, text } of files) {
    try {
      opened.push(openLintFile(text, file));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const { message, hint, line } = error;
      findings.push({ rule: 'yaml', file, line: line ?? 1, message, hint, verdict: 'fail' });
    }
  }
  findings.push(...rules.flatMap((rule) => rule(opened)));
  const order = new Map(files.map(({ file }, index) => [file, index]));
  return findings.sort(
    (left, right) => (order.get(left.file) ?? 0) - (order.get(right.file) ?? 0) || left.line - right.line,
  );
}

/** A finding of a change: `before` is what it was already, null where the change brings it. */
export type ChangeFinding = LintFinding & { before: LintFinding['verdict'] | null };

/**
 * What a change leaves behind. What was there before is not this change's to answer for: it warns, wherever it stands now.
 */
export function lintChange(before: readonly ManifestText[], after: readonly ManifestText[]): ChangeFinding[] {
  const keyOf = ({ rule, file, message }: LintFinding) => JSON.stringify([rule, file, message]);
  const known = new Map(lintManifests(before).map((finding) => [keyOf(finding), finding.verdict]));
  return lintManifests(after).map((finding) => {
    const earlier = known.get(keyOf(finding)) ?? null;
    return { ...finding, verdict: earlier === null ? finding.verdict : 'warn', before: earlier };
  });
}

/** One line: `apps/flight/prod.yaml:12: ...`. */
export function lintLine({ file, line, message, hint }: LintFinding): string {
  return `${file}:${line}: ${message}${hint === null ? '' : ` ${hint}`}`;
}
