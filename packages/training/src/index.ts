export { explainKeys } from './explain.ts';
export { localRunner, type Runner } from './local-runner.ts';
export { metricsTexts } from './outputs.ts';
export { type ComparePredictions, reproduceRun } from './reproduce.ts';
export { storedRun, trainRun } from './run.ts';
export { ForeignRun, sealedRun } from './sealed-run.ts';
export { trainingKey } from './training-plan.ts';
