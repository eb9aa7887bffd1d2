import { change, count, digitsOf, interval, megabytes, plainText, shortDigest, type Verdict } from '@passloop/core';
import type {
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  DataReport,
  ImageDocument,
  KeyDocument,
  ManifestLintDocument,
  MetricPower,
  PlanDocument,
  ProbeDocument,
  PromotionDocument,
  Proposal,
  ReportDocument,
  RollbackDocument,
  RunDocument,
  ScanDocument,
  StatusDocument,
} from '@passloop/documents';
import { sortedSlices } from './comment-details.ts';
import { recordChange } from './edit.ts';
import { environmentAnswers, ownGates } from './environments.ts';
import { evidenceWords, groupCells, groupName, groupsOf, rateWords, sortedGroups } from './fairness-groups.ts';
import { headlineText } from './headline.ts';
import { phraseText } from './phrase.ts';
import { claimText, driftSize, isUnpaired, neededText, roleText, share, valueCell } from './words.ts';

/** How a person reads a document on a terminal: the verdict first, then what made it. Untrusted text is cleaned, never styled. */

const marks: Record<string, string> = {
  pass: 'ok  ',
  warn: 'warn',
  fail: 'FAIL',
  inconclusive: '??  ',
  pending: 'wait',
  skipped: '-   ',
};

export function mark(verdict: Verdict | string): string {
  return marks[verdict] ?? verdict;
}

