import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';

/** How a runner hands over an input: the empty string where a workflow doesn't name it. */
export type GetInput = (name: string) => string;

/** An input that a workflow may leave out; empty counts as left out. */
export const optionalText = z.string().min(1).max(4096).optional();
export const requiredText = z.string().min(1, 'is required').max(4096);

/** A YAML boolean as workflows write it. */
export const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true')
  .default(false);

/** The same, for what is done unless a workflow says otherwise. */
export const flagOn = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true')
  .default(true);

/** A document that another job's output holds, as text; it is parsed by its schema. */
export const documentText = z
  .string()
  .min(1)
  .max(1 << 20)
  .optional();

/** One entry a line; a single line may hold several, separated by commas. Blank lines don't count. */
export const list = z.string().max(65_536).transform(entriesOf).default([]);

/** One entry a line, and only a line: entries may hold commas. */
export const lines = z
  .string()
  .max(65_536)
  .transform((text) => entriesOf(`${text}\n`))
  .default([]);

/** A list that may not be empty. */
export const requiredList = z
  .string()
  .min(1, 'is required')
  .max(65_536)
  .transform(entriesOf)
  .refine((entries) => entries.length > 0, 'has no entry');

/** Lines that may not be none. */
export const requiredLines = z
  .string()
  .min(1, 'is required')
  .max(65_536)
  .transform((text) => entriesOf(`${text}\n`))
  .refine((entries) => entries.length > 0, 'has no line');

export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)
  .optional();

function entriesOf(text: string): string[] {
  const entries = text.includes('\n') ? text.split('\n') : text.split(',');
  return entries.map((entry) => entry.trim()).filter((entry) => entry !== '');
}

/** The inputs of every action that reads a repository. */
export const repositoryInputs = { 'working-directory': z.string().min(1).max(4096).default('.') };

/**
 * Reads the inputs that a schema names, each under its own name. A schema's keys are the names in action.yml.
 * @throws ConfigurationError with all that is wrong, one input a sentence
 */
export function readInputs<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  getInput: GetInput,
): z.infer<z.ZodObject<Shape>> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = getInput(name);
    if (value !== '') values[name] = value;
  }
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const sentences = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    const what = values[name] === undefined ? 'is required' : issue.message;
    return name === '' ? issue.message : `Input \`${name}\` ${what}.`;
  });
  throw new ConfigurationError(sentences.join(' '), { hint: 'The action’s README lists its inputs.' });
}
