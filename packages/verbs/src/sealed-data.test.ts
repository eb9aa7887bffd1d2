import { parseModelFile } from '@passloop/model';
import { expect, it } from 'vitest';
import { unsealable } from './sealed-data.ts';

function model(data: string, more = '') {
  const [found] = parseModelFile(
    `version: 1
models:
  - name: ages
    task: regression
    columns: {key: [id], label: age}
    data: {${data}}
${more}`,
    'passloop.yaml',
  );
  if (found === undefined) throw new Error('no model');
  return found;
}

const remote = "days: {uri: 's3://acme-data/day/'";
const local = 'test: {path: data/test.csv';

it.each<[string, string, string, string | null]>([
  ['nothing but training reads', `${remote}}, ${local}, checks: [{kind: not-null, column: id}]}`, '', null],
  ['has checks', `${remote}, checks: [{kind: not-null, column: id}]}`, '', 'it has checks'],
  [
    'another one looks into',
    `${remote}}, ${local}, checks: [{kind: row-ratio, dataset: days, min: 1}]}`,
    '',
    'a check of another dataset looks into it',
  ],
  [
    'decides',
    `${remote}}`,
    '    evaluate: {dataset: days, scoring: stage, predictions: out/p.csv, metrics: out/m.json}\n',
    'candidates are evaluated on it',
  ],
])('finds a remote dataset that %s', (_name, data, more, why) => {
  const found = model(data, more);
  expect(unsealable(found, null)?.why ?? null).toBe(why);
  expect(unsealable(found, found)).toBeNull();
  expect(unsealable(found, model("days: {uri: 's3://acme-data/other/'}"))?.why ?? null).toBe(why);
});

it.each([
  '../../etc/passwd.csv',
  'data/x.csv',
  'file:///etc/passwd.csv',
  'S3://x/y.csv',
])('takes no %s for an address', (uri) => {
  expect(() => model(`days: {uri: '${uri}'}`)).toThrow(/uri: .*must be an address/);
});
