import { age, count, digitsOf, escapeHtml, fromDecimal, measured } from '@passloop/core';
import type {
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  FairnessGroup,
  ModelReport,
  ReportDocument,
} from '@passloop/documents';
import { chartSvg } from './charts/draw.ts';
import { type DrawPlots, drawApart } from './charts/draw-apart.ts';
import { changeDrawing } from './charts/strips.ts';
import { reuseSentence, sortedSlices } from './comment-details.ts';
import { curveFigures } from './curve-figures.ts';
import { allowedThere, environmentAnswers, measuredAgainst, ownGates } from './environments.ts';
import { evidenceWords, groupCells, groupName, groupsOf, rateWords, sortedGroups } from './fairness-groups.ts';
import { affectedModels, explanation, headline, reportHeadline } from './headline.ts';
import { policySentence } from './judge.ts';
import { dataSection } from './page-data.ts';
import { imageSection, lineageSection } from './page-lineage.ts';
import { style } from './page-style.ts';
import { badge, code, digest, type Head, sign, table, text, verdictCell } from './page-text.ts';
import { phraseHtml, phraseText } from './phrase.ts';
import { type DrawnPlots, drawnPlots, plotSection } from './plot-figures.ts';
import { allowed, changeCell, claimText, reproductionWords, signs, subject, unbroken, valueCell } from './words.ts';

/**
 * The whole report as one HTML file: no script, no network, light and dark, readable in print. A policy in its head forbids
 * everything but the inline style, so that even a missed escape could load and run nothing.
 *
 * @param draw draws the plots that a stranger specified, which no code of this process does
 */
export async function renderHtml(report: ReportDocument, draw: DrawPlots = drawApart): Promise<string> {
  const affected = affectedModels(report);
  const untouched = report.models.filter((model) => !model.affected).map((model) => text(model.name));
  // All strangers' plots at once: their bounds are those of a page, however many models there are.
  const drawn = await drawnPlots(
    affected.flatMap(({ plots = [] }) => plots),
    draw,
  );
  const sections = await Promise.all(affected.map((model) => modelSection(model, report, affected.length > 1, drawn)));
  const title = reportHeadline(report);
  const where = `${text(report.repository ?? 'local repository')} at ${code(report.head.slice(0, 12))}`;
  const against = report.base === null ? '' : ` against ${code(report.base.ref)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
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
${sections.join('\n')}
${untouched.length === 0 ? '' : `<p class="note">Not affected: ${untouched.join(', ')}.</p>`}
<footer>passloop ${text(report.passloop)}${report.madeAt === null ? '' : ` · ${text(report.madeAt)}`}</footer>
</main>
</body>
</html>
`;
}

async function modelSection(
  model: ModelReport,
  report: ReportDocument,
  several: boolean,
  drawn: DrawnPlots,
): Promise<string> {
  const comparison = model.comparison;
  const metrics = comparison?.metrics ?? [];
  const slices = sortedSlices(comparison?.slices ?? []);
  const groups = groupsOf(comparison);
  const { lead, more } = explanation(model);
  const said = [...(lead === null ? [] : [lead]), ...more];
  // No level is left out: a model's own heading is there where there are several.
  const h = several ? 'h3' : 'h2';
  const against = comparison?.production ? 'Metrics against production' : 'Metrics';
  const figures = comparison?.curves === undefined ? '' : await curveFigures(comparison.curves);
  const data = await Promise.all(model.data.map((one) => dataSection(one, h)));
  return `<section aria-label="${text(model.name)}">
${several ? `<h2 class="model">${sign(model.verdict)} ${phraseHtml(headline(model))}</h2>` : ''}
${said.length === 0 ? '' : `<div class="reasons ${model.verdict}">${said.map((reason) => `<p>${phraseHtml(reason)}</p>`).join('')}</div>`}
${metrics.length === 0 ? '' : `<${h}>${against}</${h}>${await metricTable(against, metrics)}`}
${slices.length === 0 ? '' : `<${h}>Slices</${h}>${await metricTable('Slices', slices)}`}
${groups.length === 0 ? '' : `<${h}>Groups</${h}>${groupTable(groups)}`}
${[...metrics, ...slices].some((metric) => metric.interval !== null) ? legend : ''}
${environments(comparison, h)}
${figures.trim() === '' ? '' : `<${h}>Curves</${h}>${figures}`}
${comparison?.curvesLeftOut === true ? `<p class="note">${leftOut(comparison)}</p>` : ''}
${await plotSection(model.plots ?? [], h, drawn)}
${changes(model, h)}
${data.join('\n')}
${imageSection(model, h)}
${lineageSection(model, report, h)}
<${h}>What was checked</${h}>
${facts(model, report)}
</section>`;
}

