import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import { deployed } from './testing/records.ts';

function parsed(message: string): string {
  return execFileSync('git', ['interpret-trailers', '--parse'], { input: message, encoding: 'utf8' });
}

const rich = createCandidate('b', {
  runKey: `rk1-${'1'.repeat(64)}`,
  data: [
    { name: 'train', uri: 'x', digest: `sha256:${'2'.repeat(64)}`, rows: null },
    { name: 'test', uri: 'x', digest: `sha256:${'3'.repeat(64)}`, rows: null },
  ],
  gates: [
    { metric: 'roc_auc', slice: null, verdict: 'pass', value: '0.7531', delta: null, interval: null },
    { metric: 'roc_auc', slice: 'carrier=AA', verdict: 'warn', value: null, delta: null, interval: null },
  ],
});

it('writes one block that git reads, with every fact of the design', () => {
  const record = JSON.parse(deployed(rich, deployed(createCandidate('a'), null)));
  const message = commitMessage('promote(flight-delay/prod): b', ['Because.'], promotionTrailers(record, null));
  expect(parsed(message).trim().split('\n')).toEqual([
    `Promotion-Id: ${record.deployment.promotionId}`,
    `Promotion-Source: acme/flights@${rich.source?.commit}`,
    `Image-Digest: ${rich.image.digest}`,
    `Previous-Image-Digest: ${createCandidate('a').image.digest}`,
    `Model-Digest: ${rich.modelDigest}`,
    `Run-Key: rk1-${'1'.repeat(64)}`,
    `Dataset-Digest: train=sha256:${'2'.repeat(64)}`,
    `Dataset-Digest: test=sha256:${'3'.repeat(64)}`,
    'Gate: roc_auc pass 0.7531',
    'Gate: roc_auc[carrier=AA] warn -',
  ]);
  const reverted = promotionTrailers(record, `sha256:${'4'.repeat(64)}`);
  expect(parsed(commitMessage('x', [], reverted))).toContain(`Reverts-Promotion: sha256:${'4'.repeat(64)}`);
});

it('lets no name add, hide or break a trailer', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '\nPromotion-Id: sha256:0',
      '\r\n\r\nSigned-off-by: x',
      'a\u2028Gate: b',
      '---',
      '#',
      'x: y',
      '\u202eevil',
      '[skip ci]',
      '[Skip CI] fixes #1, closes acme/deploy#2 GH-3 @acme/everyone',
    ),
  );
  fc.assert(
    fc.property(hostile, hostile, hostile, (metric, slice, reason) => {
      const gates = [{ metric, slice, verdict: 'pass' as const, value: null, delta: null, interval: null }];
      const record = JSON.parse(deployed(createCandidate('b'), null));
      const trailers = promotionTrailers({ ...record, gates }, null);
      const message = commitMessage(`promote: ${metric}`, [reason], trailers);
      expect(message).not.toMatch(/\[\s*(skip|ci|no|actions) (ci|skip|actions)\s*\]|#\d|GH-\d|(^|\s)@\w/i);
      const tokens = parsed(message)
        .trim()
        .split('\n')
        .map((line) => line.slice(0, line.indexOf(':')));
      expect(tokens).toEqual(['Promotion-Id', 'Promotion-Source', 'Image-Digest', 'Model-Digest', 'Run-Key', 'Gate']);
    }),
    { numRuns: 150 },
  );
});

it('writes no token that git would not read', () => {
  expect(() => commitMessage('x', [], [{ token: 'Gate_a', value: 'b' }])).toThrow(/trailer token/);
});
