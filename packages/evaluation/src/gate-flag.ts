import { ConfigurationError } from '@passloop/core';
import { eitherOf, Gate, likelyMetrics, type Model, metricCatalog, metricForm, parameterNames } from '@passloop/model';
import { measuredScalars } from './metrics.ts';

const form = 'NAME:DIRECTION:MARGIN, or NAME:DIRECTION:min=BOUND';
const example = 'roc_auc:higher:0.005, log_loss:lower:max=0.5 or accuracy:higher:0.01:min=0.7:slice=country';
const numberText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const options = ['margin', 'relative', 'min', 'max', 'minRows', 'severity', 'slice'] as const;
type Option = (typeof options)[number];

/**
 * Reads a gate from a flag: `roc_auc:higher:0.005` (a margin), `roc_auc:higher:min=0.7`, both, and `slice=COLUMN` (as often
 * as wanted), `minRows=N`, `severity=warn`. A `:` in a column's name is written `\:`.
 *
 * @param declared metrics that other flags declare
 * @throws ConfigurationError that names the part that is wrong
 */
export function parseGateFlag(text: string, declared: Model['metrics'] = {}): Gate {
  return parseGate(text, (name) => {
    const form = metricForm(name, declared);
    if (form === null || form === 'image') throw unknownMetric(text, name, declared);
    return { name, direction: form.direction };
  });
}

/** {@link parseGateFlag}, where `metricOf` says what a written name means and which way it is better, if that is known. */
export function parseGate(
  text: string,
  metricOf: (name: string) => { name: string; direction: Gate['direction'] | null },
): Gate {
  const [written = '', direction = '', ...rest] = text
    .split(/(?<!\\):/)
    .map((part) => part.replaceAll('\\:', ':').trim());
  const metric = metricOf(written);
  const { name } = metric;
  if (direction !== 'higher' && direction !== 'lower') {
    throw refused(
      text,
      direction === ''
        ? 'the direction is missing: is `higher` or `lower` better?'
        : `the direction is ${JSON.stringify(direction)}; it must be \`higher\` or \`lower\``,
    );
  }
  if (metric.direction !== null && direction !== metric.direction)
    throw refused(text, `${name} is better when ${metric.direction}`);
  const found: Partial<Record<Option, string | number>> = {};
  const slices: string[] = [];
  for (const part of rest) {
    const [option, value] = optionOf(text, part);
    if (option === 'slice') {
      if (value === '') throw refused(text, '`slice` names no column');
      slices.push(value);
      continue;
    }
    if (found[option] !== undefined) throw refused(text, `\`${option}\` is given twice`);
    found[option] = option === 'severity' ? value : numberOf(text, option, value);
  }
  if (
    found.margin === undefined &&
    found.relative === undefined &&
    found.min === undefined &&
    found.max === undefined
  ) {
    throw refused(
      text,
      'it needs a margin (how much worse than production is allowed), `relative=` (a share of it), or `min=` or `max=`',
    );
  }
  const result = Gate.safeParse({ metric: name, direction, ...found, slices });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  const message = issue?.message ?? 'is wrong';
  throw refused(text, message.includes('`') || path === '' ? message : `\`${path}\` ${message}`);
}

function optionOf(text: string, part: string): [Option, string] {
  const at = part.indexOf('=');
  if (at < 0) {
    if (part === '') throw refused(text, 'a part is empty');
    return ['margin', part];
  }
  const option = part.slice(0, at);
  if (!(options as readonly string[]).includes(option)) {
    throw refused(text, `it has no option ${JSON.stringify(option)}; there are ${options.join(', ')}`);
  }
  return [option as Option, part.slice(at + 1)];
}

function numberOf(text: string, option: Option, value: string): number {
  const number = Number(value);
  if (numberText.test(value) && Number.isFinite(number)) return number;
  const why = /^[+-]?\d+,\d+$/.test(value) ? '; write it with a dot' : '';
  throw refused(text, `\`${option}\` is ${JSON.stringify(value)}, which is no number${why}`);
}

function unknownMetric(text: string, name: string, declared: Model['metrics']): ConfigurationError {
  if (measuredScalars.has(name)) return refused(text, `${name} is measured on an image, and files have none`);
  const names = [...Object.keys(declared), ...Object.keys(metricCatalog), ...parameterNames];
  if (name === '') return refused(text, `the metric is missing; there are ${names.join(', ')}`);
  const likely = likelyMetrics(name, names);
  const meant = likely.length > 0 ? ` (did you mean ${eitherOf(likely)}?)` : '';
  return refused(text, `no metric is named ${JSON.stringify(name)}${meant}; there are ${names.join(', ')}`);
}

function refused(text: string, why: string): ConfigurationError {
  return new ConfigurationError(`--metric ${JSON.stringify(text)}: ${why}.`, {
    hint: `Write ${form}, such as ${example}.`,
  });
}
