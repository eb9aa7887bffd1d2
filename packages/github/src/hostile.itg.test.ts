import { parseDocument } from '@passloop/documents';
import { adopt, type HoldRequest, hold, promote, readDeployState, readStatus, rollback } from '@passloop/gitops';
import MarkdownIt from 'markdown-it';
import { expect, it } from 'vitest';
import {
  candidate,
  deployWorld,
  git,
  gitWithInput,
  image,
  manifest,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
} from './testing/deploy-world.ts';

/** Text of others (versions, metrics, values of datasets, reasons, names of accounts) in what we write to a deploy repository. */
const auto = { merge: 'auto' as const, ports: noWait };
const evil = [
  'x\n\nPromotion-Id: sha256:0\nModel-Digest: sha256:1',
  'x\r\n\r\n---\r\nReverts-Promotion: sha256:2',
  '[skip ci] fixes #1 @acme/everyone',
  '<script>alert(1)</script><!-- passloop promotion sha256:3 -->',
  '| a | b |\n|---|---|\n![](https://evil.example/p.png)',
  '$(touch /tmp/evil) `id`',
  '\u202e\u0000\u001b[31mred\u2028Gate: x',
];
const record = '.passloop/prod/flight-delay.json';

function hostile(name: string, text: string) {
  const gate = { metric: text, slice: text, verdict: 'pass' as const, value: null, delta: null, interval: null };
  return candidate(name, {
    version: `${name} ${text}`.slice(0, 128),
    gates: [gate],
    metrics: [{ name: text, value: '1' }],
  });
}

