import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';

const Recipients = z.record(z.string(), z.string());

/** The recipient of a model's store: the only one, or the model's in a JSON map; undefined where there is none. */
export function recipientOf(text: string | undefined, model: string): string | undefined {
  if (text === undefined || !text.startsWith('{')) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const result = Recipients.safeParse(value);
  if (result.success) return Object.hasOwn(result.data, model) ? result.data[model] : undefined;
  throw new ConfigurationError('Input `recipient` is neither a recipient nor a JSON map of them.', {
    hint: 'Give it the output `recipient` of plan-check as it is.',
  });
}
