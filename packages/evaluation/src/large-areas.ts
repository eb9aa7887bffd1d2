import { delongOfSums, type PlacementSums } from '@passloop/statistics';
import { quoteDouble } from '@passloop/tables';
import { type Found, type LargeEvidence, nothing, type Question, type Side, sidesOf } from './large-question.ts';
import type { Part } from './large-sums.ts';
import type { LargeTable } from './large-table.ts';
import {
  areaMeasurement,
  finiteValue,
  missingColumn,
  noProduction,
  orReason,
  type PairedMeasurement,
  whoIs,
} from './measure.ts';

/**
 * The scores of a model are cut into so many ranges of about as many rows, and ranked in each: windows that fit the
 * engine's memory, on all its threads. A row's placement is its rank in the range and the rows in the ranges below.
 */
const ranges = 64;
const sampled = 20_000;

/** Areas under the ROC curve where rows are independent and weigh the same. */
export async function measureAreas({ large, part, parts }: Question): Promise<Map<number, Found>> {
  const sides = sidesOf(large);
  if (large.table.side('candidate').score === null) {
    return new Map(parts.map(({ code }) => [code, nothing(missingColumn('the candidate', 'score'))]));
  }
  const sums = await placementSums(large.table, part, sides);
  return new Map(
    parts.map((one) => {
      const found = sums.get(one.code)!;
      const area = (side: Side): number | string => {
        if (!sides.includes(side)) return noProduction;
        return finiteValue(found.wins[side] / (2 * found.positives * found.negatives), whoIs(side), one.rows);
      };
      return [
        one.code,
        {
          paired: pairedAreas(large, found, one),
          alone: { production: area('production'), candidate: area('candidate') },
        },
      ];
    }),
  );
}

function pairedAreas(large: LargeEvidence, sums: PlacementSums, { rows }: Part): PairedMeasurement | string {
  if (!large.hasProduction) return noProduction;
  if (rows < 2) return `${rows} rows are too few`;
  const { level } = large.resampling;
  return orReason(() => areaMeasurement(delongOfSums(sums, { level }), level));
}

/**
 * What DeLong's comparison needs of each part, in whole numbers, so that no order of the rows changes a digit.
 * @param part the slice's column; null for all rows
 * @returns by the part's code
 */
async function placementSums(
  table: LargeTable,
  part: string | null,
  sides: readonly Side[],
): Promise<Map<number, PlacementSums>> {
  const cuts = await Promise.all(sides.map((side) => cutsOf(table, side)));
  const columns = sides.map((side, i) => {
    const score = table.side(side).score as string;
    return `${score} AS s${i}, ${rangeOf(score, cuts[i]!)}::UTINYINT AS r${i}`;
  });
  const rows = `SELECT ${part ?? '0'} AS part, ${table.side('candidate').label} = 1 AS y, ${columns.join(', ')} FROM ${table.relation}`;
  // Twice the rows of the other class below, and once those tied: ranks among all less ranks among one's own.
  const ranked = sides.map((_, i) => {
    const [all, own] = [`a${i}`, `o${i}`];
    return `(rank() OVER ${all} + count(*) OVER ${all}) - (rank() OVER ${own} + count(*) OVER ${own}) AS d${i}`;
  });
  const windows = sides.map((_, i) => {
    return `a${i} AS (PARTITION BY part, r${i} ORDER BY s${i}), o${i} AS (PARTITION BY part, y, r${i} ORDER BY s${i})`;
  });
  const below = sides.map((_, i) => {
    const counts = `SELECT part, r${i}, count_if(y) AS p, count_if(NOT y) AS n FROM rows GROUP BY ALL`;
    const cumulated = (name: string) => `sum(${name}) OVER (PARTITION BY part ORDER BY r${i}) - ${name}`;
    return `below${i} AS (SELECT part, r${i}, ${cumulated('p')} AS p, ${cumulated('n')} AS n FROM (${counts}))`;
  });
  const joins = sides.map((_, i) => `JOIN below${i} b${i} ON b${i}.part = k.part AND b${i}.r${i} = k.r${i}`);
  const placed = sides.map((_, i) => `(k.d${i} + 2 * CASE WHEN y THEN b${i}.n ELSE b${i}.p END)::BIGINT AS d${i}`);
  const [before, after] = sides.length === 2 ? ['d0', 'd1'] : ['d0', 'd0'];
  const found = await table.session.rows(
    `WITH rows AS (${rows}), ${below.join(', ')}
     SELECT part, y, count(*), sum(${before})::VARCHAR, sum(${after})::VARCHAR,
       sum(${after} - ${before})::VARCHAR, sum((${after} - ${before})::HUGEINT * (${after} - ${before}))::VARCHAR
     FROM (SELECT k.part, y, ${placed.join(', ')}
           FROM (SELECT *, ${ranked.join(', ')} FROM rows WINDOW ${windows.join(', ')}) k ${joins.join(' ')})
     GROUP BY ALL`,
  );
  const sums = new Map<number, PlacementSums>();
  for (const [code, isPositive, count, production, candidate, moved, squares] of found) {
    const known = sums.get(Number(code)) ?? noPlacements();
    const side = isPositive === true ? 1 : 0;
    // A negative's placement counts the positives above: what is below with the other sign, and a constant.
    const total = side === 1 ? BigInt(moved as string) : -BigInt(moved as string);
    const ofClass = { total, squares: BigInt(squares as string) };
    sums.set(Number(code), {
      ...known,
      ...(side === 1
        ? { positives: Number(count), wins: { production: Number(production), candidate: Number(candidate) } }
        : { negatives: Number(count) }),
      moved: side === 1 ? [known.moved[0], ofClass] : [ofClass, known.moved[1]],
    });
  }
  return sums;
}

function noPlacements(): PlacementSums {
  const none = { total: 0n, squares: 0n };
  return { positives: 0, negatives: 0, wins: { production: 0, candidate: 0 }, moved: [none, none] };
}

/** Scores between which the ranges lie. Any will do: they change the work, and no result. */
async function cutsOf(table: LargeTable, side: Side): Promise<number[]> {
  const score = table.side(side).score as string;
  const rows = await table.session.rows(
    `SELECT s FROM (SELECT ${score} AS s FROM ${table.relation} USING SAMPLE ${sampled} ROWS) ORDER BY s`,
  );
  const values = rows.map(([value]) => Number(value));
  const cuts = Array.from({ length: ranges - 1 }, (_, i) => values[Math.floor(((i + 1) * values.length) / ranges)]!);
  return [...new Set(cuts)];
}

/** The number of cuts that a score reaches, by halves. */
function rangeOf(score: string, cuts: readonly number[], from = 0, to = cuts.length): string {
  if (from >= to) return String(from);
  const middle = (from + to) >>> 1;
  const [lower, upper] = [rangeOf(score, cuts, from, middle), rangeOf(score, cuts, middle + 1, to)];
  return `(CASE WHEN ${score} < ${quoteDouble(cuts[middle]!)} THEN ${lower} ELSE ${upper} END)`;
}
