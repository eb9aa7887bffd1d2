import type { DiagnosedCheck, DiagnosisDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { printDiagnosis } from './diagnosis.ts';

function diagnosis(checks: Partial<DiagnosedCheck>[]): DiagnosisDocument {
  return {
    schema: 'passloop/diagnosis/v1',
    repository: 'acme/flights',
    commit: null,
    verdict: 'fail',
    checks: checks.map((check) => ({ id: 'a', subject: null, verdict: 'ok', message: 'fine.', fix: null, ...check })),
  };
}

it('counts, shows each check, and a fix once, with its indentation', () => {
  const fix = 'permissions:\n  contents: read';
  expect(
    printDiagnosis(
      diagnosis([
        {},
        { id: 'b', subject: 's', verdict: 'fail', message: 'no.', fix },
        { id: 'b', subject: 't', verdict: 'warn', message: 'hm.', fix },
        { id: 'c', verdict: 'unknown', message: 'who knows.', fix: 'ask' },
      ]),
    ),
  ).toBe(`fail: acme/flights: 1 to mend, 1 to look at, 1 unknown, 1 ok

ok    a: fine.
FAIL  b s: no.
      > permissions:
      >   contents: read
warn  b t: hm.
??    c: who knows.
      > ask
`);
});

it('lets no hostile text out of its line', () => {
  const text = printDiagnosis(
    diagnosis([{ subject: 'x\n::error::y', message: 'a\u001b[31mb\u202e', verdict: 'fail', fix: 'c\r\u001b]0;d' }]),
  );
  expect(text).not.toMatch(/[\u001b\u202e\r]/);
  expect(text.split('\n').filter((line) => line.startsWith('::'))).toEqual([]);
});
