import { recipientText } from '@passloop/github/action';
import { expect, it } from 'vitest';
import { recipientOf } from './recipient-of.ts';

const [ours, theirs] = [`age1${'q'.repeat(58)}`, `age1${'p'.repeat(58)}`];

it.each<[Record<string, string>, string, string | undefined]>([
  [{}, 'a', undefined],
  [{ a: ours }, 'a', ours],
  [{ a: ours, b: ours }, 'b', ours],
  [{ a: ours, b: theirs }, 'a', ours],
  [{ a: ours, b: theirs }, 'b', theirs],
  [{ a: ours, b: theirs }, 'c', undefined],
  [{ a: ours, b: theirs }, 'constructor', undefined],
])('of the recipients %j, %s gets %s', (recipients, model, expected) => {
  const text = recipientText(recipients);
  expect(recipientOf(text === '' ? undefined : text, model)).toBe(expected);
});

it.each(['{', '{"a": 1}', '{"a": {"b": "c"}}'])('refuses %s', (text) => {
  expect(() => recipientOf(text, 'a')).toThrow(/neither a recipient nor a JSON map/);
});
