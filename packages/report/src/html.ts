import {
  age,
  count,
  digitsOf,
  escapeHtml,
  fromDecimal,
  measured,
  megabytes,
  shortDigest,
  unitOf,
  type Verdict,
} from '@passloop/core';
import type { ComparedMetric, ComparedSlice, DataReport, ModelReport, ReportDocument } from '@passloop/documents';
import { policySentence } from './judge.ts';
import { phraseHtml } from './phrase.ts';
import { allowed, changeCell, signs, subject } from './words.ts';

/**
 * The whole report as one HTML file: no script, no network, light and dark, readable in print. A policy in its head forbids
 * everything but the inline style, so that even a missed escape could load and run nothing.
 */
export function renderHtml(report: ReportDocument): string {
  const title = `Passloop: ${report.repository ?? 'local'} ${report.head.slice(0, 7)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="where">${escapeHtml(report.repository ?? 'local repository')} at <code>${escapeHtml(report.head.slice(0, 12))}</code>${
    report.base === null ? '' : ` against <code>${escapeHtml(report.base.ref)}</code>`
  }</p>
<h1>${badge(report.verdict)} ${escapeHtml(title)}</h1>
</header>
${report.models.length === 0 ? '<p>No model file was found.</p>' : report.models.map((model) => modelSection(model, report)).join('\n')}
<footer>passloop ${escapeHtml(report.passloop)}${report.madeAt === null ? '' : ` · ${escapeHtml(report.madeAt)}`}</footer>
</main>
</body>
</html>
`;
}

const style = `
:root{color-scheme:light dark;--text:#1c2128;--soft:#59636e;--line:#d1d9e0;--back:#fff;--panel:#f6f8fa;--pass:#1a7f37;--warn:#9a6700;--fail:#cf222e;--mark:#0969da}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9198a1;--line:#3d444d;--back:#0d1117;--panel:#151b23;--pass:#3fb950;--warn:#d29922;--fail:#f85149;--mark:#4493f8}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:68rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.5rem;margin:.2rem 0 1rem}h2{font-size:1.25rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.5rem 0 .5rem}
.where,footer,.note{color:var(--soft)}footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem;font-size:.85rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.85em ui-monospace,SFMono-Regular,Menlo,monospace;background:var(--panel);padding:.1em .3em;border-radius:4px;overflow-wrap:anywhere}
pre{background:var(--panel);padding:.6rem;border-radius:6px;overflow-x:auto;font:.8rem/1.4 ui-monospace,Menlo,monospace}
.badge{display:inline-block;padding:.1rem .6rem;border-radius:1rem;border:1px solid currentColor;font-size:.85rem;font-weight:600;white-space:nowrap}
.pass{color:var(--pass)}.warn,.inconclusive,.pending{color:var(--warn)}.fail{color:var(--fail)}.skipped{color:var(--soft)}
.reasons{background:var(--panel);border-left:4px solid var(--line);padding:.6rem 1rem;margin:.5rem 0 1rem;border-radius:0 6px 6px 0}.reasons.fail{border-color:var(--fail)}.reasons.pass{border-color:var(--pass)}.reasons.warn,.reasons.inconclusive{border-color:var(--warn)}
.reasons p{color:var(--text);margin:.2rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
details{margin:.5rem 0}summary{cursor:pointer}svg{display:block}@media print{details{display:block}details>*{display:block}}
`;

function badge(verdict: Verdict): string {
  return `<span class="badge ${verdict}">${signs[verdict]} ${verdict}</span>`;
}