/** Rows as aligned columns, two spaces apart. */
export function table(rows: readonly (readonly string[])[], rightAligned: readonly number[] = []): string {
  const clean = rows.map((row) => row.map((cell) => plainText(cell, 120)));
  const widths: number[] = [];
  for (const row of clean)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return clean
    .map((row) =>
      row
        .map((cell, index) =>
          rightAligned.includes(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param failing rows that break checks, by check: a few of them, and the file of all */
export function printDataReport(
  report: DataReport,
  failing: readonly { check: string; examples: readonly string[]; file: string | null }[] = [],
): string {
  const lines = [
    `${report.verdict}: ${plainText(report.dataset.name)}, ${count(report.rows)} rows, ${report.executed} executed (${report.engine})`,
  ];
  if (report.checks.length === 0) {
    lines.push('', 'Nothing was checked, so nothing passes. Write checks into the model file, or give --checks FILE:');
    lines.push('  - {kind: not-null, column: age}', '  - {kind: range, column: age, min: 0, max: 120}');
  }
  if (report.checks.length > 0) {
    lines.push(
      '',
      table(
        [
          ['', 'check', 'expected', 'found', 'failing rows'],
          ...report.checks.map((check) => [
            mark(check.verdict),
            check.id,
            check.expected,
            check.observed ?? '-',
            check.failingRows === null ? '-' : count(check.failingRows),
          ]),
        ],
        [4],
      ),
    );
  }
  for (const check of report.checks.filter((check) => check.verdict !== 'pass')) {
    if (check.reason !== null) lines.push('', `${plainText(check.id)}: ${plainText(check.reason, 500)}`);
    if (check.sql !== null) lines.push('', `${plainText(check.id)} is shown by:`, `  ${plainText(check.sql, 2000)}`);
    const rows = failing.find((one) => one.check === check.id);
    if (rows !== undefined && rows.examples.length > 0) {
      const more = (check.failingRows ?? 0) - rows.examples.length;
      lines.push('', `${plainText(check.id)} in ${more > 0 ? 'rows such as' : 'rows'}:`);
      lines.push(...rows.examples.map((example) => `  ${plainText(example, 500)}`));
    }
    if (rows?.file != null)
      lines.push('', `${plainText(check.id)}: all of these rows are in ${plainText(rows.file, 1024)}`);
  }
  if (report.drift.length > 0) {
    lines.push(
      '',
      table(
        [
          ['', 'drift of', 'method', 'statistic', 'threshold', 'p', 'n reference', 'n current'],
          ...report.drift.map((drift) => [
            mark(drift.verdict),
            `${drift.column}${roleText(drift)}`,
            drift.method,
            driftSize(drift) ?? '-',
            drift.threshold,
            drift.pValue ?? '-',
            count(drift.n.reference),
            count(drift.n.current),
          ]),
        ],
        [3, 4, 5, 6, 7],
      ),
    );
    for (const drift of report.drift.filter((drift) => drift.reason !== null && drift.verdict !== 'pass'))
      lines.push(`${plainText(drift.column)}: ${plainText(drift.reason ?? '', 500)}`);
  }
  return `${lines.join('\n')}\n`;
}

export function printKey(key: KeyDocument): string {
  const lines = [`${key.runKey}  ${key.model}`];
  for (const stage of key.stages) {
    const { inputs } = stage;
    lines.push(
      `  ${stage.name}  ${stage.key.slice(0, 20)}…  ${inputs.code.length} code files, ${inputs.data.length} datasets, ${inputs.params.length} params, ${inputs.seeds.length} seeds, ${inputs.environment.image ?? `Python ${inputs.environment.python}`}`,
    );
  }
  if (key.against !== null) {
    lines.push(
      '',
      key.against.changes.length === 0
        ? `The same as ${plainText(key.against.name)}.`
        : `Differs from ${plainText(key.against.name)} (${key.against.runKey.slice(0, 20)}…) in:`,
    );
    if (key.against.changes.length > 0) {
      lines.push(
        table(
          key.against.changes.map((change) => [
            `  ${change.kind}`,
            change.subject,
            short(change.from) ?? '(none)',
            '->',
            short(change.to) ?? '(none)',
          ]),
        ),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function short(value: string | null): string | null {
  return value !== null && /^sha256:/.test(value) ? shortDigest(value) : value;
}

export function printRun(run: RunDocument): string {
  const seconds = run.stages.reduce((sum, stage) => sum + Number(stage.seconds), 0);
  const lines = [
    run.reproduction !== null
      ? `reproduced: ${run.reproduction.level}: ${run.runKey} was run again and compared with the stored result`
      : run.cache === 'hit'
        ? `hit: ${run.runKey} was in the store; every output restored and verified, nothing trained`
        : `trained: ${run.runKey} in ${seconds.toFixed(1)} s`,
    '',
    table(
      run.outputs.map((output) => [`  ${output.path}`, count(output.bytes), shortDigest(output.digest)]),
      [1],
    ),
  ];
  if (run.metrics.length > 0) lines.push('', table(run.metrics.map((metric) => [`  ${metric.name}`, metric.value])));
  if (run.reproduction !== null) {
    lines.push(
      '',
      table(run.reproduction.outputs.map((output) => [`  ${output.level}`, output.path, output.detail ?? ''])),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A share of production's value has as many digits as that has. */
function marginText(metric: ComparedMetric): string {
  if (metric.margin === null || metric.relative == null) return metric.margin ?? '';
  return rounded(metric.margin);
}

function rowName(metric: ComparedMetric | ComparedSlice): string {
  if (!('slice' in metric)) return metric.name;
  const { column, value } = metric.slice;
  // A slice column that the dataset lacks has no values.
  return `${metric.name} · ${plainText(column, 60)}${metric.rows === 0 ? '' : ` = ${plainText(value, 60)}`}`;
}

export function printComparison(comparison: ComparisonDocument): string {
  const claim = claimText(comparison);
  const lines = [
    `${comparison.verdict}: ${comparison.outcome}${comparison.reason === null ? '' : `: ${plainText(comparison.reason, 500)}`}${comparison.rows === 0 ? '' : `, ${count(comparison.rows)} rows`}`,
    ...(claim === null ? [] : [claim]),
  ];
  const rows = (metrics: readonly (ComparedMetric | ComparedSlice)[]) =>
    table(
      [
        ['', 'metric', 'production', 'candidate', 'change', 'interval', 'allowed', 'verdict'],
        ...metrics.map((metric) => [
          mark(metric.gate),
          rowName(metric),
          valueCell(metric, 'production'),
          valueCell(metric, 'candidate'),
          change(metric.delta, digitsOf(metric)),
          isUnpaired(metric)
            ? 'unpaired'
            : interval(metric.interval, digitsOf(metric)).replace(/[()]/g, '').trim() || '–',
          [
            metric.margin === null ? '' : `margin ${marginText(metric)}${share(metric)}`,
            metric.min === null ? '' : `min ${metric.min}`,
            metric.max === null ? '' : `max ${metric.max}`,
          ]
            .filter((part) => part !== '')
            .join(', '),
          `${metric.verdict}${neededText(metric) === null ? '' : ` (${neededText(metric)} would decide)`}`,
        ]),
      ],
      [2, 3, 4],
    );
  if (comparison.metrics.length > 0) lines.push('', rows(comparison.metrics));
  if (comparison.slices.length > 0) lines.push('', rows(sortedSlices(comparison.slices)));
  const groups = groupsOf(comparison);
  if (groups.length > 0) {
    lines.push(
      '',
      table(
        [
          ['', 'group', 'rate', 'rows', 'production', 'candidate', 'change', 'evidence'],
          ...sortedGroups(groups).map((group) => {
            const cells = groupCells(group);
            return [
              mark(group.gate),
              phraseText(groupName(group)),
              rateWords(group),
              cells.rows,
              cells.production,
              cells.candidate,
              cells.change,
              evidenceWords(group),
            ];
          }),
        ],
        [3, 4, 5, 6],
      ),
    );
  }
  for (const { environment, verdict, words } of environmentAnswers(comparison)) {
    const own = ownGates(environment);
    lines.push('', `${mark(verdict)} ${environment.name} ${phraseText(words)}`);
    if (own.length > 0) lines.push(rows(own));
  }
  if (comparison.power !== undefined) lines.push('', powerTable(comparison.power));
  const reasons = [...comparison.metrics, ...comparison.slices].flatMap((metric) =>
    metric.reason === null || metric.reason === comparison.reason
      ? []
      : [`${rowName(metric)}: ${plainText(metric.reason, 500)}`],
  );
  if (reasons.length > 0) lines.push('', ...new Set(reasons));
  return `${lines.join('\n')}\n`;
}

/** What the rows can show: margins that fit them, and rows that fit the margins. */
function powerTable(power: readonly MetricPower[]): string {
  if (power.length === 0) return 'No gate was compared, or the two differ nowhere: nothing can be said of margins.';
  const chances = power[0]?.at.map((one) => Number(one.power) * 100) ?? [];
  const heads = chances.flatMap((chance) => [`margin kept in ${chance} %`, `rows for yours, ${chance} %`]);
  return table(
    [
      ['if the two are equally good', 'standard error', 'your margin', ...heads],
      ...power.map((metric) => [
        metric.name,
        rounded(metric.standardError),
        metric.margin === null ? '–' : rounded(metric.margin, 6),
        ...metric.at.flatMap(({ margin, rows }) => [rounded(margin), rows === null ? '–' : count(rows)]),
      ]),
    ],
    [1, 2, ...heads.map((_, at) => at + 3)],
  );
}

function rounded(decimal: string, digits = 3): string {
  return String(Number(Number(decimal).toPrecision(digits)));
}

export function printScan(scan: ScanDocument): string {
  const lines = [`${scan.verdict}: ${scan.files.length} ${scan.files.length === 1 ? 'file' : 'files'}`];
  for (const file of scan.files) {
    lines.push(`  ${mark(file.verdict)} ${plainText(file.path)} (${file.format}), ${file.globals.length} globals`);
    for (const finding of file.findings) lines.push(`       ${finding.rule}: ${plainText(finding.detail, 300)}`);
  }
  return `${lines.join('\n')}\n`;
}

export function printImage(image: ImageDocument): string {
  return `${image.cache === 'hit' ? 'hit' : 'built'}: ${image.imageKey}\n  ${image.reference ?? image.imageId}, ${megabytes(image.bytes)}\n`;
}

export function printProbe(probe: ProbeDocument): string {
  const lines = [
    `${probe.verdict}: ${plainText(probe.target)}, ${probe.executed} checks${probe.readySeconds === null ? '' : `, ready in ${Number(probe.readySeconds).toFixed(2)} s`}`,
    '',
  ];
  lines.push(table(probe.checks.map((check) => [`  ${mark(check.verdict)}`, check.id, check.detail])));
  if (probe.latency !== null)
    lines.push(
      '',
      `  latency over ${probe.latency.requests} requests: p50 ${Number(probe.latency.p50Ms).toFixed(1)} ms, p95 ${Number(probe.latency.p95Ms).toFixed(1)} ms`,
    );
  if (probe.predictions !== null)
    lines.push(`  predictions: ${count(probe.predictions.equal)} of ${count(probe.predictions.rows)} equal`);
  return `${lines.join('\n')}\n`;
}

export function printPromotion(promotion: PromotionDocument | RollbackDocument): string {
  const lines = [
    `${promotion.outcome}: ${promotion.model} -> ${promotion.environment}${promotion.reason === null ? '' : `: ${plainText(promotion.reason, 800)}`}`,
  ];
  const group = 'models' in promotion ? (promotion.models ?? []) : [];
  for (const { model, from, to } of group)
    lines.push(`  ${model} from ${plainText(from.version)} back to ${plainText(to.version)}`);
  if (group.length === 0 && 'from' in promotion && promotion.from !== null && promotion.to !== null) {
    lines.push(
      `  from ${plainText(promotion.from.version)} ${shortDigest(promotion.from.modelDigest)} back to ${plainText(promotion.to.version)} ${shortDigest(promotion.to.modelDigest)}`,
    );
  }
  if (promotion.pullRequest !== null)
    lines.push(`  ${plainText(promotion.pullRequest.url, 1024)}${promotion.merged ? ' (merged)' : ''}`);
  else if (promotion.commit !== null) lines.push(`  ${pushedTo(promotion)}`);
  for (const note of promotion.notes ?? []) lines.push(`  look at ${plainText(note, 1000)}`);
  for (const edit of promotion.edits) {
    const summed = recordChange(edit);
    if (summed === null) lines.push('', ...edit.diff.split(/\r?\n/).map((line) => plainText(line, 2000)));
    else lines.push('', `${plainText(edit.file)}: ${summed}`);
  }
  if (promotion.proposal !== undefined) lines.push(...proposalLines(promotion.proposal));
  return `${lines.join('\n')}\n`;
}

/** Where a remote has no pull requests: the branch, or that the base branch has it already. */
function pushedTo({ branch, commit, merged }: PromotionDocument | RollbackDocument): string {
  const at = plainText(commit ?? '', 64).slice(0, 12);
  return `${merged ? 'pushed to the base branch' : `pushed ${plainText(branch ?? '')}`} at ${at}`;
}

/**
 * What a person opens the pull request with. A terminal shows no zero-width space, and what was pasted from it would call
 * people by their `@name`: a space that is seen stands for each.
 */
function proposalLines({ title, body, url }: Proposal): string[] {
  return [
    '',
    `Open the pull request: ${plainText(url, 2048)}`,
    '',
    plainText(title, 256),
    '',
    ...body.split(/\r?\n/).map((line) => plainText(line.replaceAll('\u200b', ' '), 4096)),
  ];
}

export function printManifestLint({ verdict, files, findings }: ManifestLintDocument): string {
  const lines = [
    `${verdict}: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} in ${files} ${files === 1 ? 'file' : 'files'}`,
  ];
  for (const finding of findings) {
    const where = `${plainText(finding.file, 1024)}:${finding.line}`;
    lines.push(
      `  ${mark(finding.verdict)} ${where} (${plainText(finding.rule)})`,
      `       ${plainText(finding.message, 1000)}`,
    );
    if (finding.hint !== null) lines.push(`       ${plainText(finding.hint, 500)}`);
  }
  return `${lines.join('\n')}\n`;
}

export function printStatus(status: StatusDocument): string {
  const lines = [`${plainText(status.repository)} at ${status.commit.slice(0, 12)}`, ''];
  if (status.rows.length === 0)
    lines.push('No record is there yet: `passloop adopt` writes a first one for what runs already.');
  else {
    lines.push(
      table([
        [
          'model',
          'environment',
          'state',
          'version',
          'model digest',
          'image digest',
          'since',
          'cause',
          'open pull request',
        ],
        ...status.rows.map((row) => [
          row.model,
          row.environment,
          row.state,
          row.version ?? '-',
          row.modelDigest === null ? '-' : shortDigest(row.modelDigest),
          row.imageDigest === null ? '-' : shortDigest(row.imageDigest),
          row.since ?? '-',
          row.cause ?? '-',
          row.openPullRequest === null ? (row.openBranch ?? '-') : `#${row.openPullRequest.number}`,
        ]),
      ]),
    );
  }
  for (const row of status.rows) {
    if (row.reason !== null) lines.push(`${row.model} in ${row.environment}: ${plainText(row.reason, 500)}`);
    for (const { number, modelDigest, by, at } of row.refused ?? [])
      lines.push(
        `${row.model} in ${row.environment}: ${plainText(by ?? 'somebody')} closed #${number}, which promoted ${shortDigest(modelDigest)}, on ${at.slice(0, 10)}`,
      );
    for (const drift of row.drift)
      lines.push(
        `  ${plainText(drift.file)} carries ${plainText(drift.found ?? 'nothing')}, its record says ${drift.recorded}`,
      );
  }
  if (status.holds.length > 0) {
    lines.push(
      '',
      'Held:',
      table(
        status.holds.map((hold) => [
          `  ${hold.model}`,
          hold.environment ?? 'everywhere',
          shortDigest(hold.modelDigest),
          hold.source,
          hold.by ?? '-',
          hold.reason,
        ]),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

export function printPlan(plan: PlanDocument): string {
  const rows = plan.models.map((model) => [
    model.name,
    model.affected ? 'affected' : 'not affected',
    model.runKey === null ? '-' : `${model.runKey.slice(0, 20)}…`,
    model.store,
    model.reason,
  ]);
  const lines = [
    `${plan.commit.slice(0, 12)}${plan.base === null ? '' : ` against ${plainText(plan.base.ref)} (${plan.base.commit.slice(0, 12)})`}`,
    '',
    table([['model', '', 'run key', 'store', 'why'], ...rows]),
  ];
  for (const model of plan.models) {
    for (const difference of model.policy.differences) {
      lines.push(
        `${model.name}: ${difference.path} ${difference.from ?? '(none)'} -> ${difference.to ?? '(none)'}${difference.loosens ? '  loosens' : ''}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

export function printReport(report: ReportDocument): string {
  const lines: string[] = [];
  for (const model of report.models) {
    const [first = '', ...rest] = headlineText(model);
    lines.push(first, ...rest.map((line) => `  ${line}`));
    for (const data of model.data) lines.push('', printDataReport(data).trimEnd());
    if (model.run !== null) lines.push('', printRun(model.run).trimEnd());
    if (model.image !== null) lines.push('', printImage(model.image).trimEnd());
    if (model.probe !== null) lines.push('', printProbe(model.probe).trimEnd());
    if (model.comparison !== null) lines.push('', printComparison(model.comparison).trimEnd());
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}
