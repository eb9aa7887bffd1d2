import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';

/** Datatypes of the Open Inference Protocol that a signature may name. */
export const Datatype = z.enum([
  'BOOL',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'FP32',
  'FP64',
  'BYTES',
]);
export type Datatype = z.infer<typeof Datatype>;

const Tensor = z.object({ name: z.string().min(1).max(256), column: z.string().min(1).max(256), datatype: Datatype });
export type Tensor = z.infer<typeof Tensor>;

/** What the served model takes and gives: one tensor of shape [n, 1] a column. */
export const Signature = z.object({
  inputs: z.array(Tensor).min(1).max(4096),
  outputs: z.array(Tensor).min(1).max(256),
});
export type Signature = z.infer<typeof Signature>;

/** @throws ConfigurationError that names the field */
export function parseSignature(text: string, file: string): Signature {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file} is not JSON: ${(error as Error).message}`, { file });
  }
  const result = Signature.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new ConfigurationError(`${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}`, { file });
  }
  for (const side of ['inputs', 'outputs'] as const) {
    const seen = new Set<string>();
    for (const tensor of result.data[side]) {
      if (seen.has(tensor.name))
        throw new ConfigurationError(`${file}: ${side} name ${JSON.stringify(tensor.name)} twice.`, { file });
      seen.add(tensor.name);
    }
  }
  return result.data;
}
