import { expect, it } from 'vitest';
import { parseModelFile } from './load.ts';
import { policyDifferences, policyDigest, policyOf, underPolicy } from './policy.ts';

const text = `version: 1
models:
  - name: m
    task: binary
    columns: {key: [id], label: y, score: s}
    data:
      test:
        path: t.parquet
        checks:
          - {kind: range, column: a, min: 0, max: 10}
          - {kind: set, column: b, values: [x, y]}
          - {kind: row-count, min: 100}
          - {kind: unique, columns: [id]}
    evaluate: {dataset: test, predictions: p.parquet}
    gates:
      - {metric: roc_auc, direction: higher, margin: 0.005, slices: [b]}
      - {metric: log_loss, direction: lower, margin: 0.01, max: 0.6}
    deploy: {repository: acme/deploy, environments: [{name: prod, targets: [{kind: kustomize, file: k.yaml, image: acme/m}]}]}
`;

function policy(change: (text: string) => string = (same) => same) {
  const [model] = parseModelFile(change(text), 'passloop.yaml');
  if (model === undefined) throw new Error('no model');
  return policyOf(model);
}

/** Gives the environment a gate of its own. */
function ofProd(gate: string) {
  return (base: string) => base.replace('{name: prod,', `{name: prod, gates: [${gate}],`);
}

