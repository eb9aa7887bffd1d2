import { readFileSync } from 'node:fs';
import { parseDocument, type RecordDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { holdoutsOf } from './production-pointer.ts';

const fixture = new URL('../../documents/fixtures/v1/record.json', import.meta.url);
const record = parseDocument('record', readFileSync(fixture, 'utf8'), 'fixture');

function decided(rows: string | null, at: string, cause: RecordDocument['deployment']['cause'] = 'promotion') {
  const evaluation =
    rows === null ? null : { dataset: 'test', rows: 100, evaluationDigest: `sha256:${rows.repeat(64)}` };
  return { ...record, evaluation, deployment: { ...record.deployment, cause, at } };
}

it('counts the promotions that each set of rows decided, and no return, adoption or record without rows', () => {
  const holdouts = holdoutsOf([
    decided('b', '2026-11-03T00:00:00Z'),
    decided('a', '2026-11-02T00:00:00+02:00'),
    decided('a', '2026-11-01T23:00:00Z', 'rollback'),
    decided('a', '2026-10-01T00:00:00Z'),
    decided(null, '2026-09-01T00:00:00Z'),
    decided('a', '2026-08-01T00:00:00Z', 'adopt'),
  ]);

  expect(holdouts).toEqual([
    { evaluationDigest: `sha256:${'b'.repeat(64)}`, promotions: 1, since: '2026-11-03T00:00:00Z' },
    { evaluationDigest: `sha256:${'a'.repeat(64)}`, promotions: 2, since: '2026-10-01T00:00:00Z' },
  ]);
});
