import { expect, it } from 'vitest';
import { isPassing, type Verdict, verdicts, worstVerdict } from './verdict.ts';

it.each<[Verdict[], Verdict]>([
  [[], 'fail'],
  [['skipped'], 'fail'],
  [['skipped', 'pass'], 'pass'],
  [['pass', 'warn'], 'warn'],
  [['warn', 'inconclusive', 'pending'], 'inconclusive'],
  [['inconclusive', 'fail'], 'fail'],
])('of %j the worst is %s', (parts, worst) => {
  expect(worstVerdict(parts)).toBe(worst);
});

it('only pass and warn let a person go on', () => {
  expect(verdicts.filter(isPassing)).toEqual(['pass', 'warn']);
});
