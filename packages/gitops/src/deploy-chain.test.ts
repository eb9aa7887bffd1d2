import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { chainedModels } from './deploy-chain.ts';
import { deployed, file, recordFile } from './testing/records.ts';

const other = '.passloop/staging/churn.json';
const flights = deployed(createCandidate('one'), null);
const churn = deployed(createCandidate('two', { model: 'churn', identity: 'acme/churn#churn' }), null, {
  environment: 'staging',
});

function after(files: Record<string, string>) {
  return {
    commit: 'c'.repeat(40),
    files: new Map(Object.entries(files).map(([path, text]) => [path, file(path, text)])),
  };
}

it('names the repositories of all records, each once', () => {
  const staging = deployed(createCandidate('one'), null, { environment: 'staging' });
  const tree = after({ [recordFile]: flights, [other]: churn, '.passloop/staging/flight-delay.json': staging });
  expect(chainedModels(null, tree)).toEqual({
    models: [
      { file: '.passloop/staging/flight-delay.json', repository: 'acme/flights', model: 'flight-delay' },
      { file: other, repository: 'acme/churn', model: 'churn' },
    ],
    failed: [],
  });
});

it('names those whose record changed or is new', () => {
  const tree = after({ [recordFile]: flights, [other]: churn });
  expect(chainedModels(new Map([[recordFile, flights]]), tree).models.map(({ model }) => model)).toEqual(['churn']);
  expect(
    chainedModels(
      new Map([
        [recordFile, 'before'],
        [other, churn],
      ]),
      tree,
    ).models.map(({ model }) => model),
  ).toEqual(['flight-delay']);
});

it.each([
  'local#flight-delay',
  'acme/flights#other',
  'acme/flights/actions/workflows/x#flight-delay',
  'acme/..#flight-delay',
  '../x#flight-delay',
  'acme/flights?x=#flight-delay',
  'acme/flights#flight-delay#flight-delay',
  '-acme/flights#flight-delay',
])('believes no record of %s', (identity) => {
  const tree = after({ [recordFile]: deployed(createCandidate('one', { identity }), null), [other]: churn });
  const plan = chainedModels(null, tree);
  expect(plan.models.map(({ repository }) => repository)).toEqual(['acme/churn']);
  expect(plan.failed).toEqual([expect.objectContaining({ file: recordFile, repository: null })]);
});

it('believes no record that does not verify', () => {
  const forged = flights.replace('acme/flights#flight-delay', 'evil/flights#flight-delay');
  const plan = chainedModels(null, after({ [recordFile]: forged }));
  expect(plan.models).toEqual([]);
  expect(plan.failed[0]?.reason).toMatch(/promotion id/);
});

it('leaves out, on a status, what runs the same in each of several environments', () => {
  const staging = (name: string) => deployed(createCandidate(name), null, { environment: 'staging' });
  const at = '.passloop/staging/flight-delay.json';
  const models = (files: Record<string, string>) =>
    chainedModels(null, after(files), 'unequal').models.map(({ model }) => model);

  expect(models({ [recordFile]: flights, [at]: staging('one') })).toEqual([]);
  expect(models({ [recordFile]: flights, [at]: staging('another') })).toEqual(['flight-delay']);
  expect(models({ [at]: staging('one') })).toEqual(['flight-delay']);
});
