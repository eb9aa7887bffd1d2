import { parseYaml } from '@passloop/core';
import { parseModelFile } from '@passloop/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decisionsOf, modelFileText } from './model-file-text.ts';
import { plainName } from './pipeline.ts';
import { yamlScalar } from './yaml-scalar.ts';

it('every text comes back from YAML as it went in, in a flow and as a key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      // A lone surrogate is no character of a file.
      fc.pre(text.isWellFormed());
      const source = `list: [${yamlScalar(text)}, x]\nmap: {${yamlScalar(text)}: 1}\n`;
      const value = parseYaml(source, 'x').value as { list: string[]; map: Record<string, number> };
      expect(value.list[0]).toBe(text);
      expect(Object.keys(value.map)).toEqual([text]);
    }),
    { numRuns: 2000 },
  );
});

it('any name becomes one that the model file takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plainName(text, 'model')).toMatch(/^[a-z]([-a-z0-9]{0,51}[a-z0-9])?$/);
    }),
  );
});

it('whatever columns and commands are called, the file loads', () => {
  const text = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 60 })
    .filter((one) => one.isWellFormed() && one !== '__proto__');
  fc.assert(
    fc.property(
      fc.uniqueArray(text, { maxLength: 8 }),
      fc.array(text, { minLength: 1, maxLength: 5 }),
      (names, run) => {
        const written = modelFileText({
          name: 'flights',
          imported: null,
          guess: { key: names[0] ?? null, label: names[1] ?? null, task: null, reason: null },
          datasets: [
            {
              name: 'train',
              path: 'data/train.csv',
              columns: names.map((name) => ({ name, type: 'integer', engineType: 'INTEGER' })),
              suggestions: [],
            },
          ],
          pipeline: {
            source: 'train.py',
            python: null,
            left: [],
            stages: [
              {
                name: 'fit',
                run,
                code: ['train.py'],
                data: ['train'],
                params: null,
                outputs: ['out/model.joblib'],
                needs: [],
                decide: null,
              },
            ],
          },
          python: null,
          lock: null,
          store: null,
        });
        const [model] = parseModelFile(written, 'passloop.yaml');
        expect(model?.train?.stages[0]?.run).toEqual(run);
        const [check] = model?.data.train?.checks ?? [];
        if (names.length > 0)
          expect(check?.kind === 'columns' && Object.keys(check.types)).toEqual(expect.arrayContaining(names));
        for (const { line } of decisionsOf(written)) expect(written.split('\n')[line - 1]).toContain('# decide:');
      },
    ),
    { numRuns: 300 },
  );
});
