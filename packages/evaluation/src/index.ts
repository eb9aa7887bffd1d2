export * from './compare.ts';
export * from './compare-files.ts';
export { compareNumbers, type NumbersSide } from './compare-numbers.ts';
export type { Evidence } from './evidence.ts';
export * from './frame.ts';
export { gateVerdict, type InconclusivePolicy, pairedVerdict } from './gate.ts';
export { parseGateFlag } from './gate-flag.ts';
export { type ImageMeasurement, measureStarts, type Starts } from './image-gate.ts';
export { type EvidenceQuestion, evidenceOfTables, mostValues } from './load-evidence.ts';
export {
  type ColumnField,
  type FrameQuestion,
  type FrameTables,
  frameOfTables,
  loadFrame,
  mostSliceValues,
} from './load-frame.ts';
export { defaultResampling, type Resampling } from './measure.ts';
export { builtInRows, declaredExamples, declaredRow, type MetricRow } from './metric-docs.ts';
export { parseMetricFlags } from './metric-flag.ts';
export { measuredScalars, metrics, metricValue } from './metrics.ts';
export * from './outcome.ts';
export { filledTemplate, hasAnchors, type PlotSpec, specsIn, withRows } from './plot-specs.ts';
export {
  type Cell,
  type PlotRecords,
  plotNotShown,
  plotOf,
  plotOfSpec,
  plotRows,
  recordsIn,
  recordsOf,
  templateRows,
} from './plots.ts';
export { powerOf } from './power.ts';
export { reviewComparison } from './review.ts';
