import { count, fromDecimal, measured } from '@passloop/core';
import type { CheckResult, DataReport, DriftResult } from '@passloop/documents';
import { chartSvg } from './charts/draw.ts';
import { driftDrawing } from './charts/strips.ts';
import { badge, block, code, table, text, verdictCell } from './page-text.ts';
import { roleText } from './words.ts';

/** The checks and the drift of a dataset: what did not pass first, the rest folded. `h` is the level of its heading. */
export async function dataSection(report: DataReport, h: string): Promise<string> {
  const told = report.checks.filter((check) => check.verdict !== 'pass');
  const passed = report.checks.filter((check) => check.verdict === 'pass');
  const folded = `${count(passed.length)} ${passed.length === 1 ? 'check' : 'checks'} passed`;
  return `<${h}>Data: ${code(report.dataset.name)} ${badge(report.verdict)}</${h}>
<p class="note">${count(report.rows)} rows of ${code(report.dataset.uri)}, ${report.executed} executed, ${text(report.engine)}</p>
${told.length === 0 ? '' : checkTable(`Checks of ${report.dataset.name} that did not pass`, told)}
${passed.length === 0 ? '' : `<details><summary>${folded}</summary>${checkTable(`Checks of ${report.dataset.name} that passed`, passed)}</details>`}
${await driftDetails(report)}`;
}

function checkTable(label: string, checks: readonly CheckResult[]): string {
  const rows = checks.map((check) => {
    const sql =
      check.verdict === 'pass' || check.sql === null
        ? ''
        : `<details><summary>SQL that shows it</summary>${block(check.sql)}</details>`;
    return `<tr><th scope="row">${code(check.id)}</th>${verdictCell(check.verdict, check.verdict, check.reason)}<td>${text(check.expected)}</td><td>${text(check.observed ?? '–')}${sql}</td><td class="n">${
      check.failingRows === null ? '–' : count(check.failingRows)
    }</td></tr>`;
  });
  return table(label, ['check', 'verdict', 'expected', 'found', { number: 'failing rows' }], rows);
}

async function driftDetails(report: DataReport): Promise<string> {
  if (report.drift.length === 0) return '';
  const shifted = report.drift.filter((one) => one.verdict !== 'pass').length;
  const columns = report.drift.length === 1 ? '1 column' : `${report.drift.length} columns`;
  const pictures = await Promise.all(report.drift.map(driftPicture));
  const rows = report.drift.map(
    (one, i) =>
      `<tr><th scope="row">${code(one.column)}${roleText(one)}</th>${verdictCell(one.verdict, one.verdict, one.reason)}<td class="${one.verdict}">${pictures[i]}</td><td>${text(one.method)}</td><td class="n">${measured(one.statistic)}</td><td class="n">${measured(one.threshold)}</td><td class="n">${
        one.pValue === null ? '–' : measured(one.pValue)
      }</td><td class="n">${count(one.n.reference)} / ${count(one.n.current)}</td></tr>`,
  );
  const heads = [
    'column',
    'verdict',
    'against the threshold',
    'method',
    { number: 'statistic' },
    { number: 'threshold' },
    { number: 'p' },
    { number: 'n reference / current' },
  ];
  return `<details${shifted > 0 ? ' open' : ''}><summary>Drift: ${shifted} of ${columns}</summary>${table(`Drift of ${report.dataset.name}`, heads, rows)}</details>`;
}

/** The table beside it has both numbers. */
async function driftPicture({ statistic, threshold }: DriftResult): Promise<string> {
  const allowed = fromDecimal(threshold);
  return statistic === null || !(allowed > 0)
    ? ''
    : await chartSvg(driftDrawing(fromDecimal(statistic), allowed), null, 'strip');
}
