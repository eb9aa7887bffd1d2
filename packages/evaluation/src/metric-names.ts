/** The metrics, by what they need of a prediction. (A file that imports nothing: `--help` reads it.) */
export const metricNames = {
  score: ['roc_auc', 'log_loss', 'brier'],
  prediction: ['accuracy', 'balanced_accuracy', 'precision', 'recall', 'f1', 'mcc', 'mae', 'mse', 'rmse', 'r2'],
} as const;
