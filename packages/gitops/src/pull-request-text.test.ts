import type { ComparisonDocument } from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { promotionText, rollbackText } from './pull-request-text.ts';
import { deployed } from './testing/records.ts';

const files = [
  { file: 'apps/flight/prod/kustomization.yaml', lines: 1 },
  { file: '.passloop/prod/flight-delay.json', lines: null },
];
const production = deployed(createCandidate('a'), null);

const comparison: ComparisonDocument = {
  schema: 'passloop/comparison/v1',
  outcome: 'compared',
  verdict: 'pass',
  reason: null,
  rows: 100,
  evaluationDigest: null,
  production: { digest: createCandidate('a').modelDigest, scoredBy: 'image' },
  candidate: { digest: createCandidate('b').modelDigest, scoredBy: 'image' },
  metrics: [
    {
      name: 'roc_auc',
      direction: 'higher',
      production: '0.7508',
      candidate: '0.7531',
      delta: '0.0023',
      interval: ['-0.0012', '0.0058'],
      level: '0.95',
      method: 'bootstrap',
      margin: '0.005',
      min: null,
      max: null,
      severity: 'error',
      verdict: 'non-inferior',
      gate: 'pass',
      rowsNeeded: null,
      reason: null,
    },
  ],
  slices: [],
  fairness: [],
  resamples: 2000,
  seed: 7,
};
const gates = [
  { metric: 'roc_auc', slice: null, verdict: 'pass' as const, value: '0.7531', delta: '0.0023', interval: null },
];

it('says first what happens, then the numbers, why, whence, and how to undo it', () => {
  const record = JSON.parse(deployed(createCandidate('b', { gates }), production));
  const text = promotionText(
    record,
    {
      comparison,
      changes: [{ kind: 'params', subject: 'fit.max_depth', from: '8', to: '12' }],
      facts: ['image probed'],
      previousImage: 'present',
      data: [
        { dataset: 'train', rows: 48_211, executed: 12, passed: 12 },
        { dataset: 'test', rows: 12_000, executed: 5, passed: 4 },
      ],
    },
    files,
    {
      runsIn: { environment: 'staging', since: '2026-11-21T08:10:00Z' },
      pulledAs: [],
      productionCommit: '4c1f'.repeat(10),
    },
  );
  expect(text.title).toMatch(/^promote\(flight-delay → prod\): b, ROC AUC \+0\.0023, non-inferior$/);
  expect(text.body).toMatch(
    /^\*\*flight-delay\*\* moves from `sha256:[0-9a-f]+…` to `sha256:[0-9a-f]+…` in \*\*prod\*\*\. It passed 1 gate against what prod runs now, and has run in staging since 2026-11-21 08:10 UTC\./,
  );
  expect(text.body).toContain('| ROC AUC | 0.7508 | 0.7531 | non-inferior');
  expect(text.body).toMatch(/^Compared with record `sha256:[0-9a-f]+…` of prod, which came with (4c1f){10}\.$/m);
  expect(text.body).toContain(
    '**Data** `train` 12 checks passed on 48,211 rows · `test` 4 of 5 checks passed, the rest warn on 12,000 rows\n',
  );
  expect(text.body).toContain('**Why it differs** params `fit.max_depth` 8 → 12 · code, data, environment the same\n');
  expect(text.body).toContain('revert this commit (the old image is still in its registry, checked), or `passloop');
  expect(text.body).toContain('`passloop rollback flight-delay --environment prod`');
  expect(text.body).toContain(
    '2 files: `apps/flight/prod/kustomization.yaml` (1 line), `.passloop/prod/flight-delay.json`',
  );
  expect(text.body).toMatch(new RegExp(`<!-- passloop promotion ${record.deployment.promotionId} -->\\n$`));
});

