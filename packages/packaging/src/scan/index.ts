export { type ScanOptions, scanModelFile } from './scan-model-file.ts';