function leftOut({ claim = 'artifact' }: ComparisonDocument): string {
  return claim === 'artifact'
    ? 'No curves are drawn: the rows were too many to be read into memory. The metrics above are of all of them.'
    : 'No curves are drawn: each of several training seeds would have its own.';
}

const legend =
  '<p class="note">In the pictures better lies to the right: the bar is the interval and the dot the measured change, the solid line is no change, and the shaded side is what the margin does not allow.</p>';

function facts(model: ModelReport, report: ReportDocument): string {
  const rows: [string, string][] = [];
  if (model.outcome !== null) rows.push(['outcome', text(model.outcome)]);
  const policy = model.policy.differences.map(
    (one) => `${phraseHtml(policySentence(one))}${one.loosens ? ' <strong class="fail">loosens</strong>' : ''}`,
  );
  rows.push([
    'policy',
    `from ${model.policy.source === 'base' ? code(model.policy.ref ?? 'base') : 'this change'}; ${policy.length === 0 ? 'unchanged' : policy.join(' · ')}`,
  ]);
  if (model.production !== null) {
    const since = report.madeAt === null ? '' : `, as of ${age(model.production.at, report.madeAt)}`;
    rows.push([
      'production',
      `${digest(model.production.modelDigest)} deployed by ${code(model.production.deployCommit.slice(0, 7))}${since}`,
    ]);
  }
  if (model.run !== null) {
    rows.push([
      'candidate',
      `${digest(model.run.modelDigest)}, ${model.run.cache === 'hit' ? 'restored from the store and verified' : 'trained'}`,
    ]);
    rows.push([
      'trained with',
      `${text(model.run.environment.python ?? model.run.environment.image ?? '?')} · ${text(model.run.machine.platform)} · trust: ${text(model.run.trust)}`,
    ]);
    if (model.run.reproduction !== null) rows.push(['reproduction', reproductionWords[model.run.reproduction.level]]);
  }
  if (model.runKey !== null) rows.push(['run key', code(model.runKey)]);
  if (model.comparison !== null && model.comparison.rows > 0) {
    rows.push([
      'compared on',
      `${count(model.comparison.rows)} rows, ${model.comparison.resamples > 0 ? `${count(model.comparison.resamples)} resamples, seed ${model.comparison.seed}` : 'no resampling'}`,
    ]);
  }
  const claim = model.comparison === null ? null : claimText(model.comparison);
  if (claim !== null) rows.push(['claim', text(claim)]);
  const reuse = reuseSentence(model);
  if (reuse !== null && (model.comparison?.rows ?? 0) > 0) rows.push(['holdout', phraseHtml(reuse)]);
  for (const missing of model.missing)
    rows.push([missing.part, `${badge(missing.verdict)} ${phraseHtml(missing.reason)}`]);
  return `<dl>${rows.map(([term, value]) => `<dt>${text(term)}</dt><dd>${value}</dd>`).join('')}</dl>`;
}