it('says what it does not know, and what cannot be undone', () => {
  const record = JSON.parse(deployed(createCandidate('b', { gates }), production));
  const unknown = { comparison: null, changes: null, facts: [], previousImage: null };
  expect(promotionText(record, unknown, files).body).toContain("**Why it differs** can't be told");
  const gone = { ...unknown, changes: [], previousImage: 'gone' as const };
  const { body } = promotionText(record, gone, files);
  expect(body).toContain('nothing that a run is made of changed');
  expect(body).toContain('the old image is gone from its registry');
  expect(body).not.toContain('passloop rollback');
  const mirrored = promotionText(record, unknown, files, { runsIn: null, pulledAs: ['mirror.local/flight'] });
  expect(mirrored.body).toContain(
    '**Look at** `mirror.local/flight`: the cluster pulls by that name, and the image was pushed to `ghcr.io/acme/flight`.',
  );
  expect(body).not.toContain('Look at');
  const notes = ['a.yaml line 3: <b>policy</b> @acme writes there too'];
  expect(promotionText(record, unknown, files, { runsIn: null, pulledAs: [], notes }).body).toContain(
    '**Look at** a.yaml line 3: &#60;b&#62;policy&#60;/b&#62; @\u200bacme writes there too\n',
  );
  const first = JSON.parse(deployed(createCandidate('b', { gates }), null));
  expect(promotionText(first, unknown, files).body).toContain('**To undo it** revert this commit.\n');
});

const hostile = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[click](javascript:alert(1))',
  '![](https://evil.example/pixel.png)',
  '`</code><b>x',
  '| a | b |\n|---|---|',
  '@acme/everyone #1 acme/flights#2',
  'https://evil.example www.evil.example',
  '--><script>x</script><!--',
  '\u202e\u0000\u001b[31m',
  '# title\n\n- [x] done',
];

it.each(hostile)('lets %j be text and nothing else', (evil) => {
  const record = JSON.parse(
    deployed(
      createCandidate('b', {
        version: evil.slice(0, 128),
        gates: [{ metric: evil, slice: evil, verdict: 'fail', value: null, delta: null, interval: null }],
        metrics: [{ name: evil, value: '1' }],
      }),
      production,
    ),
  );
  const [metric] = comparison.metrics;
  const hostileComparison = { ...comparison, metrics: metric === undefined ? [] : [{ ...metric, name: evil }] };
  const changes = [{ kind: 'code' as const, subject: evil, from: evil, to: evil }];
  const texts = [
    promotionText(record, { comparison: hostileComparison, changes, facts: [evil], previousImage: null }, [
      { file: evil, lines: 1 },
    ]),
    rollbackText(record, record, { reason: evil, hold: evil, notes: [evil] }, [{ file: evil, lines: null }]),
  ];
  for (const { title, body } of texts) {
    expect(title).not.toMatch(/[\u0000-\u001f\u202e]/);
    const html = new MarkdownIt({ html: true, linkify: true }).render(body);
    expect(html).not.toMatch(/<(?:script|img|a|h1|input|b)\b/);
    // Our two markers, and none of a stranger's.
    expect(html.match(/<!--/g)).toHaveLength(2);
    expect(html).not.toMatch(/(?<![`>])@acme\/everyone/);
  }
});

it('stays within the limits of GitHub', () => {
  const long = 'x'.repeat(256);
  const [metric] = comparison.metrics;
  const many = {
    ...comparison,
    metrics: Array.from({ length: 500 }, () => ({ ...metric, name: long.slice(0, 128) }) as never),
  };
  const changes = Array.from({ length: 5000 }, () => ({
    kind: 'params' as const,
    subject: '@'.repeat(4096),
    from: long,
    to: long,
  }));
  const record = JSON.parse(deployed(createCandidate('b', { version: long.slice(0, 128), gates }), production));
  const text = promotionText(
    record,
    { comparison: many, changes, facts: Array.from({ length: 100 }, () => long), previousImage: 'gone' },
    Array.from({ length: 300 }, () => ({ file: long, lines: 1 })),
  );
  expect(Array.from(text.title).length).toBeLessThanOrEqual(255);
  expect(text.body.length).toBeLessThan(65_000);
  expect(text.body).toMatch(/<!-- passloop promotion sha256:[0-9a-f]{64} -->\n$/);
});
