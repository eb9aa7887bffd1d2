import { expect, it } from 'vitest';
import { type Verdict, worstVerdict } from './verdict.ts';

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
