import { ConfigurationError, plainText } from '@passloop/core';

/** One step of an address: a key of a map, an item of a list by its place, or by what one of its keys says. */
export type Step = { key: string } | { index: number } | { where: { key: string; value: string } };

const maxSteps = 40;

/**
 * Reads an address: `a.b[0].c`, `containers[name=model].image`, `labels."app.kubernetes.io/name"`.
 * @throws ConfigurationError with the place that can't be read
 */
export function parseAddress(address: string): Step[] {
  const steps: Step[] = [];
  let offset = 0;
  while (offset < address.length) {
    const rest = address.slice(offset);
    const [matched, step] = stepAt(rest, steps.length === 0) ?? [null, null];
    if (matched === null || step === null || steps.length >= maxSteps) throw unreadable(address, offset);
    steps.push(step);
    offset += matched.length;
  }
  if (steps.length === 0) throw unreadable(address, 0);
  return steps;
}

const quoted = /^"(?:[^"\\]|\\.)*"/;

function stepAt(rest: string, isFirst: boolean): [string, Step] | null {
  const index = /^\[(\d{1,6})\]/.exec(rest);
  if (index !== null) return [index[0], { index: Number(index[1]) }];
  const where = /^\[([^\s="[\]]+|"(?:[^"\\]|\\.)*")=([^"[\]][^[\]]*|"(?:[^"\\]|\\.)*")\]/.exec(rest);
  if (where !== null) {
    const key = textOf(where[1] ?? '');
    const value = textOf(where[2] ?? '');
    return key === null || value === null ? null : [where[0], { where: { key, value } }];
  }
  const separator = isFirst ? '' : '.';
  if (!rest.startsWith(separator)) return null;
  const key = rest.slice(separator.length);
  const written = quoted.exec(key)?.[0] ?? /^[^.[\]"=\s]+/.exec(key)?.[0];
  const name = written === undefined ? null : textOf(written);
  return written === undefined || name === null ? null : [separator + written, { key: name }];
}

function textOf(written: string): string | null {
  if (!written.startsWith('"')) return written;
  try {
    return JSON.parse(written) as string;
  } catch {
    return null;
  }
}

function unreadable(address: string, offset: number): ConfigurationError {
  return new ConfigurationError(
    `The address ${JSON.stringify(plainText(address))} can't be read at character ${offset + 1}.`,
    {
      hint: 'Write it as a.b[0].c, with items of lists by name as containers[name=model], and keys with dots in quotes: labels."app.kubernetes.io/name".',
    },
  );
}

/** The address as `parseAddress` reads it. */
export function formatAddress(steps: readonly Step[]): string {
  return steps
    .map((step, position) => {
      if ('index' in step) return `[${step.index}]`;
      if ('where' in step) return `[${keyText(step.where.key)}=${whereText(step.where.value)}]`;
      return `${position === 0 ? '' : '.'}${keyText(step.key)}`;
    })
    .join('');
}

function keyText(key: string): string {
  return /^[^.[\]"=\s]+$/.test(key) ? key : JSON.stringify(key);
}

function whereText(value: string): string {
  return /^[^"[\]\s][^"[\]]*$/.test(value) ? value : JSON.stringify(value);
}
