import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { expect, it } from 'vitest';
import { fixtureText, image, type TargetCase, targetCases } from './targets/target-cases.ts';
import { editTarget } from './targets.ts';

const page = path.resolve(import.meta.dirname, '../../../docs/targets.md');

/** The target as a line of a model file, and what promoting into it changes. */
function section(one: TargetCase): string {
  const { kind, file, ...fields } = one.target;
  const before = (one.first ?? []).reduce((text, first) => editTarget(text, first, image), fixtureText(one.fixture));
  const after = editTarget(before, one.target, image);
  const options = { context: 2 };
  const diff = createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, undefined, undefined, options)
    .replace(/^=+\n/, '')
    .replaceAll(image.digest, 'sha256:a1b2…')
    .replace(/sha256:0{63}1/g, 'sha256:0000…');
  const declared = [`kind: ${kind}`, ...Object.entries(fields).map(([key, value]) => `${key}: ${yamlText(value)}`)];
  return `**${kind}** ${one.shows}\n\n\`{${declared.join(', ')}}\`\n\n\`\`\`diff\n${diff.trimEnd()}\n\`\`\`\n`;
}

function yamlText(value: string | number): string {
  return typeof value === 'string' && /[[\]"{},]/.test(value) ? `'${value}'` : String(value);
}

it('shows each kind by a real edit', async () => {
  const text = readFileSync(page, 'utf8');
  const [start, end] = ['<!-- cases-start -->', '<!-- cases-end -->'];
  const head = text.slice(0, text.indexOf(start) + start.length);
  const shown = `${head}\n\n${targetCases.map(section).join('\n')}\n${text.slice(text.indexOf(end))}`;
  await expect(shown).toMatchFileSnapshot(page);
});
