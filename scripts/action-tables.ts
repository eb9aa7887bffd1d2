import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { z } from 'zod';

const ActionFile = z.object({
  inputs: z.record(
    z.string(),
    z.object({ description: z.string(), default: z.string().optional(), required: z.boolean().optional() }),
  ),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
});

/** The tables of an action's README, from its action.yml. */
export function actionTables(file: string): { inputs: string; outputs: string } {
  const action = ActionFile.parse(load(readFileSync(file, 'utf8')));
  const inputs = Object.entries(action.inputs).map(([name, input]) => {
    const value = input.required === true ? 'required' : input.default === undefined ? '' : `\`${input.default}\``;
    return `| \`${name}\` | ${input.description} | ${value} |`;
  });
  const outputs = Object.entries(action.outputs).map(([name, output]) => `| \`${name}\` | ${output.description} |`);
  return {
    inputs: ['| input | | default |', '|---|---|---|', ...inputs, ''].join('\n'),
    outputs: ['| output | |', '|---|---|', ...outputs, ''].join('\n'),
  };
}
