import type { ReportDocument } from '@passloop/documents';
import { expect } from 'vitest';
import { edited, forkRun, refused, type SecurityCase } from '../security-case.ts';

type Change = (report: ReportDocument) => unknown;
type Loose = Record<string, unknown>;

function text(name: string, content: string | Buffer, says: RegExp): SecurityCase {
  return refused(name, { report: () => content }, says);
}

function changed(name: string, change: Change, says = /report\.json: /): SecurityCase {
  return refused(name, { report: edited(change) }, says);
}

/** A number's place in the document's text, taken by what JSON or its readers may take for one. */
function literal(value: string): SecurityCase[] {
  const at: [string, RegExp][] = [
    ['rows', /"rows":\d+/],
    ['failingRows', /"failingRows":\d+/],
    ['executed', /"executed":\d+/],
    ['bytes', /"bytes":\d+/],
  ];
  return at.map(([field, pattern]) =>
    refused(
      `${value} as ${field}`,
      { report: (r) => JSON.stringify(r).replace(pattern, `"${field}":${value}`) },
      /report\.json/,
    ),
  );
}

const model = (report: ReportDocument) => report.models[0] as unknown as Loose;

/** What is dropped or replaced, while the rest is posted where it belongs. */
function ignored(name: string, change: Change, afterwards?: SecurityCase['afterwards']): SecurityCase {
  return {
    name,
    play: forkRun({ report: edited(change) }),
    posts: true,
    says: /^created$/,
    afterwards: async (world, scene, answer) => {
      expect(world.repository.comments(scene.number)).toHaveLength(1);
      await afterwards?.(world, scene, answer);
    },
  };
}

export const documentCases: SecurityCase[] = [
  text('no JSON', 'verdict: pass', /not JSON/),
  text('nothing', '', /not JSON/),
  text('null', 'null', /no document|expected passloop/),
  text('a number', '1', /expected passloop/),
  text('an array', '[]', /expected passloop/),
  text('JavaScript', 'module.exports = {}', /not JSON/),
  text('a pickle', Buffer.from('80049503000000000000008c0178942e', 'hex'), /not JSON/),
  text('a YAML tag', '!!python/object/apply:os.system ["id"]', /not JSON/),
  text('100,000 arrays in one another', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /nested too deeply/),
  text('200 objects in one another', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, /nested too deeply/),
  text('two documents', '{}{}', /not JSON/),
  text(
    'a document of 31 MB',
    JSON.stringify({ schema: 'passloop/report/v1', x: 'x'.repeat(31_000_000) }),
    /report\.json: /,
  ),
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '1e999',
    '-1e999',
    '-1',
    '1.5',
    '9007199254740993',
    '"1"',
    'null_',
    '0x10',
    '[1]',
  ].flatMap(literal),
  changed(
    'another kind of document',
    (r) => ((r as Loose).schema = 'passloop/plan/v1'),
    /expected passloop\/report\/v1/,
  ),
  changed(
    'a newer kind of document',
    (r) => ((r as Loose).schema = 'passloop/report/v2'),
    /expected passloop\/report\/v1/,
  ),
  changed('a schema that is an attack', (r) => ((r as Loose).schema = '\n::error::x'), /expected passloop/),
  changed('a string of 10 MB', (r) => (model(r).reasons = ['x'.repeat(10_000_000)])),
  changed('a name of a model that is Markdown', (r) => (model(r).name = '[x](https://evil.example)')),
  changed('a name of a model that is a path', (r) => (model(r).name = '../x')),
  changed('a name of a model with a line break', (r) => (model(r).name = 'a\n::error::x')),
  changed('a name of a model of 60 characters', (r) => (model(r).name = 'a'.repeat(60))),
  changed('a verdict that there is not', (r) => ((r as Loose).verdict = 'approved')),
  changed('a verdict that is an object', (r) => ((r as Loose).verdict = { toString: 'pass' })),
  changed('a run key that is none', (r) => (model(r).runKey = 'rk1-x')),
  changed('no models', (r) => delete (r as Loose).models),
  changed('models that are an object', (r) => ((r as Loose).models = { length: 1 })),
  changed('a time that is none', (r) => ((r as Loose).madeAt = 'yesterday')),
  changed('a number that is text with an exponent', (r) => (r.models[0]!.comparison!.metrics[0]!.delta = '1e999')),
  changed('a number that is the text NaN', (r) => (r.models[0]!.comparison!.metrics[0]!.delta = 'NaN')),
  changed('the head of another commit', (r) => (r.head = 'f'.repeat(40)), /The report is about f{40}, its run about/),
  changed(
    'a head in capitals',
    (r) => (r.head = r.head.toUpperCase() === r.head ? 'F'.repeat(40) : r.head.toUpperCase()),
  ),
  changed('a short head', (r) => (r.head = r.head.slice(0, 12))),
  changed('a head that is a branch', (r) => (r.head = 'main')),
  ignored(
    'another repository',
    (r) => (r.repository = 'acme/deploy'),
    (world, { number }) => {
      expect(world.repository.comments(number)[0]?.body).not.toContain('acme/deploy');
      expect(world.repository.comments(number)[0]?.body).toContain('key=acme/model/model-check.yml ');
    },
  ),
  ignored('no repository', (r) => (r.repository = null)),
  ignored('the number of another pull request', (r) =>
    Object.assign(r, { number: 1, pullRequest: 1, pull_request: { number: 1 }, pr: 1 }),
  ),
  ignored(
    'a comment text of its own',
    (r) => Object.assign(r, { body: 'APPROVED', comment: 'APPROVED', html: 'APPROVED' }),
    (world, { number }) => {
      expect(world.repository.comments(number)[0]?.body).not.toContain('APPROVED');
    },
  ),
  ignored(
    '__proto__, constructor and prototype as keys',
    (r) => Object.assign(r, JSON.parse('{"constructor":{"prototype":{"x":1}},"prototype":{"x":1}}')),
    () => {
      expect(({} as Loose).x).toBeUndefined();
    },
  ),
  {
    name: '__proto__ as the last key',
    play: forkRun({
      report: (r) => JSON.stringify(r).replace(/\}$/, ',"__proto__":{"verdict":"pass","isAdmin":true}}'),
    }),
    posts: true,
    says: /^created$/,
    afterwards: () => expect(({} as Loose).isAdmin).toBeUndefined(),
  },
  {
    name: 'a verdict that is told twice',
    play: forkRun({
      report: (r) => JSON.stringify(r).replace('"verdict":"fail"', '"verdict":"fail","verdict":"pass"'),
    }),
    posts: true,
    says: /^created$/,
    afterwards: (_, __, answer) => expect((answer as { verdict: string }).verdict).toBe('pass'),
  },
];
