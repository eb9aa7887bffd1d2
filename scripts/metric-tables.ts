import { builtInRows, declaredExamples, declaredRow, type MetricRow } from '@passloop/evaluation';
import { formOf } from '@passloop/model';

/** The table of the metrics that a gate may name as they are, for docs/metrics.md. */
export function builtInTable(): string {
  return table('metric', builtInRows());
}

/** The table of the kinds that a model file may declare. */
export function declaredTable(): string {
  return table(
    'a metric under `metrics`',
    declaredExamples.map((one) => declaredRow(one, formOf(one.example))),
  );
}

function table(first: string, rows: readonly MetricRow[]): string {
  const lines = rows.map(({ name, tasks, needs, better, formula, interval }) =>
    [`\`${name}\``, tasks, needs, better, formula, interval].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
  );
  const head = `| ${first} | tasks | needs | better | definition | interval |\n|---|---|---|---|---|---|`;
  return `${head}\n${lines.map((line) => `| ${line} |`).join('\n')}\n`;
}
