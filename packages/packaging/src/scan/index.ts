export type { ScanFinding, ScanRule, ScanVerdict } from './finding.ts';
export { defaultLimits, type ScanLimits } from './limits.ts';
export { type ScannedFile, type ScanOptions, scanModelFile } from './scan-model-file.ts';
