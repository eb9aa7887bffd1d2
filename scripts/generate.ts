/**
 * Writes what is generated from the sources: JSON Schemas of the documents and of the model file, the shapes in
 * docs/documents.md, the tables of docs/metrics.md, the permissions in docs/workflows.md, and the tables of the actions' READMEs. With --check it only compares.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { documentJsonSchema, documentKinds } from '@passloop/documents';
import { modelFileJsonSchema } from '@passloop/model';
import { actionTables } from './action-tables.ts';
import { documentShapes } from './document-shape.ts';
import { builtInTable, declaredTable } from './metric-tables.ts';
import { permissionTable } from './workflow-table.ts';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const files = new Map<string, string>();
for (const kind of documentKinds) {
  files.set(
    `docs/schemas/${kind}.json`,
    `${JSON.stringify({ title: `Passloop ${kind} document`, ...documentJsonSchema(kind) }, null, 2)}\n`,
  );
}
files.set('docs/schemas/model-file.json', `${JSON.stringify(modelFileJsonSchema(), null, 2)}\n`);
files.set('docs/documents.md', between('docs/documents.md', 'shapes', documentShapes()));
files.set(
  'docs/metrics.md',
  between('docs/metrics.md', 'declared', declaredTable(), between('docs/metrics.md', 'metrics', builtInTable())),
);
const permissions = permissionTable(path.join(root, '.github/workflows'));
files.set('docs/workflows.md', between('docs/workflows.md', 'permissions', permissions));

for (const name of readdirSync(path.join(root, 'actions')).sort()) {
  const page = `actions/${name}/README.md`;
  const { inputs, outputs } = actionTables(path.join(root, 'actions', name, 'action.yml'));
  const withInputs = between(page, 'inputs', inputs);
  files.set(page, between(page, 'outputs', outputs, withInputs));
}

/** A page with the text between its markers `<!-- NAME-start -->` and `<!-- NAME-end -->` replaced. */
function between(
  name: string,
  marker: string,
  text: string,
  page = readFileSync(path.join(root, name), 'utf8'),
): string {
  const [start, end] = [`<!-- ${marker}-start -->\n`, `<!-- ${marker}-end -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${name} has no ${start.trim()} before ${end}`);
  return `${page.slice(0, from + start.length)}\n${text}\n${page.slice(to)}`;
}

const stale: string[] = [];
for (const [name, text] of files) {
  const file = path.join(root, name);
  if (values.check) {
    let current = '';
    try {
      current = readFileSync(file, 'utf8');
    } catch {
      // A missing file is stale, as is a different one.
    }
    if (current !== text) stale.push(name);
  } else {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
if (stale.length > 0) {
  console.error(`Generated files are not current: ${stale.join(', ')}\nRun \`npm run generate\` and commit them.`);
  process.exit(1);
}
console.log(`${files.size} generated files ${values.check ? 'are current' : 'written'}`);
