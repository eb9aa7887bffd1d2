import { fromDecimal } from './decimal.ts';

// Numbers, digests and names as people read them. Documents keep the exact ones.

const minus = '−';

/** 48211 -> "48,211". */
export function count(value: number): string {
  return String(Math.trunc(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A decimal string for reading, with so many digits behind the point; fewer where the number is large. */
export function measured(text: string | null, digits = 4): string {
  if (text === null) return '–';
  const value = fromDecimal(text);
  const size = Math.abs(value);
  const shown =
    size >= 1e9
      ? value.toExponential(2)
      : size >= 1000
        ? value.toFixed(0)
        : size >= 100
          ? value.toFixed(Math.min(1, digits))
          : value.toFixed(digits);
  return unsigned(shown).replaceAll('-', minus);
}

/** What rounds to nothing has no sign: "−0.0000" would tell of a loss that nobody can see. */
function unsigned(shown: string): string {
  return Number(shown) === 0 ? shown.replace('-', '') : shown;
}

/** With its sign, as a change is read: "+0.0023", "−0.031". */
export function change(text: string | null, digits = 4): string {
  if (text === null) return '–';
  const shown = measured(text, digits);
  return fromDecimal(text) > 0 && Number(shown) !== 0 ? `+${shown}` : shown;
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
  brier: 'Brier score',
  ks: 'KS',
  ndcg: 'NDCG',
  map: 'MAP',
  mrr: 'MRR',
  mae: 'MAE',
  mse: 'MSE',
  rmse: 'RMSE',
  mape: 'MAPE',
  smape: 'sMAPE',
  r2: 'R²',
  mcc: 'MCC',
  latency_p50_ms: 'latency p50',
  latency_p95_ms: 'latency p95',
  image_bytes: 'image size',
};

export function metricName(name: string): string {
  if (Object.hasOwn(metricNames, name)) return metricNames[name] as string;
  // `f1_macro`, `ndcg_at_10`, `roc_auc_ovr`: the metric and its variant.
  const [, metric = '', variant = ''] = /^(.+?)_(macro|micro|weighted|ovr|at_\d+)$/.exec(name) ?? [];
  const known = Object.hasOwn(metricNames, metric) ? metricNames[metric] : undefined;
  return known === undefined ? name.replaceAll('_', ' ') : `${known} ${variant.replace('_', ' ')}`;
}

const units: Record<string, string> = {
  latency_p50_ms: ' ms',
  latency_p95_ms: ' ms',
  ready_seconds: ' s',
  image_bytes: ' MB',
};

export function unitOf(name: string): string {
  return units[name] ?? '';
}

/** A metric's number as people read it: with its unit, bytes as megabytes. */
export function quantity(name: string, text: string | null, digits: number): string {
  if (text === null) return '–';
  if (name === 'image_bytes') return `${unsigned((fromDecimal(text) / 1e6).toFixed(1))} MB`;
  return `${measured(text, digits)}${unitOf(name)}`;
}

/** A bound of a policy as it is written there, not rounded, with its unit. */
export function bound(name: string, text: string): string {
  const shown = name === 'image_bytes' ? String(fromDecimal(text) / 1e6) : text;
  return `${shown.replaceAll('-', minus)}${unitOf(name)}`;
}

const mostDigits = 8;

/**
 * How many digits behind the point tell this metric's numbers apart: two of the interval's width, for more is noise; but
 * enough that no rounded bound looks like the border (zero, the margin) which it was found beside.
 */
export function digitsOf(metric: {
  name: string;
  candidate?: string | null;
  interval?: readonly [string, string] | null;
  margin?: string | null;
}): number {
  const hasInterval = metric.interval !== null && metric.interval !== undefined;
  if (metric.name in units && !hasInterval) return 1;
  if (metric.interval === null || metric.interval === undefined) {
    const size = Math.abs(Number(metric.candidate ?? 0));
    return size > 0 && size < 0.01 ? digitsOfWidth(size / 10) : 4;
  }
  const bounds = metric.interval.map(fromDecimal);
  const margin = metric.margin === null || metric.margin === undefined ? 0 : fromDecimal(metric.margin);
  const looksAlike = (value: number, border: number, digits: number) =>
    value !== border && Number(value.toFixed(digits)) === Number(border.toFixed(digits));
  let digits = digitsOfWidth((bounds[1] ?? 0) - (bounds[0] ?? 0));
  while (
    digits < mostDigits &&
    bounds.some((value) => [0, margin, -margin].some((border) => looksAlike(value, border, digits)))
  )
    digits += 1;
  return digits;
}

function digitsOfWidth(width: number): number {
  // Shares have three at least: 0.745 beside 0.75 is no longer seen with two.
  return width > 0 ? Math.min(mostDigits, Math.max(width < 1 ? 3 : 1, 1 - Math.floor(Math.log10(width)))) : 4;
}
