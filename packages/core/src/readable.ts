import { fromDecimal } from './decimal.ts';

// Numbers, digests and names as people read them. Documents keep the exact ones.

const minus = '−';

/** 48211 -> "48,211". */
export function count(value: number): string {
  return String(Math.trunc(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A decimal string for reading: as many digits as tell `scale` apart (a margin, a delta), four by default. */
export function measured(text: string | null, digits = 4): string {
  if (text === null) return '–';
  const value = fromDecimal(text);
  const size = Math.abs(value);
  const shown =
    size !== 0 && (size < 10 ** -digits || size >= 1e7)
      ? value.toExponential(2)
      : size >= 1000
        ? value.toFixed(0)
        : size >= 100
          ? value.toFixed(1)
          : value.toFixed(digits);
  return shown.replace('-', minus);
}

/** With its sign, as a change is read: "+0.0023", "−0.031". */
export function change(text: string | null, digits = 4): string {
  if (text === null) return '–';
  const shown = measured(text, digits);
  return fromDecimal(text) > 0 ? `+${shown}` : shown;
}

export function interval(bounds: readonly [string, string] | null, digits = 4): string {
  return bounds === null ? '' : ` (${measured(bounds[0], digits)} … ${measured(bounds[1], digits)})`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** "sha256:41d0…" */
export function shortDigest(digest: string): string {
  const [algorithm, hex] = digest.includes(':') ? digest.split(':') : ['', digest];
  return `${algorithm === '' ? '' : `${algorithm}:`}${(hex ?? '').slice(0, 12)}…`;
}

export function age(from: string, to: string): string {
  const minutes = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 60_000));
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} d ago`;
}

const metricNames: Record<string, string> = {
  roc_auc: 'ROC AUC',
  pr_auc: 'PR AUC',
  log_loss: 'log loss',
  f1: 'F1',
  mae: 'MAE',
  rmse: 'RMSE',
  r2: 'R²',
  mcc: 'MCC',
  latency_p50_ms: 'latency p50',
  latency_p95_ms: 'latency p95',
  image_bytes: 'image size',
};

export function metricName(name: string): string {
  return metricNames[name] ?? name.replaceAll('_', ' ');
}

export function unitOf(name: string): string {
  return name.endsWith('_ms') ? ' ms' : '';
}

/** How many digits tell this metric's numbers apart. */
export function digitsOf(metric: { name: string }): number {
  return metric.name.endsWith('_ms') ? 1 : metric.name === 'image_bytes' ? 0 : 4;
}