/** What each environment asks beside or in place of the model's gates, and says of the candidate. */
function environments(comparison: ComparisonDocument | null, h: string): string {
  const answers = environmentAnswers(comparison);
  if (comparison === null || answers.length === 0) return '';
  const rows = answers.flatMap(({ environment, verdict, words }) => {
    const name = `<th scope="row">${code(environment.name)}</th>`;
    const answer = `<td class="v ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${phraseHtml(words)}</td>`;
    const own = ownGates(environment);
    if (own.length === 0) return [`<tr>${name}${answer}<td>the model’s alone</td><td></td><td></td><td></td></tr>`];
    return own.map((metric, index) => {
      const cells = [
        `<td>${phraseHtml(subject(metric))}</td>`,
        verdictCell(metric.gate, metric.verdict, metric.reason),
        `<td class="n">${text(allowedThere(metric, comparison))}</td>`,
        `<td class="n">${valueCell(metric, 'candidate')}</td>`,
      ];
      return `<tr>${name}${index === 0 ? answer : '<td></td>'}${cells.join('')}</tr>`;
    });
  });
  const heads: Head[] = [
    'environment',
    'answer',
    'its own gate',
    'verdict',
    { number: 'allowed' },
    { number: 'candidate' },
  ];
  return `<${h}>Environments</${h}>${table('Environments', heads, rows)}${comparison.production === null ? '' : `<p class="note">${measuredAgainst}</p>`}`;
}

function groupTable(groups: readonly FairnessGroup[]): string {
  const numbers = ['rows', 'production', 'candidate', 'change'] as const;
  const rows = sortedGroups(groups).map((group) => {
    const cells = groupCells(group);
    return `<tr><th scope="row">${phraseHtml(groupName(group))}</th><td>${rateWords(group)}</td>${numbers.map((name) => `<td class="n">${text(cells[name])}</td>`).join('')}<td>${text(evidenceWords(group))}</td></tr>`;
  });
  const heads: Head[] = ['group', 'rate', ...numbers.map((number) => ({ number })), 'evidence'];
  return table('Groups', heads, rows);
}

async function metricTable(label: string, metrics: readonly (ComparedMetric | ComparedSlice)[]): Promise<string> {
  const paired = metrics.some((metric) => metric.delta !== null);
  const pictures = await Promise.all(metrics.map(changePicture));
  const rows = metrics.map((metric, i) => {
    const cells = [
      `<th scope="row">${phraseHtml(subject(metric))}${'rows' in metric ? ` <span class="note">${count(metric.rows)}&nbsp;rows</span>` : ''}</th>`,
      verdictCell(metric.gate, metric.verdict, metric.reason),
      ...(paired
        ? [`<td class="n">${text(changeCell(metric))}</td>`, `<td class="${metric.gate}">${pictures[i]}</td>`]
        : []),
      `<td class="n wrap">${text(unbroken([allowed(metric)]))}</td>`,
      `<td class="n">${valueCell(metric, 'production')}</td>`,
      `<td class="n">${valueCell(metric, 'candidate')}</td>`,
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  const heads: Head[] = [
    'metric',
    'verdict',
    ...(paired ? [{ number: 'change (95 % interval)' }, 'against the margin'] : []),
    { number: 'allowed' },
    { number: 'production' },
    { number: 'candidate' },
  ];
  return table(label, heads, rows, ' metrics');
}

/** The interval of a change as a picture; better lies to the right. */
async function changePicture(metric: ComparedMetric): Promise<string> {
  if (metric.interval === null || metric.delta === null) return '';
  const sign = metric.direction === 'higher' ? 1 : -1;
  const [low = 0, high = 0] = metric.interval
    .map((bound) => fromDecimal(bound) * sign)
    .sort((left, right) => left - right);
  const delta = fromDecimal(metric.delta) * sign;
  const margin = metric.margin === null ? null : -fromDecimal(metric.margin);
  const digits = digitsOf(metric);
  const label = `change from ${measured(metric.interval[0], digits)} to ${measured(metric.interval[1], digits)}, allowed ${allowed(metric)}: ${metric.verdict}`;
  return (await chartSvg(changeDrawing({ low, high, delta, margin }), label, 'strip')) ?? '';
}

function changes(model: ModelReport, h: string): string {
  if (model.changes.length === 0) return '';
  const rows = model.changes.map(
    (one) =>
      `<tr><td>${text(one.kind)}</td><th scope="row">${code(one.subject)}</th><td>${cell(one.from)}</td><td>${cell(one.to)}</td></tr>`,
  );
  return `<${h}>What changed</${h}>${table('What changed', ['kind', 'what', 'before', 'after'], rows)}`;
}

function cell(value: string | null): string {
  if (value === null) return '<span class="note">none</span>';
  return /^sha256:/.test(value) ? digest(value) : code(value);
}