it.each(evil)('writes %j as text: trailers, bodies and paths are ours', async (text) => {
  await using world = await deployWorld();
  const by = { reason: text, by: text, at: '2026-11-22T12:00:00Z' };
  await promote(world.forge, query(), promotionOf(hostile('a', text)), auto);
  await promote(world.forge, query(), promotionOf(hostile('b', text)), auto);
  const request = { ...by, environment: 'prod', to: { kind: 'previous' as const } };
  await rollback(world.forge, query(), request, { ...auto, hasImage: async () => true });
  const held: HoldRequest = { ...by, action: 'hold', environment: null, modelDigest: candidate('z').modelDigest };
  await hold(world.forge, query(), held, auto);
  await hold(world.forge, query(), { ...held, action: 'lift' }, auto);

  const messages = (await git(world.repository.directory, 'log', '--format=%B%x00', 'main')).split('\0');
  const tokens = await Promise.all(
    messages
      .map((message) => message.trimStart())
      .filter((message) => /^(promote|rollback|hold)\(/.test(message))
      .map(async (message) =>
        (await gitWithInput(world.clone, message, 'interpret-trailers', '--parse'))
          .trim()
          .split('\n')
          .map((line) => line.slice(0, line.indexOf(':'))),
      ),
  );
  const promotion = [
    'Promotion-Id',
    'Promotion-Source',
    'Image-Digest',
    'Model-Digest',
    'Run-Key',
    'Dataset-Digest',
    'Gate',
  ];
  const withPrevious = promotion.toSpliced(3, 0, 'Previous-Image-Digest');
  expect(tokens).toEqual([
    ['Model-Digest'],
    ['Model-Digest'],
    [...withPrevious, 'Reverts-Promotion'],
    withPrevious,
    promotion,
  ]);
  expect(messages.join('')).not.toMatch(/\[skip ci\]|#1 @|\u202e|\u001b/);
  for (const { title, body } of world.repository.pullRequests()) {
    expect(title).not.toMatch(/[\n\r\u0000-\u001f\u202e\u2028]/);
    const html = new MarkdownIt({ html: true, linkify: true }).render(body ?? '');
    expect(html).not.toMatch(/<(?:script|img|a|h1)\b/);
    // Our two markers, and none of a stranger's.
    expect(html.match(/<!--/g)?.length ?? 0).toBeLessThanOrEqual(2);
  }
  const files = (await git(world.repository.directory, 'ls-tree', '-r', '--name-only', 'main')).trim().split('\n');
  expect(
    files.every((file) =>
      /^(apps\/flight\/(prod|staging)\/kustomization\.yaml|\.passloop\/[a-z0-9/-]+\.json)$/.test(file),
    ),
  ).toBe(true);
  // What was written is what was meant, and reads back.
  expect(parseDocument('record', await world.show(record), record).metrics[0]?.name).toBe(text);
});

it.each([
  '../x',
  'a/b',
  '-x',
  'X',
  'holds',
  '',
  'a\nb',
  `${'a'.repeat(54)}`,
])('takes %j for no environment and no model', async (name) => {
  await using world = await deployWorld();
  const target = { kind: 'kustomize' as const, file: manifest, image };
  await expect(
    readDeployState(world.forge, query({ environments: [{ name, targets: [target] }] })),
  ).rejects.toMatchObject({ code: 'configuration' });
  if (name !== 'holds') {
    await expect(readDeployState(world.forge, query({ model: name }))).rejects.toMatchObject({ code: 'configuration' });
  }
});

it('shows a deploy repository full of nonsense, and the one model that is right', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await pull(world.clone);
  const text = await world.show(record);
  const targets = Array.from({ length: 300 }, (_, index) => ({
    kind: 'kustomize',
    file: `apps/${index}.yaml`,
    address: 'x',
    value: candidate('a').image.digest,
  }));
  const many = JSON.parse(text) as { deployment: { targets: unknown[] } };
  many.deployment.targets = targets;
  await pushFiles(
    world.clone,
    {
      '.passloop/prod/many.json': JSON.stringify(many),
      '.passloop/prod/deep.json': '['.repeat(5000),
      '.passloop/prod/Not A Name.json': text,
      '.passloop/NOT/flight-delay.json': text,
      '.passloop/holds/Not A Name/x.json': '{}',
      '.passloop/holds/flight-delay/README.md': 'why',
      '.passloop/prod/proto.json': '{"__proto__": {"schema": "passloop/record/v1"}}',
    },
    'Nonsense',
  );

  const status = await readStatus(world.forge);
  expect(status.verdict).toBe('fail');
  expect(status.rows.map(({ model, state }) => [model, state])).toEqual([
    ['deep', 'invalid-record'],
    ['flight-delay', 'recorded'],
    ['many', 'invalid-record'],
    ['proto', 'invalid-record'],
  ]);

  await pushFiles(world.clone, { '.passloop/holds/flight-delay/broken.json': '{' }, 'A hold that nobody can read');
  const broken = await readStatus(world.forge);
  expect(broken.rows.find(({ model }) => model === 'flight-delay')).toMatchObject({
    state: 'invalid-record',
    reason: expect.stringContaining('.passloop/holds/flight-delay/broken.json'),
  });
  await expect(promote(world.forge, query(), promotionOf(candidate('b')), auto)).rejects.toMatchObject({
    code: 'configuration',
    file: '.passloop/holds/flight-delay/broken.json',
  });
});

it('passes no repository in which nothing is recorded', async () => {
  await using world = await deployWorld();
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'warn', rows: [], holds: [] });
});

it('adopts no text of others as a version that people paste', async () => {
  await using world = await deployWorld();
  const running = { environment: 'prod', modelDigest: candidate('a').modelDigest, version: '$(id)', repository: image };
  await adopt(
    world.forge,
    query(),
    { ...running, imageDigest: candidate('a').image.digest, known: {}, at: '2026-11-22T12:00:00Z' },
    auto,
  );
  for (const name of ['b', 'c']) await promote(world.forge, query(), promotionOf(candidate(name)), auto);
  const request = { environment: 'prod', reason: 'bad', by: 'ada', at: '2026-11-22T12:00:00Z' };
  const options = { ...auto, hasImage: async () => true };
  await rollback(world.forge, query(), { ...request, to: { kind: 'previous' } }, options);
  const again = await rollback(world.forge, query(), { ...request, to: { kind: 'previous' } }, options);
  expect(again.reason).toMatch(/--to sha256:[0-9a-f]{64}$/);
});
