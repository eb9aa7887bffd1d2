import { z } from 'zod';
import { Count, Decimal, ScalarText, Text } from './scalars.ts';

/** What a plot holds at most. */
export const plotPoints = 200;
export const plotSeries = 6;
export const plotBars = 30;
export const plotClasses = 20;
export const plotsOfModel = 20;
/** Of a Vega-Lite specification with its data, as JSON. */
export const plotSpecCharacters = 300_000;

/** A plot that the team's own code left as a file of numbers. Exactly one of its parts is there, or the reason why none is. */
export const Plot = z.object({
  /** As the model file names it. */
  file: z.string().max(1024),
  title: ScalarText,
  lines: z
    .object({
      shape: z.enum(['line', 'scatter']),
      x: ScalarText,
      y: ScalarText,
      series: z
        .array(z.object({ name: ScalarText, points: z.array(z.tuple([Decimal, Decimal])).max(plotPoints) }))
        .max(plotSeries),
      /** Rows of the file; more than there are points where only some are shown. */
      rows: Count,
    })
    .nullable(),
  bars: z
    .array(z.object({ name: ScalarText, value: Decimal }))
    .max(plotBars)
    .nullable(),
  /** Rows by actual (outer) and predicted (inner) class. */
  matrix: z
    .object({
      classes: z.array(ScalarText).max(plotClasses),
      counts: z.array(z.array(Count).max(plotClasses)).max(plotClasses),
    })
    .nullable(),
  /** Vega-Lite with its data inside it, as JSON: a stranger's, drawn apart. */
  spec: z.string().max(plotSpecCharacters).optional(),
  reason: Text.nullable(),
});
export type Plot = z.infer<typeof Plot>;
