import { ConfigurationError, parseYaml, plainText } from '@passloop/core';
import { parse as parseToml, TomlError } from 'smol-toml';

/**
 * Numbers that a training wrote beside its model: JSON, YAML or TOML, nested names as `a.b`; DVC's `metrics show --json`;
 * DVCLive's folder; an MLflow run's folder; a list of `{name, unit, value}`.
 */
export type MetricsFile = {
  /** Each name once. NaN and infinities are values here, so that whoever judges can refuse them by name. */
  metrics: Map<string, number>;
  /** What is no number, as its text. */
  others: Map<string, string>;
};

export const largestMetricsFile = 1 << 20;
const mostMetrics = 1000;
const longestName = 256;
const deepest = 32;

/** How writers spell what JSON lacks: Python's json, numpy, YAML, TOML. */
const notFinite = /^([+-]?)\.?(nan|inf|infinity)$/i;

/**
 * @param name of the file, for its format and for messages
 * @throws ConfigurationError for what is not of the format, a name twice, too many or too deep
 */
export function parseMetricsFile(text: string, name: string): MetricsFile {
  if (text.length > largestMetricsFile) throw refused(name, `is larger than ${largestMetricsFile} bytes`);
  const value = withoutDvc(read(text, name));
  const found = collector(name);
  if (isNamedList(value)) for (const entry of value) found.add(entry.name, entry.value);
  else found.walk(value, '', 0);
  return found.result();
}

/**
 * @param files of a folder, path -> text: an MLflow run's (`metrics/<name>`, a line a step) or DVCLive's (`metrics.json`)
 * @throws ConfigurationError where it is neither, or a file of it is refused
 */
export function parseMetricsFolder(files: ReadonlyMap<string, string>, name: string): MetricsFile {
  const live = ['metrics.json', 'metrics.yaml', 'metrics.toml'].find((file) => files.has(file));
  if (live !== undefined) return parseMetricsFile(files.get(live) as string, `${name}/${live}`);
  const found = collector(name);
  for (const [path, text] of [...files].sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (!path.startsWith('metrics/')) continue;
    found.add(path.slice('metrics/'.length), lastStep(text, `${name}/${path}`));
  }
  const result = found.result();
  if (result.metrics.size > 0) return result;
  throw refused(name, 'is neither a run of MLflow (a folder `metrics`) nor of DVCLive (`metrics.json`)');
}

function read(text: string, name: string): unknown {
  if (/\.toml$/i.test(name)) {
    try {
      return parseToml(text);
    } catch (error) {
      if (error instanceof TomlError)
        throw refused(name, `is not TOML: ${plainText(error.message.split('\n')[0] ?? '')}`);
      throw error;
    }
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // YAML, or JSON as Python writes it, with NaN and Infinity: those are words in YAML.
    return parseYaml(text, name).value;
  }
  const twin = twinOf(text);
  if (twin !== null) throw refused(name, `has the metric ${plainText(twin)} twice`);
  return value;
}

/** A name that stands twice in one object of a JSON text, of which JSON.parse would take the last without a word; or null. */
function twinOf(json: string): string | null {
  const objects: Set<string>[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (name !== undefined) {
      const key = JSON.parse(name) as string;
      const names = objects.at(-1);
      if (names?.has(key)) return key;
      names?.add(key);
    }
  }
  return null;
}

/** `{revision: {data: {file: {data: metrics}}}}`, as `dvc metrics show --json` prints the one revision that is asked for. */
function withoutDvc(value: unknown): unknown {
  if (!isMap(value) || Object.keys(value).length !== 1) return value;
  const [revision] = Object.values(value);
  if (!isMap(revision) || Object.keys(revision).join() !== 'data' || !isMap(revision.data)) return value;
  const files = Object.values(revision.data);
  if (files.length === 0 || !files.every((file) => isMap(file) && isMap(file.data))) return value;
  return files.length === 1
    ? (files[0] as { data: unknown }).data
    : files.map((file) => (file as { data: unknown }).data);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is { name: string; value: unknown }[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((entry) => isMap(entry) && typeof entry.name === 'string' && 'value' in entry)
  );
}

function collector(file: string) {
  const metrics = new Map<string, number>();
  const others = new Map<string, string>();
  function add(name: string, value: unknown): void {
    if (name.length > longestName || metrics.size + others.size >= mostMetrics)
      throw refused(file, 'has too many metrics, or too long names');
    if (metrics.has(name) || others.has(name)) throw refused(file, `has the metric ${plainText(name)} twice`);
    const number = asNumber(value);
    if (number === null) others.set(name, plainText(String(JSON.stringify(value)), 40));
    else metrics.set(name, number);
  }
  function walk(value: unknown, place: string, depth: number): void {
    if (depth > deepest) throw refused(file, `is deeper than ${deepest}`);
    if (isMap(value) && !(value instanceof Date)) {
      for (const [key, child] of Object.entries(value)) walk(child, place === '' ? key : `${place}.${key}`, depth + 1);
    } else if (place === '' && Array.isArray(value) && value.length > 0 && value.every(isMap)) {
      for (const child of value) walk(child, '', depth + 1);
    } else {
      add(place, value);
    }
  }
  return { add, walk, result: (): MetricsFile => ({ metrics, others }) };
}

function asNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  const [, sign, word] = typeof value === 'string' ? (notFinite.exec(value.trim()) ?? []) : [];
  if (word === undefined) return null;
  return /nan/i.test(word) ? Number.NaN : sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** MLflow appends `timestamp value step`; the last step is what it shows, and of one step the latest. */
function lastStep(text: string, file: string): number {
  let last: { step: number; at: number; value: number } | null = null;
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [at, value, step = '0', ...rest] = line.trim().split(/\s+/);
    const number = value === undefined ? null : asNumber(/^[+-]?[\d.]/.test(value) ? Number(value) : value);
    if (number === null || rest.length > 0 || !/^\d+$/.test(at ?? '') || !/^-?\d+$/.test(step))
      throw refused(file, `has a line ${i + 1} that is no "timestamp value step"`);
    const next = { step: Number(step), at: Number(at), value: number };
    if (last === null || next.step > last.step || (next.step === last.step && next.at >= last.at)) last = next;
  }
  if (last === null) throw refused(file, 'is empty');
  return last.value;
}

function refused(file: string, why: string): ConfigurationError {
  return new ConfigurationError(`${file}: ${why}.`, {
    file,
    hint: 'Write one JSON object of finite numbers: {"roc_auc": 0.75}. YAML, TOML, the folders of DVCLive and of an MLflow run, and a list of {name, unit, value} are read too.',
  });
}
