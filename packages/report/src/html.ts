import {
  age,
  count,
  digitsOf,
  escapeHtml,
  fromDecimal,
  measured,
  megabytes,
  shortDigest,
  type Verdict,
} from '@passloop/core';
import type {
  CheckResult,
  ComparedMetric,
  ComparedSlice,
  DataReport,
  ModelReport,
  ReportDocument,
} from '@passloop/documents';
import { affectedModels, explanation, headline, reportHeadline, verdictOrder } from './headline.ts';
import { policySentence } from './judge.ts';
import { phraseHtml, phraseText } from './phrase.ts';
import { allowed, changeCell, reproductionWords, roleText, signs, subject, valueCell } from './words.ts';

/**
 * The whole report as one HTML file: no script, no network, light and dark, readable in print. A policy in its head forbids
 * everything but the inline style, so that even a missed escape could load and run nothing.
 */
export function renderHtml(report: ReportDocument): string {
  const affected = affectedModels(report);
  const untouched = report.models.filter((model) => !model.affected).map((model) => escapeHtml(model.name));
  const title = reportHeadline(report);
  const where = `${escapeHtml(report.repository ?? 'local repository')} at <code>${escapeHtml(report.head.slice(0, 12))}</code>`;
  const against = report.base === null ? '' : ` against <code>${escapeHtml(report.base.ref)}</code>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(phraseText(title))}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="where">${where}${against}</p>
<h1>${sign(report.verdict)} ${phraseHtml(title)}</h1>
</header>
${affected.map((model) => modelSection(model, report, affected.length > 1)).join('\n')}
${untouched.length === 0 ? '' : `<p class="note">Not affected: ${untouched.join(', ')}.</p>`}
<footer>passloop ${escapeHtml(report.passloop)}${report.madeAt === null ? '' : ` · ${escapeHtml(report.madeAt)}`}</footer>
</main>
</body>
</html>
`;
}

const style = `
:root{color-scheme:light dark;--text:#1c2128;--soft:#59636e;--line:#d1d9e0;--back:#fff;--panel:#f6f8fa;--pass:#1a7f37;--warn:#9a6700;--fail:#cf222e}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9198a1;--line:#3d444d;--back:#0d1117;--panel:#151b23;--pass:#3fb950;--warn:#d29922;--fail:#f85149}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}h1{font-size:1.45rem;line-height:1.3;margin:.2rem 0 1rem;padding-left:2.1rem;text-indent:-2.1rem;overflow-wrap:anywhere}h2{font-size:1.2rem;margin:2.5rem 0 .5rem;overflow-wrap:anywhere}h3{font-size:1rem;margin:2rem 0 .4rem}
h2{padding-left:2.1rem;text-indent:-2.1rem}h1>*,h2>*{text-indent:0}.sign{display:inline-block;width:1.6rem;height:1.6rem;margin-right:.3rem;line-height:1.6rem;text-align:center;border-radius:50%;font-size:1rem;vertical-align:.1em;background:currentColor}.sign::first-letter{color:var(--back)}
.where,footer,.note{color:var(--soft)}.where{margin:0}footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem;font-size:.85rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:middle}
th:first-child,td:first-child{padding-left:0}.metrics td:first-child{min-width:10rem}th{color:var(--soft);font-weight:600;white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.v{white-space:nowrap;font-weight:600}td.v .note{font-weight:400;white-space:normal;display:block;min-width:14rem}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,monospace;background:var(--panel);padding:.1em .3em;border-radius:4px;overflow-wrap:anywhere}
h1 code,h2 code{font-size:.92em}pre{background:var(--panel);padding:.6rem;border-radius:6px;overflow-x:auto;font:.8rem/1.4 ui-monospace,Menlo,monospace}
.badge{display:inline-block;padding:0 .55rem;border-radius:1rem;border:1px solid currentColor;font-size:.8rem;font-weight:600;white-space:nowrap}
.pass{color:var(--pass)}.warn,.inconclusive,.pending{color:var(--warn)}.fail{color:var(--fail)}.skipped{color:var(--soft)}
.reasons{background:var(--panel);border-left:4px solid var(--line);padding:.6rem 1rem;margin:.5rem 0 1rem;border-radius:0 6px 6px 0;overflow-wrap:anywhere}.reasons.fail{border-color:var(--fail)}.reasons.pass{border-color:var(--pass)}.reasons.warn,.reasons.inconclusive{border-color:var(--warn)}
.reasons p{color:var(--text);margin:.2rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}h1{font-size:1.25rem}.metrics td:first-child{min-width:7.5rem}}
details{margin:.5rem 0}summary{cursor:pointer}svg{display:block}.strip .no{fill:var(--fail);opacity:.12}.strip .edge{stroke:var(--fail);stroke-dasharray:3 2}.strip .zero{stroke:var(--soft)}.strip .bar{stroke:currentColor;stroke-width:3;stroke-linecap:round}.strip circle{fill:currentColor}
@media print{details{display:block}details>*{display:block}}
`;

