import { count, plainText } from '@passloop/core';
import { mark } from '@passloop/report';
import type { Explanation } from '@passloop/verbs';

export function printExplanation(found: Explanation): string {
  const { record } = found;
  const { deployment, source } = record;
  const list = (values: readonly { name: string; value: string }[]) =>
    values.map((one) => `${one.name}=${one.value}`).join(' ') || '-';
  const rows = [
    ['model', `${record.identity} ${record.version}`],
    ['model digest', record.modelDigest],
    ['image', record.image.reference],
    ['image key', record.image.imageKey ?? '-'],
    [
      found.state === 'production' ? 'runs in' : 'ran in',
      `${deployment.environment}, by ${deployment.cause} of ${deployment.at}`,
    ],
    ['deploy commit', found.deployCommit ?? '-'],
    ['record', found.digest],
    ['promotion', deployment.promotionId],
    ['came after', deployment.previous === null ? 'nothing' : `model ${deployment.previous.modelDigest}`],
    ['run key', record.runKey ?? '-'],
    ['source', source === null ? '-' : `${source.repository ?? 'local'}@${source.commit}`],
    ...record.data.map((dataset) => [
      'data',
      `${dataset.name} ${dataset.uri} ${dataset.digest}${dataset.rows === null ? '' : ` (${count(dataset.rows)} rows)`}`,
    ]),
    ['params', list(record.params)],
    ['seeds', list(record.seeds)],
    [
      'environment',
      record.environment === null
        ? '-'
        : (record.environment.image ?? `Python ${record.environment.python}, ${record.environment.lock}`),
    ],
    ['code', `${record.code.length} files`],
    ['metrics', list(record.metrics)],
    [
      'compared with',
      record.comparedWith === null
        ? '-'
        : `${record.comparedWith.modelDigest}: ${record.comparedWith.outcome}, ${record.comparedWith.verdict}`,
    ],
    ...record.gates.map((gate) => [
      'gate',
      `${mark(gate.verdict)} ${gate.metric}${gate.slice === null ? '' : ` on ${gate.slice}`} ${gate.value ?? ''}${gate.interval === null ? '' : ` (${gate.interval[0]} … ${gate.interval[1]})`}`,
    ]),
  ];
  const lines = [
    rows.map(([term, value]) => `${plainText(term ?? '').padEnd(14)} ${plainText(value ?? '', 1000)}`).join('\n'),
    '',
    'Verified now:',
  ];
  // No table: why a link failed is never cut.
  for (const { verdict, what, detail } of found.links)
    lines.push(`  ${mark(verdict)}  ${what.padEnd(8)}  ${plainText(detail, 1000)}`);
  return `${lines.join('\n')}\n`;
}
