import type { ComparedMetric } from '@passloop/documents';
import { isComparative } from '@passloop/model';
import { mean, pairedMean } from '@passloop/statistics';
import { type Frame, hasBounds, judgeAlone, judgeMissing, judgePaired, judgeSizes } from './gate.ts';
import type { PairedMeasurement } from './measure.ts';

/** What was measured on the images, of one metric. */
export type ImageMeasurement = {
  /** Of production's image by itself; null where that is not known. */
  production: number | null;
  candidate: number | null;
  /** Of both images side by side; absent for what no clock measures. */
  starts?: Starts | undefined;
};

export type Starts =
  /** A value a start, of both images in the same moment. */
  | { kind: 'measured'; production: readonly number[]; candidate: readonly number[] }
  /** It should have been measured, and could not be. */
  | { kind: 'failed'; reason: string }
  /** Nobody meant to measure it here: nothing is to be decided. */
  | { kind: 'left-out'; reason: string }
  /** The promotion measures it, which alone has both images. */
  | { kind: 'later'; reason: string };

/**
 * The difference of both images over their starts: the mean of the paired differences with Student's interval. A start is what is independent of
 * the others; the requests to one are not.
 * @throws RangeError for fewer than two starts
 */
export function measureStarts(
  { production, candidate }: { production: readonly number[]; candidate: readonly number[] },
  level = 0.95,
): PairedMeasurement {
  const differences = candidate.map((value, start) => value - production[start]!);
  const { delta, interval } = pairedMean(
    {
      rows: differences.length,
      total: differences.reduce((sum, one) => sum + one, 0),
      squares: differences.reduce((sum, one) => sum + one * one, 0),
    },
    { level },
  );
  const before = mean(production);
  return {
    production: before,
    candidate: before + delta,
    delta,
    interval,
    problem: null,
    level,
    method: `paired t of ${differences.length} starts side by side`,
  };
}

/** A gate on what the image itself measures. With a margin it needs production's image beside it; `min` and `max` hold without. */
export function judgeImage(frame: Frame, measured: ImageMeasurement | undefined, isFirst: boolean): ComparedMetric {
  const { gate } = frame;
  const { candidate = null, starts } = measured ?? {};
  if (candidate === null || !Number.isFinite(candidate)) return judgeMissing(frame, `${gate.metric} was not measured`);
  const production = measured !== undefined && Number.isFinite(measured.production) ? measured.production : null;
  if (!isComparative(gate)) return judgeAlone(frame, candidate, production, '');
  if (gate.metric === 'image_bytes' && production !== null) return judgeSizes(frame, candidate, production);
  if (starts?.kind === 'measured') return judgePaired(frame, measureStarts(starts), null);
  if (isFirst) return judgeAlone(frame, candidate, null, 'there is no baseline');
  if (starts?.kind === 'left-out') return judgeAlone(frame, candidate, production, starts.reason);
  if (starts?.kind === 'later')
    return { ...judgeAlone(frame, candidate, production, starts.reason), measuredAtPromotion: true };
  const why = starts?.reason ?? unknownReason(gate.metric);
  return hasBounds(gate) ? judgeAlone(frame, candidate, production, why) : judgeMissing(frame, why);
}

function unknownReason(metric: string): string {
  return metric === 'image_bytes'
    ? "the size of production's image is not known"
    : "it was not measured beside production's image";
}
