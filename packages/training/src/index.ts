export { buildEnvironment, type EnvironmentRequest, type TrainingEnvironmentFolder } from './environment.ts';
export { explainKeys } from './explain.ts';
export { type LocalRunnerOptions, localRunner, type Runner, type StageRun, type StagesRun } from './local-runner.ts';
export { modelDigest } from './outputs.ts';
export { type ComparePredictions, type ReproduceRequest, reproduceRun } from './reproduce.ts';
export { sealRun, type Trained, type TrainRequest, trainRun } from './run.ts';
export { runKey, stageKey } from './run-key.ts';
export { planTraining, type TrainingPlan, trainingKey } from './training-plan.ts';
