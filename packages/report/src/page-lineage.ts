import { count, measured, megabytes } from '@passloop/core';
import type { ModelReport, ReportDocument } from '@passloop/documents';
import { badge, code, digest, table, text, verdictCell } from './page-text.ts';

/** From the rows and the code to what runs: each step by the digest that names it. `h` is the level of its heading. */
export function lineageSection(model: ModelReport, report: ReportDocument, h: string): string {
  const steps: [name: string, said: string[]][] = [];
  const { run, image, comparison, production } = model;
  if (run !== null) {
    steps.push([
      'Data',
      run.data.map(
        ({ name, rows, digest: of }) =>
          `${code(name)} ${digest(of)}${rows === null ? '' : ` <span class="note">${count(rows)} rows</span>`}`,
      ),
    ]);
    const { commit, repository } = run.producer;
    steps.push([
      'Code and params',
      [
        `${text(repository ?? report.repository ?? 'local repository')} at ${code(commit.slice(0, 12))}`,
        ...some(run.params, 'parameter'),
        ...some(run.seeds, 'seed'),
      ],
    ]);
    const seconds = run.stages.reduce((sum, stage) => sum + Number(stage.seconds), 0);
    steps.push([
      'Training',
      [
        `run key ${code(`${run.runKey.slice(0, 12)}…`)}`,
        run.cache === 'hit'
          ? 'restored from the store'
          : `${count(run.stages.length)} ${run.stages.length === 1 ? 'stage' : 'stages'}, ${seconds.toFixed(1)} s`,
        text(run.environment.python === null ? (run.environment.image ?? '?') : `Python ${run.environment.python}`),
      ],
    ]);
    steps.push(['Model', [digest(run.modelDigest)]]);
  }
  if (image !== null) steps.push(['Image', [`key ${code(`${image.imageKey.slice(0, 12)}…`)}`, megabytes(image.bytes)]]);
  if (comparison !== null && comparison.rows > 0)
    steps.push([
      'Compared on',
      [
        `${count(comparison.rows)} rows`,
        ...(comparison.evaluationDigest === null ? [] : [digest(comparison.evaluationDigest)]),
      ],
    ]);
  if (production !== null)
    steps.push([
      'With production',
      [digest(production.modelDigest), `deployed by ${code(production.deployCommit.slice(0, 7))}`],
    ]);
  if (steps.length === 0) return '';
  return `<${h}>Lineage</${h}>
<ol class="lineage">${steps
    .map(([name, said]) => `<li><strong>${name}</strong>${said.map((one) => `<span>${one}</span>`).join('')}</li>`)
    .join('')}</ol>`;
}

function some(values: readonly { name: string; value: string }[], what: string): string[] {
  if (values.length === 0) return [];
  const shown = values.slice(0, 4).map(({ name, value }) => code(`${name}=${value}`, 80));
  const more = values.length > shown.length ? ` and ${count(values.length - shown.length)} more` : '';
  return [`${values.length === 1 ? what : `${what}s`} ${shown.join(' ')}${more}`];
}

/** The image, its probe and the scan of the model file. */
export function imageSection(model: ModelReport, h: string): string {
  const parts: string[] = [];
  const { image, probe, scan } = model;
  if (image !== null) {
    const reference = image.reference === null ? '' : `<dt>reference</dt><dd>${code(image.reference, 600)}</dd>`;
    parts.push(
      `<${h}>Image</${h}><dl><dt>image key</dt><dd>${code(image.imageKey)}</dd><dt>size</dt><dd>${megabytes(image.bytes)}</dd><dt>base</dt><dd>${code(image.base, 600)}</dd>${reference}</dl>`,
    );
  }
  if (probe !== null) {
    const rows = probe.checks.map(
      (check) =>
        `<tr><th scope="row">${code(check.id)}</th>${verdictCell(check.verdict, check.verdict, null)}<td>${text(check.detail)}</td></tr>`,
    );
    const latency =
      probe.latency === null
        ? ''
        : ` p50 ${measured(probe.latency.p50Ms, 1)} ms, p95 ${measured(probe.latency.p95Ms, 1)} ms`;
    parts.push(
      `<details><summary>Probe: ${probe.checks.length} ${probe.checks.length === 1 ? 'check' : 'checks'} ${badge(probe.verdict)}${latency}</summary>${table('Checks of the image', ['check', 'verdict', 'found'], rows)}</details>`,
    );
  }
  if (scan !== null) {
    const rows = scan.files.map((file) => {
      const findings = file.findings.map(({ rule, detail }) => `${text(rule)}: ${text(detail)}`);
      const said = findings.length === 0 ? `${file.globals.length} globals, all allowed` : findings.join('<br>');
      return `<tr><th scope="row">${code(file.path)}</th><td>${text(file.format)}</td><td>${said}</td></tr>`;
    });
    parts.push(
      `<details><summary>Model scan <span class="${scan.verdict === 'pass' ? 'pass' : 'fail'}">${text(scan.verdict)}</span></summary>${table('Scan of the model', ['file', 'format', 'found'], rows)}</details>`,
    );
  }
  return parts.join('\n');
}
