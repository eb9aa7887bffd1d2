import type { Evidence } from './evidence.ts';
import type { EvaluationFrame } from './frame.ts';
import { measureAreas } from './large-areas.ts';
import { measureCurves } from './large-curves.ts';
import { groupsOf } from './large-groups.ts';
import { measureQueries } from './large-queries.ts';
import type { Found, LargeEvidence } from './large-question.ts';
import { measureSums } from './large-summed.ts';
import { type Part, partsOf } from './large-sums.ts';
import type { Metric, SummedMetric } from './metric.ts';

/** A metric that will be asked for, and the slices on which it will be. */
export type LargeQuestion = { name: string; metric: Metric; slices: readonly string[] };

/** Why a metric can't be measured on rows that stay in the engine; null where it can. */
export function notInEngine(metric: Metric): string | null {
  if (metric.kind !== 'sums' || metric.sql !== undefined || metric.needs === 'prediction') return null;
  return 'its bins are quantiles';
}

/** Measures all that a comparison will ask of these rows. Only sums, counts and bounds leave the engine. */
export async function measureLarge(large: LargeEvidence, questions: readonly LargeQuestion[]): Promise<Evidence> {
  const { table } = large;
  const scopes: Scope[] = [];
  for (const column of [null, ...large.slices.map((slice) => slice.column)]) {
    const asked = column === null ? questions : questions.filter(({ slices }) => slices.includes(column));
    const part = column === null ? null : table.slices.get(column)!;
    if (column === null || asked.length > 0)
      scopes.push({ column, part, parts: await partsOf(table, part), questions: asked });
  }
  const isPlain = table.weight === null && !table.hasUnits;
  const curves = await measureCurves(
    large,
    scopes.map((scope) => ({
      ...scope,
      questions: scope.questions.flatMap(({ name, metric }) =>
        metric.kind === 'curve' && !(metric.area === true && isPlain) ? [{ name, metric }] : [],
      ),
    })),
  );
  const measured = new Map<string | null, Map<number, MeasuredPart>>();
  for (const [at, scope] of scopes.entries()) measured.set(scope.column, await measureParts(large, scope, curves[at]!));
  const parts = new Map<string, Evidence[]>();
  for (const { column, values } of large.slices) {
    const found = measured.get(column);
    parts.set(
      column,
      values.map((_, code) =>
        evidence(large, found?.get(code) ?? { rows: 0, weighing: 0, metrics: new Map() }, new Map()),
      ),
    );
  }
  return evidence(large, measured.get(null)!.get(0)!, parts);
}

/** All rows, or those of a slice's values, and what is asked of them. */
type Scope = {
  /** The slice; null for all rows. */
  column: string | null;
  /** Its column in the table. */
  part: string | null;
  parts: readonly Part[];
  questions: readonly LargeQuestion[];
};

type MeasuredPart = {
  rows: number;
  weighing: number;
  metrics: Map<string, Found>;
  /** Of all rows: what gaps between the groups of a column are told of, by the column. */
  groups?: Map<string, EvaluationFrame>;
};

function evidence(large: LargeEvidence, part: MeasuredPart, parts: Map<string, Evidence[]>): Evidence {
  const found = (name: string): Found => {
    const known = part.metrics.get(name);
    if (known === undefined) throw new RangeError(`${name} was not asked for`);
    return known;
  };
  function askGroups<T>(metric: Metric, ask: (frame: EvaluationFrame, metric: SummedMetric) => T, none: T): T {
    const frame = metric.kind === 'sums' && metric.by !== undefined ? part.groups?.get(metric.by) : undefined;
    return frame === undefined ? none : ask(frame, metric as SummedMetric);
  }
  return {
    task: large.shape.task,
    rows: part.rows,
    weighing: part.weighing,
    evaluationDigest: large.shape.evaluationDigest,
    declared: large.shape.declared,
    hasProduction: large.hasProduction,
    slices: large.slices.filter(({ column }) => parts.has(column)),
    paired: (name) => found(name).paired,
    alone: (name, _, of) => found(name).alone[of],
    insufficiency: (metric) => askGroups(metric, (frame, { insufficiency }) => insufficiency?.(frame) ?? null, null),
    groups: (name, metric) => askGroups(metric, (frame, { groups }) => groups?.(name, frame) ?? [], []),
    parts: (column) => parts.get(column) ?? [],
    curves: () => null,
  };
}

/** @param curves what was found of metrics of the ranking, by the part's code */
async function measureParts(
  large: LargeEvidence,
  scope: Scope,
  curves: ReadonlyMap<number, ReadonlyMap<string, Found>>,
): Promise<Map<number, MeasuredPart>> {
  const { part, parts, questions } = scope;
  const groups = new Map<string, EvaluationFrame>();
  for (const { metric } of questions) {
    if (part !== null || metric.kind !== 'sums' || metric.by === undefined || groups.has(metric.by)) continue;
    const found = await groupsOf(large, metric.by);
    if (found !== null) groups.set(metric.by, found);
  }
  const measured = new Map(
    parts.map(({ code, rows, weighing }): [number, MeasuredPart] => [
      code,
      { rows, weighing, metrics: new Map(curves.get(code)), groups },
    ]),
  );
  const ofQueries = questions.flatMap(({ name, metric }) => (metric.kind === 'queries' ? [{ name, metric }] : []));
  const queries = await measureQueries(large, { part, parts, questions: ofQueries });
  for (const [code, found] of queries) for (const [name, one] of found) measured.get(code)!.metrics.set(name, one);
  for (const { name, metric } of questions) {
    if (metric.kind === 'queries' || parts.every(({ code }) => measured.get(code)!.metrics.has(name))) continue;
    const question = { large, part, parts, groups: metric.kind === 'sums' ? groups.get(metric.by ?? '') : undefined };
    const found = metric.kind === 'sums' ? await measureSums(question, metric) : await measureAreas(question);
    for (const { code } of parts) measured.get(code)!.metrics.set(name, found.get(code)!);
  }
  return measured;
}