/** The sign of a headline, whose first word says the same. */
function sign(verdict: Verdict): string {
  return `<span class="sign ${verdict}" aria-hidden="true">${signs[verdict]}</span>`;
}

function badge(verdict: Verdict): string {
  return `<span class="badge ${verdict}">${signs[verdict]} ${verdict}</span>`;
}

function modelSection(model: ModelReport, report: ReportDocument, several: boolean): string {
  const comparison = model.comparison;
  const metrics = comparison?.metrics ?? [];
  const slices = [...(comparison?.slices ?? [])].sort(
    (left, right) => verdictOrder[left.gate] - verdictOrder[right.gate],
  );
  const { lead, more } = explanation(model);
  const said = [...(lead === null ? [] : [lead]), ...more];
  return `<section aria-label="${escapeHtml(model.name)}">
${several ? `<h2>${sign(model.verdict)} ${phraseHtml(headline(model))}</h2>` : ''}
${said.length === 0 ? '' : `<div class="reasons ${model.verdict}">${said.map((reason) => `<p>${phraseHtml(reason)}</p>`).join('')}</div>`}
${metrics.length === 0 ? '' : `<h3>${comparison?.production ? 'Metrics against production' : 'Metrics'}</h3>${metricTable(metrics)}`}
${slices.length === 0 ? '' : `<h3>Slices</h3>${metricTable(slices)}`}
${[...metrics, ...slices].some((metric) => metric.interval !== null) ? legend : ''}
${changes(model)}
${model.data.map(dataSection).join('\n')}
${imageSection(model)}
<h3>What was checked</h3>
${facts(model, report)}
</section>`;
}

const legend =
  '<p class="note">In the pictures better lies to the right: the bar is the interval and the dot the measured change, the solid line is no change, and the shaded side is what the margin does not allow.</p>';

function facts(model: ModelReport, report: ReportDocument): string {
  const rows: [string, string][] = [];
  if (model.outcome !== null) rows.push(['outcome', escapeHtml(model.outcome)]);
  const policy = model.policy.differences.map(
    (one) => `${phraseHtml(policySentence(one))}${one.loosens ? ' <strong class="fail">loosens</strong>' : ''}`,
  );
  rows.push([
    'policy',
    `from ${model.policy.source === 'base' ? `<code>${escapeHtml(model.policy.ref ?? 'base')}</code>` : 'this change'}; ${policy.length === 0 ? 'unchanged' : policy.join(' · ')}`,
  ]);
  if (model.production !== null) {
    const since = report.madeAt === null ? '' : `, as of ${age(model.production.at, report.madeAt)}`;
    rows.push([
      'production',
      `<code>${escapeHtml(shortDigest(model.production.modelDigest))}</code> deployed by <code>${escapeHtml(model.production.deployCommit.slice(0, 7))}</code>${since}`,
    ]);
  }
  if (model.run !== null) {
    rows.push([
      'candidate',
      `<code>${escapeHtml(shortDigest(model.run.modelDigest))}</code>, ${model.run.cache === 'hit' ? 'restored from the store and verified' : 'trained'}`,
    ]);
    rows.push([
      'trained with',
      `${escapeHtml(model.run.environment.python ?? model.run.environment.image ?? '?')} · ${escapeHtml(model.run.machine.platform)} · trust: ${escapeHtml(model.run.trust)}`,
    ]);
    if (model.run.reproduction !== null) rows.push(['reproduction', reproductionWords[model.run.reproduction.level]]);
  }
  if (model.runKey !== null) rows.push(['run key', `<code>${escapeHtml(model.runKey)}</code>`]);
  if (model.comparison !== null && model.comparison.rows > 0) {
    rows.push([
      'compared on',
      `${count(model.comparison.rows)} rows, ${model.comparison.resamples > 0 ? `${count(model.comparison.resamples)} resamples, seed ${model.comparison.seed}` : 'no resampling'}`,
    ]);
  }
  for (const missing of model.missing)
    rows.push([missing.part, `${badge(missing.verdict)} ${phraseHtml(missing.reason)}`]);
  return `<dl>${rows.map(([term, value]) => `<dt>${escapeHtml(term)}</dt><dd>${value}</dd>`).join('')}</dl>`;
}

