import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readWorkflow } from '../../scripts/workflow-file.ts';

/** GitHub's rules for starter workflows: https://docs.github.com/en/actions/how-tos/reuse-automations/create-workflow-templates */
const folder = path.resolve(import.meta.dirname, '../../workflows-templates');
const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
const files = readdirSync(folder).sort();
const names = files.filter((name) => name.endsWith('.yml')).map((name) => name.slice(0, -'.yml'.length));

const icons = ['beaker', 'comment-discussion', 'history', 'rocket', 'shield-check', 'workflow'];
const Properties = z.strictObject({
  name: z.string().min(1).max(60),
  description: z.string().min(1).max(200),
  iconName: z.enum(icons.map((icon) => `octicon ${icon}`)),
  categories: z.array(z.enum(['Continuous integration', 'Deployment'])).min(1),
  filePatterns: z.array(z.string().refine((pattern) => new RegExp(pattern).source !== '')).optional(),
});
const text = (name: string) => read(`${name}.properties.json`);

it('has pairs, and nothing else', () => {
  expect(files).toEqual(names.flatMap((name) => [`${name}.properties.json`, `${name}.yml`]).sort());
  expect(names).toHaveLength(6);
});

describe.each(names)('%s', (name) => {
  it('has properties that GitHub takes', () => {
    expect(() => Properties.parse(JSON.parse(text(name)))).not.toThrow();
  });

  it('names the default branch as GitHub fills it in, and no branch itself', () => {
    const { on } = readWorkflow(read(`${name}.yml`));
    const push = z
      .object({ branches: z.array(z.string()) })
      .optional()
      .parse(on.push ?? undefined);
    if (push !== undefined) expect(push.branches).toEqual(['$default-branch']);
  });

  it('filters no pull request, and is named as its file', () => {
    const { on, name: title } = readWorkflow(read(`${name}.yml`));
    expect(title).toBe(name);
    if ('pull_request' in on) expect([on.pull_request, on.merge_group]).toEqual([null, null]);
  });
});

it('waits for the check by its name', () => {
  expect(readWorkflow(read('model-report.yml')).on.workflow_run).toMatchObject({
    workflows: [readWorkflow(read('model-check.yml')).name],
    types: ['completed'],
  });
});

it('lets a chain dispatch a promotion with the one input that it gives; the other is for people, and has a default', () => {
  expect(Object.keys(readWorkflow(read('model-promote.yml')).declared.inputs)).toEqual(['model', 'again']);
});

it.each([
  ['an icon that there isn’t', { iconName: 'octicon unicorn' }],
  ['a category of its own', { categories: ['Passloop'] }],
  ['an unknown key', { labels: ['preview'] }],
  ['no name', { name: '' }],
  ['a pattern that is none', { filePatterns: ['('] }],
])('refuses %s', (_, changed) => {
  expect(() => Properties.parse({ ...JSON.parse(text('model-check')), ...changed })).toThrow();
});
