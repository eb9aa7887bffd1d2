import { z } from 'zod';
import { ComparisonDocument } from './comparison.ts';
import { DataReport } from './data-report.ts';
import { ImageDocument, ProbeDocument, ScanDocument } from './image.ts';
import { Policy } from './plan.ts';
import { Plot, plotsOfModel } from './plot.ts';
import { ProductionPointer } from './record.ts';
import { RunDocument } from './run.ts';
import { Change, Commit, ModelName, Outcome, RunKey, Text, Timestamp, Verdict } from './scalars.ts';

/** Why a part of the check has no document: it is said, never left out. */
export const MissingPart = z.object({
  part: z.enum(['data', 'run', 'image', 'scan', 'probe', 'comparison']),
  verdict: Verdict,
  reason: Text,
});
export type MissingPart = z.infer<typeof MissingPart>;

export const ModelReport = z.object({
  name: ModelName,
  affected: z.boolean(),
  verdict: Verdict,
  outcome: Outcome.nullable(),
  /** What decided, worst first, each a sentence. */
  reasons: z.array(Text),
  runKey: RunKey.nullable(),
  policy: Policy,
  changes: z.array(Change),
  /** Against which production the candidate stands, and how old that knowledge is. */
  production: ProductionPointer.nullable(),
  data: z.array(DataReport),
  run: RunDocument.nullable(),
  image: ImageDocument.nullable(),
  scan: ScanDocument.nullable(),
  probe: ProbeDocument.nullable(),
  comparison: ComparisonDocument.nullable(),
  missing: z.array(MissingPart),
  /** What the team draws itself; absent where the model file names no plots. */
  plots: z.array(Plot).max(plotsOfModel).optional(),
});
export type ModelReport = z.infer<typeof ModelReport>;

export const ReportDocument = z.object({
  schema: z.literal('passloop/report/v1'),
  passloop: z.string().max(64),
  repository: z.string().max(256).nullable(),
  head: Commit,
  base: z.object({ ref: z.string().max(512), commit: Commit }).nullable(),
  verdict: Verdict,
  models: z.array(ModelReport),
  madeAt: Timestamp.nullable(),
});
export type ReportDocument = z.infer<typeof ReportDocument>;
