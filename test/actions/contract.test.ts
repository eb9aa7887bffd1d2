import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** What action.yml says and what the code reads are the same: names, defaults, what is required; the bundle is there. */
const root = path.resolve(import.meta.dirname, '../..');
const names = readdirSync(path.join(root, 'actions')).sort();
const ActionFile = z.strictObject({
  name: z.string(),
  description: z.string().max(200),
  author: z.string(),
  branding: z.strictObject({ icon: z.string(), color: z.string() }),
  inputs: z.record(
    z.string(),
    z.strictObject({ description: z.string(), default: z.string().optional(), required: z.literal(true).optional() }),
  ),
  outputs: z.record(z.string(), z.strictObject({ description: z.string() })),
  runs: z.strictObject({ using: z.literal('node24'), main: z.string() }),
});

describe.each(names)('%s', (name) => {
  const folder = path.join(root, 'actions', name);
  const action = ActionFile.parse(load(readFileSync(path.join(folder, 'action.yml'), 'utf8')));

  it('declares the inputs that its code reads, and no other', async () => {
    const code = (await import(path.join(folder, 'src/inputs.ts'))) as {
      Inputs: z.ZodObject;
      secrets?: Record<string, { variable: string; required: boolean }>;
    };
    const secrets = Object.keys(code.secrets ?? {});
    expect(Object.keys(action.inputs).sort()).toEqual([...Object.keys(code.Inputs.shape), ...secrets].sort());
    for (const [input, declared] of Object.entries(action.inputs)) {
      const secret = code.secrets?.[input];
      if (secret !== undefined) {
        expect(declared.required ?? false, input).toBe(secret.required);
        continue;
      }
      const schema = code.Inputs.shape[input] as z.ZodType;
      const absent = schema.safeParse(undefined);
      expect(absent.success, `${input} may be left out`).toBe(declared.required !== true);
      if (declared.default !== undefined) expect(String(absent.data), input).toBe(declared.default);
    }
  });

  it('runs its own bundle', () => {
    expect(action.runs.main).toBe(`../../dist/${name}.mjs`);
    expect(existsSync(path.join(folder, action.runs.main))).toBe(true);
  });

  it('promises the outputs that every action has', () => {
    expect(Object.keys(action.outputs)).toEqual(expect.arrayContaining(['verdict', 'error', 'document']));
  });
});