function metricTable(metrics: readonly (ComparedMetric | ComparedSlice)[]): string {
  const paired = metrics.some((metric) => metric.delta !== null);
  const rows = metrics.map((metric) => {
    const cells = [
      `<td>${phraseHtml(subject(metric))}${'rows' in metric ? ` <span class="note">${count(metric.rows)}&nbsp;rows</span>` : ''}</td>`,
      verdictCell(metric.gate, metric.verdict, metric.reason),
      ...(paired
        ? [`<td class="n">${escapeHtml(changeCell(metric))}</td>`, `<td class="${metric.gate}">${strip(metric)}</td>`]
        : []),
      `<td class="n">${escapeHtml(allowed(metric))}</td>`,
      `<td class="n">${valueCell(metric, 'production')}</td>`,
      `<td class="n">${valueCell(metric, 'candidate')}</td>`,
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll metrics"><table><thead><tr><th>metric</th><th>verdict</th>${
    paired ? '<th class="n">change (95 % interval)</th><th>against the margin</th>' : ''
  }<th class="n">allowed</th><th class="n">production</th><th class="n">candidate</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** A word beside the sign, and the reason under it. */
function verdictCell(verdict: Verdict, word: string, reason: string | null): string {
  const note = reason === null ? '' : `<span class="note">${phraseHtml(reason)}</span>`;
  return `<td class="v ${verdict}">${signs[verdict]} ${escapeHtml(word.replaceAll('-', '\u2011'))}${note}</td>`;
}

const stripWidth = 180;

/** The interval of a change as a picture: zero (solid), what is not allowed (shaded), the estimate (dot). Better lies to the right. */
function strip(metric: ComparedMetric): string {
  if (metric.interval === null || metric.delta === null) return '';
  const sign = metric.direction === 'higher' ? 1 : -1;
  const [low = 0, high = 0] = metric.interval
    .map((bound) => fromDecimal(bound) * sign)
    .sort((left, right) => left - right);
  const delta = fromDecimal(metric.delta) * sign;
  const margin = metric.margin === null ? null : -fromDecimal(metric.margin);
  const left = Math.min(low, margin ?? 0, 0);
  const right = Math.max(high, 0);
  const space = (right - left) * 0.12 || 1;
  const x = (value: number) => (((value - left + space) / (right - left + 2 * space)) * stripWidth).toFixed(1);
  const digits = digitsOf(metric);
  const label = `change from ${measured(metric.interval[0], digits)} to ${measured(metric.interval[1], digits)}, allowed ${allowed(metric)}: ${metric.verdict}`;
  const edge =
    margin === null
      ? ''
      : `<rect class="no" x="0" y="0" width="${x(margin)}" height="22"/><line class="edge" x1="${x(margin)}" x2="${x(margin)}" y1="0" y2="22"/>`;
  return `<svg class="strip" role="img" aria-label="${escapeHtml(label)}" width="${stripWidth}" height="22" viewBox="0 0 ${stripWidth} 22">${edge}<line class="zero" x1="${x(0)}" x2="${x(0)}" y1="0" y2="22"/><line class="bar" x1="${x(low)}" x2="${x(high)}" y1="11" y2="11"/><circle cx="${x(delta)}" cy="11" r="4.5"/></svg>`;
}

function changes(model: ModelReport): string {
  if (model.changes.length === 0) return '';
  const rows = model.changes.map(
    (one) =>
      `<tr><td>${escapeHtml(one.kind)}</td><td><code>${escapeHtml(one.subject)}</code></td><td>${cell(one.from)}</td><td>${cell(one.to)}</td></tr>`,
  );
  return `<h3>What changed</h3><div class="scroll"><table><thead><tr><th>kind</th><th>what</th><th>before</th><th>after</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function cell(value: string | null): string {
  return value === null
    ? '<span class="note">none</span>'
    : `<code>${escapeHtml(/^sha256:/.test(value) ? shortDigest(value) : value)}</code>`;
}

function dataSection(report: DataReport): string {
  const told = report.checks.filter((check) => check.verdict !== 'pass');
  const passed = report.checks.filter((check) => check.verdict === 'pass');
  const drift = report.drift.map(
    (one) =>
      `<tr><td><code>${escapeHtml(one.column)}</code>${roleText(one)}</td>${verdictCell(one.verdict, one.verdict, one.reason)}<td>${escapeHtml(one.method)}</td><td class="n">${measured(one.statistic)}</td><td class="n">${measured(one.threshold)}</td><td class="n">${
        one.pValue === null ? '–' : measured(one.pValue)
      }</td><td class="n">${count(one.n.reference)} / ${count(one.n.current)}</td></tr>`,
  );
  const shifted = report.drift.filter((one) => one.verdict !== 'pass').length;
  const columns = report.drift.length === 1 ? '1 column' : `${report.drift.length} columns`;
  return `<h3>Data: <code>${escapeHtml(report.dataset.name)}</code> ${badge(report.verdict)}</h3>
<p class="note">${count(report.rows)} rows of <code>${escapeHtml(report.dataset.uri)}</code>, ${report.executed} executed, ${escapeHtml(report.engine)}</p>
${told.length === 0 ? '' : checkTable(told)}
${passed.length === 0 ? '' : `<details><summary>${passed.length} ${passed.length === 1 ? 'check' : 'checks'} passed</summary>${checkTable(passed)}</details>`}
${
  drift.length === 0
    ? ''
    : `<details${shifted > 0 ? ' open' : ''}><summary>Drift: ${shifted} of ${columns}</summary><div class="scroll"><table><thead><tr><th>column</th><th>verdict</th><th>method</th><th class="n">statistic</th><th class="n">threshold</th><th class="n">p</th><th class="n">n reference / current</th></tr></thead><tbody>${drift.join('')}</tbody></table></div></details>`
}`;
}

function checkTable(checks: readonly CheckResult[]): string {
  const rows = checks.map((check) => {
    const sql =
      check.verdict === 'pass' || check.sql === null
        ? ''
        : `<details><summary>SQL that shows it</summary><pre>${escapeHtml(check.sql)}</pre></details>`;
    return `<tr><td><code>${escapeHtml(check.id)}</code></td>${verdictCell(check.verdict, check.verdict, check.reason)}<td>${escapeHtml(check.expected)}</td><td>${escapeHtml(check.observed ?? '–')}${sql}</td><td class="n">${
      check.failingRows === null ? '–' : count(check.failingRows)
    }</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>check</th><th>verdict</th><th>expected</th><th>found</th><th class="n">failing rows</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function imageSection(model: ModelReport): string {
  const parts: string[] = [];
  if (model.image !== null) {
    parts.push(
      `<h3>Image</h3><dl><dt>image key</dt><dd><code>${escapeHtml(model.image.imageKey)}</code></dd><dt>size</dt><dd>${megabytes(model.image.bytes)}</dd><dt>base</dt><dd><code>${escapeHtml(model.image.base)}</code></dd>${
        model.image.reference === null
          ? ''
          : `<dt>reference</dt><dd><code>${escapeHtml(model.image.reference)}</code></dd>`
      }</dl>`,
    );
  }
  if (model.probe !== null) {
    const latency = model.probe.latency;
    parts.push(
      `<details><summary>Probe: ${model.probe.checks.length} ${model.probe.checks.length === 1 ? 'check' : 'checks'} ${badge(model.probe.verdict)}${latency === null ? '' : ` p50 ${measured(latency.p50Ms, 1)} ms, p95 ${measured(latency.p95Ms, 1)} ms`}</summary><div class="scroll"><table><tbody>${model.probe.checks
        .map(
          (check) =>
            `<tr><td><code>${escapeHtml(check.id)}</code></td><td class="v ${check.verdict}">${signs[check.verdict]} ${check.verdict}</td><td>${escapeHtml(check.detail)}</td></tr>`,
        )
        .join('')}</tbody></table></div></details>`,
    );
  }
  if (model.scan !== null) {
    parts.push(
      `<details><summary>Model scan <span class="${model.scan.verdict === 'pass' ? 'pass' : 'fail'}">${escapeHtml(model.scan.verdict)}</span></summary><div class="scroll"><table><tbody>${model.scan.files
        .map(
          (file) =>
            `<tr><td><code>${escapeHtml(file.path)}</code></td><td>${escapeHtml(file.format)}</td><td>${file.findings.length === 0 ? `${file.globals.length} globals, all allowed` : file.findings.map((finding) => `${escapeHtml(finding.rule)}: ${escapeHtml(finding.detail)}`).join('<br>')}</td></tr>`,
        )
        .join('')}</tbody></table></div></details>`,
    );
  }
  return parts.join('\n');
}
