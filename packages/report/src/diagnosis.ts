import { plainText } from '@passloop/core';
import type { DiagnosedCheck, DiagnosisDocument } from '@passloop/documents';

const marks: Readonly<Record<DiagnosedCheck['verdict'], string>> = {
  ok: 'ok  ',
  warn: 'warn',
  fail: 'FAIL',
  unknown: '??  ',
};

/** What is fine takes a line; what isn't says so, and how to mend it. A fix that was given already isn't given again. */
export function printDiagnosis(diagnosis: DiagnosisDocument): string {
  const counted = (verdict: DiagnosedCheck['verdict']) =>
    diagnosis.checks.filter((check) => check.verdict === verdict).length;
  const parts = [
    counted('fail') === 0 ? '' : `${counted('fail')} to mend`,
    counted('warn') === 0 ? '' : `${counted('warn')} to look at`,
    counted('unknown') === 0 ? '' : `${counted('unknown')} unknown`,
    `${counted('ok')} ok`,
  ].filter((part) => part !== '');
  const where = diagnosis.repository === null ? '' : `${plainText(diagnosis.repository)}: `;
  const lines = [`${diagnosis.verdict}: ${where}${parts.join(', ')}`, ''];
  const given = new Set<string>();
  for (const check of diagnosis.checks) {
    const name = check.subject === null ? check.id : `${check.id} ${plainText(check.subject)}`;
    lines.push(`${marks[check.verdict]}  ${name}: ${plainText(check.message, 1000)}`);
    if (check.fix === null || given.has(check.fix)) continue;
    given.add(check.fix);
    for (const line of check.fix.split('\n')) lines.push(`      > ${plainLine(line)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** YAML keeps its indentation. */
function plainLine(line: string): string {
  const indentation = /^ */.exec(line)?.[0] ?? '';
  return `${indentation}${plainText(line.trim(), 1000)}`;
}
