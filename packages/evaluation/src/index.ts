export * from './compare.ts';
export * from './frame.ts';
export { gateVerdict, type InconclusivePolicy, pairedVerdict } from './gate.ts';
export { defaultResampling, type Resampling } from './measure.ts';
export { measuredScalars, metrics, metricValue } from './metrics.ts';
export * from './outcome.ts';
