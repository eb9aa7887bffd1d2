import { fromDecimal, toDecimal } from '@passloop/core';
import type { ComparisonDocument, MetricPower } from '@passloop/documents';
import { normalQuantile, rowsForMargin } from '@passloop/statistics';
import { standardErrorOf } from './measure.ts';

const powers = [0.8, 0.9] as const;

/**
 * What these rows can show, to size margins and holdouts: for each gate that was compared, the smallest margin that an equally
 * good candidate keeps with a chance of 80 and of 90 %, and the rows that the declared margin needs for that. From the width
 * of the measured interval, which shrinks with the square root of the rows (Julious 2004); the measured change itself plays no part.
 */
export function powerOf({ metrics, rows }: ComparisonDocument): MetricPower[] {
  return metrics.flatMap((metric): MetricPower[] => {
    if (metric.interval === null || metric.level === null) return [];
    const level = fromDecimal(metric.level);
    const standardError = standardErrorOf([fromDecimal(metric.interval[0]), fromDecimal(metric.interval[1])], level);
    // Two that do the same everywhere: that no margin is too small for them says nothing of a model that is retrained.
    if (!(standardError > 0)) return [];
    const alpha = (1 - level) / 2;
    return [
      {
        name: metric.name,
        rows,
        standardError: toDecimal(standardError),
        margin: metric.margin,
        at: powers.map((power) => ({
          power: toDecimal(power),
          margin: toDecimal((normalQuantile(1 - alpha) + normalQuantile(power)) * standardError),
          rows:
            metric.margin === null
              ? null
              : boundedRows(
                  rowsForMargin(
                    { standardDeviation: standardError * Math.sqrt(rows), margin: fromDecimal(metric.margin) },
                    { alpha, power },
                  ),
                ),
        })),
      },
    ];
  });
}

/** More rows than anybody has are no advice. */
function boundedRows(rows: number | null): number | null {
  return rows === null || rows > 1e12 ? null : rows;
}