function modelSection(model: ModelReport, report: ReportDocument): string {
  const comparison = model.comparison;
  return `<section aria-label="${escapeHtml(model.name)}">
<h2>${badge(model.verdict)} <code>${escapeHtml(model.name)}</code>${model.outcome === null ? '' : ` <span class="note">outcome: ${escapeHtml(model.outcome)}</span>`}</h2>
<div class="reasons ${model.verdict}">${model.reasons.map((reason) => `<p>${phraseHtml(reason)}</p>`).join('')}</div>
${facts(model, report)}
${comparison === null || comparison.metrics.length === 0 ? '' : `<h3>Metrics against production</h3>${metricTable(comparison.metrics)}`}
${comparison === null || comparison.slices.length === 0 ? '' : `<h3>Slices</h3>${metricTable(comparison.slices)}`}
${changes(model)}
${model.data.map(dataSection).join('\n')}
${imageSection(model)}
</section>`;
}

function facts(model: ModelReport, report: ReportDocument): string {
  const rows: [string, string][] = [];
  const policy = model.policy.differences.map(
    (one) => `${phraseHtml(policySentence(one))}${one.loosens ? ' <strong class="fail">loosens</strong>' : ''}`,
  );
  rows.push([
    'policy',
    `from ${model.policy.source === 'base' ? `<code>${escapeHtml(model.policy.ref ?? 'base')}</code>` : 'this change'}; ${policy.length === 0 ? 'unchanged' : policy.join(' · ')}`,
  ]);
  if (model.production !== null) {
    const since = report.madeAt === null ? '' : `, ${age(model.production.at, report.madeAt)}`;
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
    if (model.run.reproduction !== null) rows.push(['reproduced', escapeHtml(model.run.reproduction.level)]);
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
  const rows = metrics.map((metric) => {
    const digits = digitsOf(metric);
    const unit = unitOf(metric.name);
    return `<tr><td>${phraseHtml(subject(metric))}</td><td class="n">${metric.production === null ? '–' : measured(metric.production, digits) + unit}</td><td class="n">${
      metric.candidate === null ? '–' : measured(metric.candidate, digits) + unit
    }</td><td class="n">${escapeHtml(changeCell(metric))}</td><td>${strip(metric)}</td><td class="n">${escapeHtml(allowed(metric))}</td><td class="${metric.gate}">${`${signs[metric.gate]} ${escapeHtml(metric.verdict)}`}${
      metric.reason === null ? '' : `<br><span class="note">${phraseHtml(metric.reason)}</span>`
    }</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>metric</th><th class="n">production</th><th class="n">candidate</th><th class="n">change (95 % interval)</th><th>interval against what is allowed</th><th class="n">allowed</th><th>verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** The interval of a change as a strip: zero (solid), what is allowed (dashed), the estimate (dot). Better lies to the right. */
function strip(metric: ComparedMetric): string {
  if (metric.interval === null || metric.delta === null) return '';
  const sign = metric.direction === 'higher' ? 1 : -1;
  const bounds = metric.interval.map((bound) => fromDecimal(bound) * sign).sort((left, right) => left - right);
  const [low = 0, high = 0] = bounds;
  const delta = fromDecimal(metric.delta) * sign;
  const margin = metric.margin === null ? 0 : -fromDecimal(metric.margin);
  const reach = Math.max(Math.abs(low), Math.abs(high), Math.abs(margin)) * 1.15 || 1;
  const width = 200;
  const x = (value: number) => (((value + reach) / (2 * reach)) * width).toFixed(1);
  const label = `change from ${measured(metric.interval[0])} to ${measured(metric.interval[1])}, ${metric.verdict}`;
  return `<svg role="img" aria-label="${escapeHtml(label)}" width="${width}" height="22" viewBox="0 0 ${width} 22"><line x1="${x(0)}" x2="${x(0)}" y1="2" y2="20" stroke="var(--soft)"/>${
    metric.margin === null
      ? ''
      : `<line x1="${x(margin)}" x2="${x(margin)}" y1="2" y2="20" stroke="var(--fail)" stroke-dasharray="3 2"/>`
  }<line x1="${x(low)}" x2="${x(high)}" y1="11" y2="11" stroke="var(--mark)" stroke-width="3" stroke-linecap="round"/><circle cx="${x(delta)}" cy="11" r="4" fill="var(--mark)"/></svg>`;
}

function changes(model: ModelReport): string {
  if (model.changes.length === 0) return '';
  const rows = model.changes.map(
    (one) =>
      `<tr><td>${escapeHtml(one.kind)}</td><td><code>${escapeHtml(one.subject)}</code></td><td>${cell(one.from)}</td><td>${cell(one.to)}</td></tr>`,
  );
  return `<h3>What changed</h3><div class="scroll"><table><thead><tr><th>kind</th><th>what</th><th>production</th><th>candidate</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function cell(value: string | null): string {
  return value === null
    ? '<span class="note">none</span>'
    : `<code>${escapeHtml(/^sha256:/.test(value) ? shortDigest(value) : value)}</code>`;
}

function dataSection(report: DataReport): string {
  const checks = report.checks.map(
    (check) =>
      `<tr><td><code>${escapeHtml(check.id)}</code></td><td>${escapeHtml(check.expected)}</td><td>${escapeHtml(check.observed ?? '–')}</td><td class="n">${
        check.failingRows === null ? '–' : count(check.failingRows)
      }</td><td class="${check.verdict}">${signs[check.verdict]} ${check.verdict}${check.reason === null ? '' : `<br><span class="note">${escapeHtml(check.reason)}</span>`}${
        check.verdict !== 'pass' && check.sql !== null
          ? `<details><summary>SQL that shows it</summary><pre>${escapeHtml(check.sql)}</pre></details>`
          : ''
      }</td></tr>`,
  );
  const drift = report.drift.map(
    (one) =>
      `<tr><td><code>${escapeHtml(one.column)}</code></td><td>${escapeHtml(one.method)}</td><td class="n">${measured(one.statistic)}</td><td class="n">${measured(one.threshold)}</td><td class="n">${
        one.pValue === null ? '–' : measured(one.pValue)
      }</td><td class="n">${count(one.n.reference)} / ${count(one.n.current)}</td><td class="${one.verdict}">${signs[one.verdict]} ${one.verdict}${
        one.reason === null ? '' : `<br><span class="note">${escapeHtml(one.reason)}</span>`
      }</td></tr>`,
  );
  return `<h3>Data: <code>${escapeHtml(report.dataset.name)}</code> ${badge(report.verdict)}</h3>
<p class="note">${count(report.rows)} rows of <code>${escapeHtml(report.dataset.uri)}</code>, ${report.executed} executed, ${escapeHtml(report.engine)}</p>
${checks.length === 0 ? '' : `<div class="scroll"><table><thead><tr><th>check</th><th>expected</th><th>found</th><th class="n">failing rows</th><th>verdict</th></tr></thead><tbody>${checks.join('')}</tbody></table></div>`}
${
  drift.length === 0
    ? ''
    : `<details${report.drift.some((one) => one.verdict !== 'pass') ? ' open' : ''}><summary>Drift against the profile (${drift.length} columns)</summary><div class="scroll"><table><thead><tr><th>column</th><th>method</th><th class="n">statistic</th><th class="n">threshold</th><th class="n">p</th><th class="n">n reference / current</th><th>verdict</th></tr></thead><tbody>${drift.join('')}</tbody></table></div></details>`
}`;
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
      `<details><summary>Probe: ${model.probe.checks.length} checks ${badge(model.probe.verdict)}${latency === null ? '' : ` p50 ${measured(latency.p50Ms, 1)} ms, p95 ${measured(latency.p95Ms, 1)} ms`}</summary><div class="scroll"><table><tbody>${model.probe.checks
        .map(
          (check) =>
            `<tr><td><code>${escapeHtml(check.id)}</code></td><td>${escapeHtml(check.detail)}</td><td class="${check.verdict}">${signs[check.verdict]} ${check.verdict}</td></tr>`,
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