it.each<[string, (text: string) => string, string, boolean]>([
  ['a wider margin', (t) => t.replace('margin: 0.005', 'margin: 0.05'), 'gates.roc_auc.margin', true],
  ['a narrower margin', (t) => t.replace('margin: 0.005', 'margin: 0.001'), 'gates.roc_auc.margin', false],
  ['a removed gate', (t) => t.replace(/ {6}- \{metric: log_loss.*\n/, ''), 'gates.log_loss', true],
  [
    'an added gate',
    (t) => t.replace('    deploy', '      - {metric: accuracy, direction: higher, margin: 0.01}\n    deploy'),
    'gates.accuracy',
    false,
  ],
  ['another direction', (t) => t.replace('direction: lower', 'direction: higher'), 'gates.log_loss.direction', true],
  [
    'a warning instead of an error',
    (t) => t.replace('max: 0.6', 'max: 0.6, severity: warn'),
    'gates.log_loss.severity',
    true,
  ],
  [
    'more rows that a gate needs',
    (t) => t.replace('max: 0.6', 'max: 0.6, minRows: 500'),
    'gates.log_loss.minRows',
    true,
  ],
  [
    'fewer rows that a gate needs',
    (t) => t.replace('max: 0.6', 'max: 0.6, minRows: 10'),
    'gates.log_loss.minRows',
    true,
  ],
  ['a removed slice', (t) => t.replace(', slices: [b]', ''), 'gates.roc_auc.slices', true],
  ['a higher maximum', (t) => t.replace('max: 0.6', 'max: 0.7'), 'gates.log_loss.max', true],
  ['a lower maximum', (t) => t.replace('max: 0.6', 'max: 0.5'), 'gates.log_loss.max', false],
  ['a removed maximum', (t) => t.replace(', max: 0.6', ''), 'gates.log_loss.max', true],
  ['a wider range', (t) => t.replace('max: 10', 'max: 11'), 'data.test.checks.range:a', true],
  ['a narrower range', (t) => t.replace('max: 10', 'max: 9'), 'data.test.checks.range:a', false],
  ['a larger set', (t) => t.replace('[x, y]', '[x, y, z]'), 'data.test.checks.set:b', true],
  ['a smaller set', (t) => t.replace('[x, y]', '[x]'), 'data.test.checks.set:b', false],
  ['fewer rows', (t) => t.replace('min: 100', 'min: 10'), 'data.test.checks.row-count', true],
  [
    'a check on some rows only',
    (t) => t.replace('values: [x, y]', 'values: [x, y], where: "a > 1"'),
    'data.test.checks.set:b',
    true,
  ],
  ['a removed check', (t) => t.replace(/ {10}- \{kind: unique.*\n/, ''), 'data.test.checks.unique:id', true],
  ['predictions of the stage', (t) => t.replace('dataset: test,', 'dataset: test, scoring: stage,'), 'evaluate', true],
  ['another label', (t) => t.replace('label: y', 'label: z'), 'columns', true],
  [
    'a store of its own',
    (t) => t.replace('    deploy:', '    store: {oci: evil.example/m-runs}\n    deploy:'),
    'store',
    true,
  ],
  [
    'values in the log',
    (t) => t.replace('t.parquet', 't.parquet\n        showValues: true'),
    'data.test.showValues',
    true,
  ],
  [
    "an environment's gate that is new",
    ofProd('{metric: accuracy, direction: higher, min: 0.7}'),
    'deploy.environments.prod.gates.accuracy',
    false,
  ],
  [
    "an environment's narrower gate in place of the model's",
    ofProd('{metric: log_loss, direction: lower, margin: 0.005, max: 0.6}'),
    'deploy.environments.prod.gates.log_loss.margin',
    false,
  ],
  [
    "an environment's wider gate in place of the model's",
    ofProd('{metric: log_loss, direction: lower, margin: 0.02, max: 0.6}'),
    'deploy.environments.prod.gates.log_loss.margin',
    true,
  ],
  [
    'automatic merging',
    (t) => t.replace('{name: prod,', '{name: prod, merge: auto,'),
    'deploy.environments.prod.merge',
    true,
  ],
  ['another target', (t) => t.replace('k.yaml', 'x.yaml'), 'deploy.environments.prod.targets', true],
  ['another deploy repository', (t) => t.replace('acme/deploy', 'evil/deploy'), 'deploy.repository', true],
  [
    'an environment behind the one that is production',
    (t) =>
      t.replace(
        'image: acme/m}]}]',
        'image: acme/m}]}, {name: dr, targets: [{kind: kustomize, file: dr.yaml, image: m}]}]',
      ),
    'deploy.environments',
    true,
  ],
  ['no deployment at all', (t) => t.replace(/ {4}deploy: .*\n/, ''), 'deploy', true],
])('%s: %s', (_name, change, path, loosens) => {
  const differences = policyDifferences(policy(), policy(change));
  expect(differences.map((difference) => [difference.path, difference.loosens])).toEqual([[path, loosens]]);
});

it.each([
  ['wider', '{metric: accuracy, direction: higher, min: 0.6}', [['accuracy.min', true]]],
  ['narrower', '{metric: accuracy, direction: higher, min: 0.8}', [['accuracy.min', false]]],
  [
    'gone',
    '{metric: mcc, direction: higher, min: 0}',
    [
      ['accuracy', true],
      ['mcc', false],
    ],
  ],
])("judges an environment's gate that becomes %s", (_, gate, expected) => {
  const before = policy(ofProd('{metric: accuracy, direction: higher, min: 0.7}'));

  expect(policyDifferences(before, policy(ofProd(gate))).map(({ path, loosens }) => [path, loosens])).toEqual(
    expected.map(([path, loosens]) => [`deploy.environments.prod.gates.${path}`, loosens]),
  );
});

it("takes it for looser where an environment's narrower gate gives the model's back its place, and where it loses its environment", () => {
  const before = policy(ofProd('{metric: log_loss, direction: lower, margin: 0.005, max: 0.6}'));
  const renamed = (base: string) => base.replace('name: prod', 'name: live');

  expect(policyDifferences(before, policy())).toMatchObject([
    { path: 'deploy.environments.prod.gates.log_loss.margin', loosens: true },
  ]);
  expect(policyDifferences(before, policy(renamed)).map(({ path, loosens }) => [path, loosens])).toEqual([
    ['deploy.environments.prod.gates.log_loss.margin', true],
    ['deploy.environments', true],
  ]);
});

it('sees no difference where there is none, and one digest', () => {
  expect(
    policyDifferences(
      policy(),
      policy((t) => t.replace('0.005', '0.0050')),
    ),
  ).toEqual([]);
  expect(policyDigest(policy())).toBe(policyDigest(policy((t) => `# a comment\n${t}`)));
});

it('judges a change by the policy of the target branch', () => {
  const [head] = parseModelFile(
    text.replace('margin: 0.005', 'margin: 0.5').replace('max: 10', 'max: 99'),
    'passloop.yaml',
  );
  if (head === undefined) throw new Error('no model');
  const judged = underPolicy(head, policy());
  expect(judged.gates[0]?.margin).toBe(0.005);
  expect(judged.data.test?.checks[0]).toMatchObject({ max: 10 });
});

it('shows values where the target branch does, of the table that it meant', () => {
  const shows = (base: string) => base.replace('t.parquet', 't.parquet\n        showValues: true');
  const underIt = (head: string, base: (text: string) => string) =>
    underPolicy(parseModelFile(head, 'passloop.yaml')[0]!, policy(base)).data;
  const renamed = shows(text).replace('      test:', '      other:').replace('dataset: test', 'dataset: other');

  expect(underIt(shows(text), shows).test?.showValues).toBe(true);
  expect(underIt(shows(text), (same) => same).test?.showValues).not.toBe(true);
  expect(underIt(renamed, (same) => same).other?.showValues, 'by another name').not.toBe(true);
  expect(underIt(shows(text).replace('t.parquet', 'secret.parquet'), shows).test?.showValues).toBe(false);
  expect(policyDifferences(policy(shows), policy())).toMatchObject([{ path: 'data.test.showValues', loosens: false }]);
});

it('keeps the digest of a policy that shows nothing', () => {
  expect(policyDigest(policy())).toBe(
    policyDigest(policy((t) => t.replace('t.parquet', 't.parquet\n        showValues: false'))),
  );
  expect(JSON.parse(JSON.stringify(policy()))).not.toHaveProperty('showValues');
});

it.each([
  ['range', '{kind: range, id: own, column: a, min: 0}'],
  ['set', '{kind: set, id: own, column: a, values: [x]}'],
  ['not-null', '{kind: not-null, id: own, column: a}'],
])('takes a %s check that keeps its id and looks at another column for a looser one', (_, check) => {
  const from = (base: string) => base.replace('{kind: unique, columns: [id]}', check);
  const to = (base: string) => from(base).replace('id: own, column: a', 'id: own, column: c');
  expect(policyDifferences(policy(from), policy(to))).toMatchObject([{ path: 'data.test.checks.own', loosens: true }]);
});

it("takes another meaning of a metric for a looser policy, a new one not, and judges by the target branch's", () => {
  const withMetric = (sql: string) => (base: string) =>
    base.replace('    gates:\n', `    metrics: {lost: {kind: sql, sql: "${sql}"}}\n    gates:\n`);
  const [before, after] = [policy(withMetric('sum(a)')), policy(withMetric('0 * sum(a)'))];

  expect(policyDifferences(before, after)).toMatchObject([{ path: 'metrics.lost', loosens: true }]);
  expect(policyDifferences(policy(), before)).toMatchObject([{ path: 'metrics.lost', from: null, loosens: false }]);
  expect(policyDifferences(before, policy())).toMatchObject([{ path: 'metrics.lost', to: null, loosens: true }]);
  const [head] = parseModelFile(withMetric('0 * sum(a)')(text), 'passloop.yaml');
  expect(underPolicy(head!, before).metrics.lost).toEqual({ kind: 'sql', sql: 'sum(a)' });
});
