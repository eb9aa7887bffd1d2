import { bucketing } from './buckets.ts';
import { cellPlan } from './cells.ts';
import type { Found, LargeEvidence, Side } from './large-question.ts';
import type { Part } from './large-sums.ts';
import { finiteValue, missingColumn, noProduction, orReason, whoIs } from './measure.ts';
import type { QueryMetric } from './metric.ts';
import { mostQueries } from './model-sums.ts';
import { intervalOfQueries, type QuerySums } from './resample.ts';

/** Some rows and what is asked of them: those of a slice's values (`part` is the column's name in the table), or all. */
export type QueryScope = {
  part: string | null;
  parts: readonly Part[];
  questions: readonly { name: string; metric: QueryMetric }[];
};

/**
 * Metrics of rankings, of rows that stay in the engine. The rows come query by query, in the order in which the queries
 * first come by key, as in memory: one query is held at a time, and the sums of the cells.
 *
 * @returns by the part's code, then by the metric's name
 */
export async function measureQueries(
  large: LargeEvidence,
  { part, parts, questions }: QueryScope,
): Promise<Map<number, Map<string, Found>>> {
  const { table, resampling, hasProduction } = large;
  const sides: readonly Side[] = hasProduction ? ['production', 'candidate'] : ['candidate'];
  const missing = sides.find((side) => table.side(side).score === null);
  const found = new Map(parts.map(({ code }) => [code, new Map<string, Found>()]));
  if (questions.length === 0) return found;
  if (missing !== undefined) {
    const reason = missingColumn(whoIs(missing), 'score');
    for (const named of found.values()) {
      for (const { name } of questions)
        named.set(name, { paired: reason, alone: { production: reason, candidate: reason } });
    }
    return found;
  }
  const sums = new Map(
    parts.map(({ code, units }) => {
      const plan = cellPlan(units ?? 0, 'queries', mostQueries);
      const empty = () => new Float64Array(2 * plan.count);
      const ofMetrics = questions.map((): QuerySums => ({ plan, production: empty(), candidate: empty(), valued: 0 }));
      const cellOf = plan.isAlone ? (query: number) => query : bucketing(resampling.seed, plan.count);
      return [
        code,
        { ofMetrics, cellOf, queries: 0, totals: questions.map(() => ({ production: [0, 0], candidate: [0, 0] })) },
      ];
    }),
  );
  const own = (side: Side) => table.side(side).score!;
  const { label, weight } = table.side('candidate');
  const name = part ?? '0';
  const columns = ['part', 'unit', label, weight, ...sides.map(own)].map((column) => `(${column})::DOUBLE`).join(', ');
  const first = `min("row") OVER (PARTITION BY ${name}, ${table.unit})`;
  let [code, unit, ownWeight] = [-1, -1, 0];
  let rows: number[][] = [];
  function endQuery(): void {
    if (rows.length === 0) return;
    const part = sums.get(code)!;
    const cell = part.cellOf(part.queries);
    part.queries += 1;
    const column = (at: number) => Float64Array.from(rows, (row) => row[at]!);
    const labels = column(0);
    for (const [k, { metric }] of questions.entries()) {
      for (const [at, side] of sides.entries()) {
        const value = metric.valueOf(labels, column(1 + at));
        if (Number.isNaN(value)) continue;
        const into = part.ofMetrics[k]!;
        into[side][2 * cell]! += ownWeight;
        into[side][2 * cell + 1]! += ownWeight * value;
        part.totals[k]![side][0]! += ownWeight;
        part.totals[k]![side][1]! += ownWeight * value;
        if (at === 0 && ownWeight > 0) into.valued += 1;
      }
    }
    rows = [];
  }
  await table.session.scan(
    `SELECT ${columns} FROM (SELECT *, ${name} AS part, ${table.unit} AS unit, ${first} AS first FROM ${table.relation}) ORDER BY part, first, "row"`,
    (chunk) => {
      const [codes, units, labels, weights, ...scores] = chunk.getColumns() as number[][];
      for (let row = 0; row < codes!.length; row += 1) {
        if (codes![row] !== code || units![row] !== unit) {
          endQuery();
          [code, unit, ownWeight] = [codes![row]!, units![row]!, weights![row]!];
        }
        rows.push([labels![row]!, ...scores.map((values) => values[row]!)]);
      }
    },
  );
  endQuery();
  for (const one of parts) {
    const { ofMetrics, totals } = sums.get(one.code)!;
    for (const [k, { name }] of questions.entries()) {
      const value = (side: Side): number | string => {
        if (!sides.includes(side)) return noProduction;
        const [weight, weighted] = totals[k]![side] as [number, number];
        return finiteValue(weighted / weight, whoIs(side), one.rows);
      };
      const alone = { production: value('production'), candidate: value('candidate') };
      found.get(one.code)!.set(name, { alone, paired: pairedQueries(large, one, ofMetrics[k]!, alone) });
    }
  }
  return found;
}

function pairedQueries(
  { hasProduction, resampling }: LargeEvidence,
  { rows }: Part,
  sums: QuerySums,
  { production, candidate }: Found['alone'],
): Found['paired'] {
  if (!hasProduction) return noProduction;
  if (rows < 2) return `${rows} rows are too few`;
  if (typeof production === 'string') return production;
  if (typeof candidate === 'string') return candidate;
  const interval = orReason(() => intervalOfQueries(sums, { ...resampling, permute: true }));
  if (typeof interval === 'string') return interval;
  return { production, candidate, delta: candidate - production, level: resampling.level, ...interval };
}
