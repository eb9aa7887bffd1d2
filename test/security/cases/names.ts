import type { ReportDocument } from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { expect } from 'vitest';
import { attacks } from '../../../packages/report/src/testing/attacks.ts';
import type { ForkWorld } from '../fork-world.ts';
import { edited, forkRun, type Scene, type SecurityCase } from '../security-case.ts';

const everything = Object.entries(attacks)
  .filter(([name]) => name !== 'very long')
  .map(([, attack]) => attack)
  .join(' ');

/** Fields of a model's report that a stranger fills with any text, each with the room that it has. */
const fields: [string, number, (report: ReportDocument, text: string) => unknown][] = [
  ['a reason', 4096, (r, text) => (r.models[0]!.reasons = [text])],
  ['a dataset’s name', 128, (r, text) => (r.models[0]!.data[0]!.dataset.name = text)],
  ['a dataset’s address', 4096, (r, text) => (r.models[0]!.data[0]!.dataset.uri = text)],
  ['the engine', 64, (r, text) => (r.models[0]!.data[0]!.engine = text)],
  ['a check’s id', 256, (r, text) => (r.models[0]!.data[0]!.checks[0]!.id = text)],
  ['a check’s column', 256, (r, text) => (r.models[0]!.data[0]!.checks[0]!.column = text)],
  ['what a check expects', 256, (r, text) => (r.models[0]!.data[0]!.checks[0]!.expected = text)],
  ['what a check found', 256, (r, text) => (r.models[0]!.data[0]!.checks[0]!.observed = text)],
  ['a check’s SQL', 4096, (r, text) => (r.models[0]!.data[0]!.checks[0]!.sql = text)],
  ['a drifted column', 256, (r, text) => (r.models[0]!.data[0]!.drift[0]!.column = text)],
  ['a drift’s method', 128, (r, text) => (r.models[0]!.data[0]!.drift[0]!.method = text)],
  ['a change’s subject', 1024, (r, text) => (r.models[0]!.changes[0]!.subject = text)],
  ['a change’s values', 1024, (r, text) => Object.assign(r.models[0]!.changes[0]!, { from: text, to: text })],
  ['a metric’s name', 128, (r, text) => (r.models[0]!.comparison!.metrics[0]!.name = text)],
  ['a metric’s method', 128, (r, text) => (r.models[0]!.comparison!.metrics[0]!.method = text)],
  ['a policy’s path', 512, (r, text) => (r.models[0]!.policy.differences[0]!.path = text)],
  [
    'a policy’s values',
    1024,
    (r, text) => Object.assign(r.models[0]!.policy.differences[0]!, { from: text, to: text }),
  ],
  ['the policy’s branch', 512, (r, text) => (r.models[0]!.policy.ref = text)],
  ['the base branch', 512, (r, text) => (r.base = { ref: text, commit: r.head })],
  [
    'a part that is missing',
    4096,
    (r, text) => r.models[0]!.missing.push({ part: 'scan', verdict: 'fail', reason: text }),
  ],
  ['the image’s base', 512, (r, text) => Object.assign(r.models[0]!.image ?? {}, { base: text })],
  ['the image’s reference', 512, (r, text) => Object.assign(r.models[0]!.image ?? {}, { reference: text })],
  ['Passloop’s version', 64, (r, text) => (r.passloop = text)],
  ['the repository', 256, (r, text) => (r.repository = text)],
];

function posted(name: string, change: (report: ReportDocument) => unknown): SecurityCase {
  return {
    name,
    play: forkRun({ report: edited(change) }),
    posts: true,
    says: /^created$/,
    afterwards: staysText,
  };
}

/** What stands on the pull request is text: one marker, ours; no tag, link, mention or command but ours. */
async function staysText(world: ForkWorld, { number, head, run }: Scene): Promise<void> {
  const [only, ...more] = world.repository.comments(number);
  expect(more).toEqual([]);
  const body = only?.body ?? '';
  expect(body.match(/<!--/g)).toHaveLength(1);
  expect(body).toMatch(
    new RegExp(`\\n<!-- passloop:comment key=acme/model/model-check.yml head=${head} attempt=\\d+ v=1 -->$`),
  );
  expect(body).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/);
  expect(body).not.toMatch(/^(::|##\[|\/[a-z])/m);
  expect(body.split('\n').filter((line) => /^#{1,6} /.test(line))).toHaveLength(1);
  const html = new MarkdownIt({ html: true, linkify: true }).enable('table').render(body);
  const links = html.match(/<a\b[^>]*>/gi) ?? [];
  expect(
    links.every((link) => link === `<a href="https://github.com/acme/model/actions/runs/${run.id}/attempts/1">`),
  ).toBe(true);
  expect(html).not.toMatch(/<(img|script|iframe|style|form|input|svg|object|link|meta)\b/i);
  expect(html.replace(/<code>[^<]*<\/code>/g, '')).not.toMatch(/@(?=\w)|(?<!&)#(?=\d)/);
}

export const nameCases: SecurityCase[] = [
  ...Object.entries(attacks).map(([attack, text]) =>
    posted(`${attack}, in every field`, (report) => {
      for (const [, room, set] of fields) set(report, text.slice(0, room));
    }),
  ),
  ...fields.map(([field, room, set]) =>
    posted(`every attack at once in ${field}`, (r) => set(r, everything.slice(0, room))),
  ),
  ...[
    '$(id)',
    '`id`',
    'a;id',
    'a&&id',
    'a|id',
    "a'id",
    'a"id',
    'a#1',
    'a%0aerror',
    '--upload-pack=x',
    'a{owner}',
    'ä/ö',
    'a&state=all',
    'a+b=c',
    'refs/heads/main',
    '$\x7b{github.token}}',
    'a/b/c/d/e',
  ].map(
    (branch): SecurityCase => ({
      name: `a branch called ${branch}`,
      play: forkRun({ branch: `x-${branch}` }),
      posts: true,
      says: /^created$/,
      afterwards: staysText,
    }),
  ),
  ...[
    'line\nbreak\n::error::x',
    '$(id)',
    '<img src=x>',
    '@acme/everyone',
    '\u202Edessap',
    '::stop-commands::x',
    'x'.repeat(250),
  ].map(
    (title, index): SecurityCase => ({
      name: `a title that is an attack (${index + 1})`,
      play: forkRun({ title }),
      posts: true,
      says: /^created$/,
      afterwards: staysText,
    }),
  ),
];
