import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { lintRules } from '../lint/finding.ts';
import { lintCases } from '../lint/lint-cases.ts';
import { type GraphShape, graphOf, graphShapes } from './graph-cases.ts';
import { environmentsText, graphManifests } from './graph-manifests.ts';
import { objectText } from './object-text.ts';

const page = path.resolve(import.meta.dirname, '../../../../docs/manifests.md');
const image = { repository: 'ghcr.io/acme/flight', digest: `sha256:${'a1b2c3d4e5f60718'.repeat(4)}` };

/** What a graph writes; of a container what all have alike is shown once. */
function section(shape: GraphShape): string {
  const graph = graphOf(shape);
  const { files, environments } = graphManifests({ graph, model: 'flight-delay', environment: 'prod', image });
  const { resources: _, replicas: __, folder: ___, ...shown } = graph;
  const texts = files
    .filter(({ path }) => shape === 'plain' || !/\/(?:service|kustomization)\.yaml$/.test(path))
    .map(({ path, text }) => `# ${path}\n${shape === 'plain' ? text : withoutRepetition(text)}`);
  const declared = objectText([{ value: { graph: { ...shown, folder: graph.folder } } }]);
  const summary = `<details><summary>${files.length} files</summary>`;
  return [
    `### ${shape}`,
    `\`\`\`yaml\n${declared}${environmentsText(environments)}\`\`\``,
    summary,
    `\`\`\`yaml\n${shorter(texts.join('---\n'))}\`\`\``,
    '</details>',
  ].join('\n\n');
}

function withoutRepetition(text: string): string {
  return text.replace(
    /^( +)ports:\n(?:\1.*\n)*?\1securityContext:\n(?:\1 .*\n)+/gm,
    '$1# ports, probes, resources and securityContext as in plain\n',
  );
}

function shorter(text: string): string {
  return text.replaceAll(image.digest, 'sha256:a1b2…').replace(/sha256:(?:89abcdef01234567){4}/g, 'sha256:89ab…');
}

function ruleTable(): string {
  const rows = lintRules.map((rule) => `| \`${rule}\` | ${lintCases[rule].verdict} | ${lintCases[rule].about} |`);
  return ['| rule | verdict | what holds |', '|---|---|---|', ...rows].join('\n');
}

function between(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}-start -->`, `<!-- ${name}-end -->`];
  expect(text).toContain(start);
  return `${text.slice(0, text.indexOf(start) + start.length)}\n\n${content}\n\n${text.slice(text.indexOf(end))}`;
}

it('shows what each graph writes, and every rule', async () => {
  const text = readFileSync(page, 'utf8');
  const shown = between(between(text, 'rules', ruleTable()), 'graphs', graphShapes.map(section).join('\n\n'));
  await expect(shown).toMatchFileSnapshot(page);
});
