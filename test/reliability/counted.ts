import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';

const page = path.resolve(import.meta.dirname, '../../docs/reliability.md');

/** What was counted stands in docs/reliability.md, between two marks; `vitest run test/reliability -u` writes it anew. */
export async function expectCounted(name: string, lines: readonly string[]): Promise<void> {
  console.log(lines.join('\n'));
  const text = await readFile(page, 'utf8');
  const [begin, end] = [`<!-- counted: ${name} -->`, `<!-- end: ${name} -->`];
  const [before, rest = ''] = text.split(`${begin}\n`);
  const after = rest.split(end)[1];
  expect(after, `${page} has no marks for ${name}`).toBeDefined();
  await expect(`${before}${begin}\n${lines.join('\n')}\n${end}${after}`).toMatchFileSnapshot(page);
}
