import { expect, it } from 'vitest';
import { columnRoles } from './column-roles.ts';

it('takes every score of a multiclass model for a prediction', () => {
  const columns = { key: ['id'], label: 'kind', prediction: 'guess', scores: { cat: 'p_cat', dog: 'p_dog' } };
  expect(columnRoles({ columns })).toEqual({ label: 'kind', predictions: ['guess', 'p_cat', 'p_dog'] });
});
