import { expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import { twoProportions } from './two-proportions.ts';

// statsmodels 0.15.0: proportions_ztest([hits, hits], [rows, rows]).
it.each([
  [30, 100, 45, 120, -1.1685534824642432, 0.24258357934832098],
  [5, 1000, 9, 400, -2.972941950052815, 0.002949602307507591],
  [300, 1000, 310, 1000, -0.4856715683182145, 0.627200045007045],
  [0, 50, 7, 60, -2.495951414347477, 0.012561980610043356],
])('%d of %d against %d of %d', (hits, rows, currentHits, currentRows, statistic, pValue) => {
  const found = twoProportions({ hits, rows }, { hits: currentHits, rows: currentRows });
  expectClose(found.statistic, statistic, 1e-14);
  expectClose(found.pValue, pValue, 1e-13);
});

it('has no answer where nothing varies, and refuses an empty side', () => {
  expect(twoProportions({ hits: 5, rows: 5 }, { hits: 7, rows: 7 }).pValue).toBeNaN();
  expect(() => twoProportions({ hits: 0, rows: 0 }, { hits: 1, rows: 2 })).toThrow(RangeError);
});
