import { count, fromDecimal, measured } from '@passloop/core';
import type { CheckResult, DataReport, DriftResult } from '@passloop/documents';
import { chartSvg } from './charts/draw.ts';
import { driftDrawing } from './charts/strips.ts';
import { driftFigures } from './drift-figures.ts';
import { badge, block, code, table, text, verdictCell } from './page-text.ts';
import { driftSize, isPValue, roleText } from './words.ts';

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
  // A column may be measured in several ways, and some are told that can't be.
  const measuredOnes = report.drift.filter((one) => one.statistic !== null && one.verdict !== 'inconclusive');
  const columns = new Set(measuredOnes.map((one) => one.column)).size;
  const drifted = new Set(measuredOnes.flatMap((one) => (one.verdict === 'pass' ? [] : [one.column]))).size;
  const told = report.drift.some((one) => one.verdict !== 'pass' && one.verdict !== 'skipped');
  const pictures = await Promise.all(report.drift.map(driftPicture));
  const rows = report.drift.map(
    (one, i) =>
      `<tr><th scope="row">${code(one.column)}${roleText(one)}</th>${verdictCell(one.verdict, one.verdict, one.reason)}<td class="${one.verdict}">${pictures[i]}</td><td>${text(one.method)}</td><td class="n">${measured(driftSize(one))}</td><td class="n">${measured(one.threshold)}</td><td class="n">${
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
  return `<details${told ? ' open' : ''}><summary>Drift: ${drifted} of ${columns === 1 ? '1 column' : `${count(columns)} columns`}</summary>${table(`Drift of ${report.dataset.name}`, heads, rows)}${await driftFigures(report)}</details>`;
}

/** What is held against the threshold; the table beside it has both numbers. */
async function driftPicture(result: DriftResult): Promise<string> {
  const allowed = fromDecimal(result.threshold);
  const size = driftSize(result);
  // Of a p-value a long bar would mean the contrary.
  if (size === null || !(allowed > 0) || isPValue(result)) return '';
  return (await chartSvg(driftDrawing(fromDecimal(size), allowed), null, 'strip')) ?? '';
}
