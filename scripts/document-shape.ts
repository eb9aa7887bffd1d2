import { documentJsonSchema, documentKinds } from '@passloop/documents';

/** What of a JSON Schema the shapes show. */
type Schema = {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  prefixItems?: Schema[];
  anyOf?: Schema[];
};

const width = 100;
const patterns: [start: string, word: string][] = [
  ['^sha256:', 'digest'],
  ['^rk1-', 'run key'],
  ['^ik1-', 'image key'],
  ['^(?:[0-9a-f]{40}', 'commit'],
  ['^-?(?:0|', 'decimal'],
  ['^[a-z]([-a-z0-9]', 'name'],
];

/** Every kind of document as a heading and its fields, for docs/documents.md. */
export function documentShapes(): string {
  return documentKinds
    .map((kind) => `### ${kind}\n\n\`\`\`text\n${shape(documentJsonSchema(kind) as Schema, '', true)}\n\`\`\`\n`)
    .join('\n');
}

function shape(schema: Schema, indent: string, isWhole = false): string {
  const options = schema.anyOf;
  if (options !== undefined) {
    const values = options.filter((option) => option.type !== 'null').map((option) => shape(option, indent));
    return values.join(' | ');
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ');
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map((item) => shape(item, indent)).join(', ')}]`;
  if (schema.items !== undefined) return `[${shape(schema.items, indent)}]`;
  if (schema.properties !== undefined) return object(schema, indent, isWhole);
  if (schema.type === 'integer') return 'count';
  if (schema.type === 'string') {
    if (schema.format === 'date-time') return 'time';
    return patterns.find(([start]) => schema.pattern?.startsWith(start))?.[1] ?? 'text';
  }
  return schema.type ?? 'any';
}

function object(schema: Schema, indent: string, isWhole: boolean): string {
  const kind = schema.properties?.schema?.const;
  if (!isWhole && typeof kind === 'string') {
    const name = /^passloop\/([a-z-]+)\/v\d+$/.exec(kind)?.[1];
    if (name !== undefined) return `a ${name} document`;
  }
  const inner = `${indent}  `;
  const fields = Object.entries(schema.properties ?? {}).map(([name, child]) => {
    const isOptional = !(schema.required ?? []).includes(name);
    const isNullable = child.anyOf?.some((option) => option.type === 'null') === true;
    return `${name}${isOptional || isNullable ? '?' : ''}: ${shape(child, inner)}`;
  });
  const line = `{${fields.join(', ')}}`;
  if (!isWhole && line.length + indent.length <= width && !line.includes('\n')) return line;
  return `{\n${fields.map((field) => `${inner}${field}`).join('\n')}\n${indent}}`;
}
