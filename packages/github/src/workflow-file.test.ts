import { expect, it } from 'vitest';
import { workflowFileOf } from './workflow-file.ts';

it.each([
  ['check.yml', 'check.yml'],
  ['check.yml@refs/heads/main', 'check.yml'],
  ['check.yml@refs/heads/a@refs/b@c.yml', 'check.yml'],
  ['check.yml@refs/pull/7/merge', 'check.yml'],
  ['check.yaml@main', 'check.yaml'],
  ['check.yml@4f0c1d0a', 'check.yml'],
  ['check@a.yml', 'check@a.yml'],
  ['check@a.yml@refs/heads/main', 'check@a.yml'],
  ['check@b.yml@refs/heads/main', 'check@b.yml'],
  ['check@a.yml@main', 'check@a.yml'],
  ['check.yml@b.yml', 'check.yml@b.yml'],
  ['check.yml@b.yml@refs/heads/main', 'check.yml@b.yml'],
  ['check.yml@b.yml@main', 'check.yml@b.yml'],
  ['a\nb@c.yml@refs/heads/main', 'a\nb@c.yml'],
])('the file of %j is %j', (path, file) => {
  expect(workflowFileOf(`.github/workflows/${path}`)).toBe(`.github/workflows/${file}`);
});
