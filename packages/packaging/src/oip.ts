import { InfrastructureError, plainText } from '@passloop/core';
import { z } from 'zod';
import type { TensorValues } from './tensor.ts';

/** What REST and gRPC of the Open Inference Protocol v2 have in common. */

export const TensorMetadata = z.object({
  name: z.string().max(1024),
  datatype: z.string().max(64),
  shape: z.array(z.number()).max(16),
});
export type TensorMetadata = z.infer<typeof TensorMetadata>;

export const ModelMetadata = z.object({
  name: z.string().max(1024),
  versions: z.array(z.string()).nullish(),
  platform: z.string().max(1024).nullish(),
  inputs: z.array(TensorMetadata).max(4096),
  outputs: z.array(TensorMetadata).max(4096),
});
export type ModelMetadata = z.infer<typeof ModelMetadata>;

export const ServerMetadata = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) });
export type ServerMetadata = z.infer<typeof ServerMetadata>;

export type InferRequest = {
  model: string;
  version?: string | undefined;
  id?: string | undefined;
  inputs: readonly TensorValues[];
  /** Names of the wanted outputs; all where absent. */
  outputs?: readonly string[] | undefined;
};

export type InferAnswer = {
  modelName: string;
  modelVersion: string | null;
  id: string | null;
  outputs: TensorValues[];
};

/** A server's refusal: an HTTP status or a gRPC status name, and what it said. */
type Refusal = { status: string; message: string; wellFormed: boolean };

/** An answer or a refusal; both are results for a prober. No answer at all is thrown. */
export type Answered<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

/** The answer, where a refusal is a failure. */
export function expectAnswer<T>(answered: Answered<T>, what: string): T {
  if (answered.ok) return answered.value;
  const { status, message } = answered.refusal;
  throw new InfrastructureError(`${what} was answered ${status}: ${plainText(message, 300)}`);
}
