import { ConfigurationError, refuseJsonPrototypeKeys } from '@passloop/core';
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
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
]);
export type Datatype = z.infer<typeof Datatype>;

const Tensor = z.strictObject({
  name: z.string().min(1).max(256),
  /** The column of the dataset (inputs) or of the predictions (outputs); the tensor's name where absent. */
  column: z.string().min(1).max(256).optional(),
  datatype: Datatype,
});

const OutputTensor = Tensor.extend({
  method: z.enum(['predict', 'predict_proba', 'decision_function', 'transform']).optional(),
  /** Column of a method that gives several. */
  index: z.int().min(0).max(100_000).optional(),
  /** The class whose column is meant; not together with `index`. */
  class: z.union([z.string().max(1024), z.number(), z.boolean()]).optional(),
});

/** What the served model takes and gives: one tensor of shape [n, 1] a column. The serving runtime's README has the defaults. */
export const Signature = z.strictObject({
  inputs: z.array(Tensor).min(1).max(4096),
  outputs: z.array(OutputTensor).min(1).max(256),
  /** The positive class of a binary classifier. */
  positive: z.union([z.string().max(1024), z.number(), z.boolean()]).optional(),
});
export type Signature = z.infer<typeof Signature>;

/** The column that a tensor stands for. */
export function tensorColumn(tensor: { name: string; column?: string | undefined }): string {
  return tensor.column ?? tensor.name;
}

/** @throws ConfigurationError that names the field */
export function parseSignature(text: string, file: string): Signature {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file} is not JSON: ${(error as Error).message}`, { file });
  }
  refuseJsonPrototypeKeys(file, text, value);
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
