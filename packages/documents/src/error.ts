import type { PassloopError } from '@passloop/core';
import { z } from 'zod';
import { Count, Text } from './scalars.ts';

export const ErrorDocument = z.object({
  schema: z.literal('passloop/error/v1'),
  code: z.enum(['configuration', 'infrastructure', 'conflict', 'pending']),
  message: Text,
  hint: Text.nullable(),
  file: z.string().max(4096).nullable(),
  line: Count.nullable(),
});
export type ErrorDocument = z.infer<typeof ErrorDocument>;

export function errorDocument(error: PassloopError): ErrorDocument {
  return {
    schema: 'passloop/error/v1',
    code: error.code,
    message: error.message.slice(0, 4096),
    hint: error.hint === null ? null : error.hint.slice(0, 4096),
    file: error.file === null ? null : error.file.slice(0, 4096),
    line: error.line,
  };
}
