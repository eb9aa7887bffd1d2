import { ConfigurationError, parseYaml } from '@passloop/core';
import Ajv2020 from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { gatesIn } from './gates.ts';
import { parseModelFile, productionEnvironment } from './load.ts';
import { modelFileJsonSchema } from './schema.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const valid = `version: 1
models:
  - name: flight-delay
    task: binary
    columns: {key: [id], label: late, score: score, prediction: late_hat, positive: 1}
    data:
      train: {path: data/train.parquet, profile: profiles/train.json, checks: [{kind: not-null, column: distance}]}
      test: {path: data/test.parquet}
    train:
      environment: {python: "3.11", lock: requirements.lock}
      seeds: {PYTHONHASHSEED: 0, framework: 7}
      stages:
        - name: fit
          run: [python, -m, flight_delay.train]
          code: [flight_delay/**]
          data: [train]
          params: {file: params.yaml, keys: [fit]}
          outputs: [out/model.joblib, out/predictions.parquet, out/metrics.json]
    evaluate: {dataset: test, predictions: out/predictions.parquet, metrics: out/metrics.json}
    gates:
      - {metric: roc_auc, direction: higher, margin: 0.005, slices: [daypart]}
      - {metric: latency_p95_ms, direction: lower, max: 40, severity: warn}
    package: {model: out/model.joblib, requirements: serve.lock, signature: signature.json, base: "python:3.11-slim@${digest}", repository: ghcr.io/acme/flight}
    deploy:
      repository: acme/deploy
      environments:
        - {name: staging, targets: [{kind: kustomize, file: apps/s/kustomization.yaml, image: ghcr.io/acme/flight}]}
        - {name: prod, after: staging, targets: [{kind: kustomize, file: apps/p/kustomization.yaml, image: ghcr.io/acme/flight}]}
`;

function errorOf(text: string): ConfigurationError {
  try {
    parseModelFile(text, 'models/passloop.yaml');
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

it('reads a model file, fills defaults, and knows its folder', () => {
  const [model] = parseModelFile(valid, 'models/passloop.yaml');
  expect(model?.folder).toBe('models');
  expect(model?.train?.trust).toBe('writers');
  expect(model?.store).toEqual({ directory: '.passloop/store' });
  expect(model?.data.train?.checks[0]).toEqual({ kind: 'not-null', column: 'distance', mostly: 1, severity: 'error' });
  expect(model === undefined ? null : productionEnvironment(model)?.name).toBe('prod');
  expect(model?.lineOf(['gates', 1])).toBe(22);
});

it('lets what a clock measures warn, unless the team says that it blocks', () => {
  const gate = '{metric: latency_p95_ms, direction: lower, max: 40, severity: warn}';
  const severities = (text: string) =>
    parseModelFile(valid.replace(gate, text), 'passloop.yaml')[0]?.gates.map(({ severity }) => severity);
  expect(severities('{metric: latency_p95_ms, direction: lower, relative: 0.2}')).toEqual(['error', 'warn']);
  expect(severities('{metric: ready_seconds, direction: lower, max: 9}')).toEqual(['error', 'warn']);
  expect(severities('{metric: latency_p50_ms, direction: lower, max: 9, severity: error}')).toEqual(['error', 'error']);
  expect(severities('{metric: image_bytes, direction: lower, max: 9e8}')).toEqual(['error', 'error']);
  const inProd = valid.replace(
    '{name: prod,',
    '{name: prod, gates: [{metric: ready_seconds, direction: lower, max: 9}],',
  );
  const prod = parseModelFile(inProd, 'passloop.yaml')[0]?.deploy?.environments[1];
  expect(prod?.gates?.map(({ severity }) => severity)).toEqual(['warn']);
  expect(errorOf(valid.replace(gate, '{metric: latency_p95_ms, severity: 3}')).line).toBe(22);
  expect(errorOf(valid.replace(gate, '[latency_p95_ms]')).line).toBe(22);
});

it('agrees with its JSON Schema, which editors use', () => {
  const validate = new Ajv2020.default({ strict: false }).compile(modelFileJsonSchema());
  expect(validate(parseYaml(valid, 'x').value)).toBe(true);
  expect(validate(parseYaml(valid.replace('gates:', 'gate:'), 'x').value)).toBe(false);
});

it.each<[string, (text: string) => string, RegExp, number | null, RegExp | null]>([
  [
    'a mistyped key',
    (t) => t.replace('margin: 0.005', 'martin: 0.005'),
    /unknown key `martin`/,
    21,
    /Did you mean `margin`\?/,
  ],
  [
    'a number that no double is',
    (t) => t.replace('margin: 0.005', 'margin: 9007199254740993'),
    /9007199254740993 would be read as 9007199254740992/,
    21,
    /into quotes/,
  ],
  [
    'a mistyped key in a check',
    (t) => t.replace('column: distance', 'colum: distance'),
    /unknown key|column: is missing/,
    7,
    null,
  ],
  ['an unknown check', (t) => t.replace('kind: not-null', 'kind: not-nil'), /kind/, 7, null],
  [
    'a reserved word',
    (t) => t.replace('    task:', '    resources: {gpu: 1}\n    task:'),
    /reserved for a later version/,
    4,
    null,
  ],
  [
    'a reserved train.when',
    (t) => t.replace('      seeds:', '      when: nightly\n      seeds:'),
    /`when` is reserved/,
    null,
    null,
  ],
  ['a wrong type', (t) => t.replace('key: [id]', 'key: id'), /columns\.key: expected array/, 5, null],
  [
    'a path outside',
    (t) => t.replace('data/test.parquet', '../secrets.parquet'),
    /must be a path inside the repository/,
    8,
    null,
  ],
  [
    'an absolute path',
    (t) => t.replace('out/model.joblib, out', '/etc/passwd, out'),
    /must be a path inside/,
    18,
    null,
  ],
  ['a bad name', (t) => t.replace('name: flight-delay', 'name: Flight_Delay'), /must be lower case letters/, 3, null],
  ['a base by tag', (t) => t.replace(`@${digest}`, ''), /pinned by digest/, null, null],
  ['a gate without a bound', (t) => t.replace('max: 40, ', ''), /needs `margin`/, 22, null],
  ['a negative margin', (t) => t.replace('margin: 0.005', 'margin: -1'), /must not be negative/, 21, null],
  ['an infinite margin', (t) => t.replace('margin: 0.005', 'margin: .inf'), /gates\[0\]\.margin/, 21, null],
  [
    'an unknown dataset',
    (t) => t.replace('dataset: test', 'dataset: tset'),
    /no dataset is named "tset" \(there is: train, test\)/,
    19,
    null,
  ],
  [
    'a model that no stage makes',
    (t) => t.replace('model: out/model.joblib', 'model: out/other.joblib'),
    /is no stage's output/,
    23,
    null,
  ],
  ['python as a number', (t) => t.replace('"3.11"', '3.11'), /python/, 10, null],
  ['a wrong version', (t) => t.replace('version: 1', 'version: 2'), /version/, 1, null],
  ['no models', () => 'version: 1\nmodels: []\n', /models/, 2, null],
  ['an empty file', () => '', /./, null, null],
  ['a list', () => '- 1\n', /./, 1, null],
  [
    'an environment after none',
    (t) => t.replace('after: staging', 'after: nowhere'),
    /no earlier environment/,
    null,
    null,
  ],
  [
    'drift without a profile',
    (t) =>
      t.replace('{kind: not-null, column: distance}', '{kind: drift}').replace('profile: profiles/train.json, ', ''),
    /needs the dataset to name its `profile`/,
    7,
    null,
  ],
  ...(
    [
      ['compat: evidently', /names `compat` and no `dataset`: [\s\S]*Name the reference, such as `dataset: train`/],
      ['compat: evidently, dataset: test, minRows: 10', /Evidently judges any number of rows/],
      ['compat: evidently, dataset: test, maxShare: 0.1', /`driftShare` is wanted/],
      ['driftShare: 0.1', /`maxShare` is wanted/],
      ['dataset: nowhere', /another one of this model is wanted: test/],
      ['compat: deepchecks', /compat/],
    ] satisfies [string, RegExp][]
  ).map(([fields, message]): [string, (text: string) => string, RegExp, number, null] => [
    `drift with ${fields}`,
    (t) => t.replace('{kind: not-null, column: distance}', `{kind: drift, ${fields}}`),
    message,
    7,
    null,
  ]),
])('%s: a clear error with its line', (_name, change, message, line, hint) => {
  const error = errorOf(change(valid));
  expect(error.message).toMatch(message);
  expect(error.file).toBe('models/passloop.yaml');
  if (line !== null) expect(error.line).toBe(line);
  if (hint !== null) expect(error.hint ?? '').toMatch(hint);
});

it('takes drift from another dataset, which needs no profile', () => {
  const text = valid
    .replace('{kind: not-null, column: distance}', '{kind: drift, compat: evidently, dataset: test}')
    .replace('profile: profiles/train.json, ', '');
  expect(parseModelFile(text, 'passloop.yaml')[0]?.data.train?.checks).toMatchObject([{ dataset: 'test' }]);
});

it('refuses two models of one name', () => {
  const twice = valid + valid.slice(valid.indexOf('  - name'));
  expect(errorOf(twice).message).toMatch(/two models are named "flight-delay"/);
});

it('reads paths that mean one place as one path', () => {
  const text = valid
    .replace('lock: requirements.lock', 'lock: ./requirements.lock')
    .replace('path: data/test.parquet', 'path: data/../data//test.parquet')
    .replace('out/metrics.json]\n', 'out/metrics.json, ./out/plots/]\n');
  const [model] = parseModelFile(text, 'passloop.yaml');
  expect(model?.train?.environment).toMatchObject({ lock: 'requirements.lock' });
  expect(model?.data.test?.path).toBe('data/test.parquet');
  expect(model?.train?.stages[0]?.outputs.at(-1)).toBe('out/plots');
});

it.each([
  ['twice', 'out/./model.joblib', /"out\/model\.joblib" is an output twice/],
  ['in another case', 'out/Model.joblib', /"out\/Model\.joblib" and the output "out\/model\.joblib" are one place/],
  ['as a folder of another', 'out/model.joblib/part', /"out\/model\.joblib\/part" and the output "out\/model\.joblib"/],
  ['around the others', 'out', /"out" and the output "out\/model\.joblib" are one place, or one lies in the other/],
  ['as the whole folder', '.', /must be a path below the folder of the model file/],
])('refuses an output %s, with its line', (_title, output, message) => {
  const error = errorOf(valid.replace('out/metrics.json]\n', `out/metrics.json, ${output}]\n`));
  expect(error.message).toMatch(message);
  expect(error.line).toBe(18);
});

const withMetrics = (metrics: string, gate: string, more = '') =>
  valid
    .replace('    gates:\n', `    metrics:\n${metrics}    gates:\n      - ${gate}\n`)
    .replace('positive: 1}', `positive: 1${more}}`);

const withProdGates = (gates: string) => valid.replace('{name: prod,', `{name: prod, gates: [${gates}],`);

it('takes gates of an environment, which stand in the place of those of the model on the same metric', () => {
  const text = withProdGates(
    '{metric: roc_auc, direction: higher, min: 0.8}, {metric: brier, direction: lower, max: 0.2}',
  );
  const [model] = parseModelFile(text, 'passloop.yaml');
  const named = (environment: string) => gatesIn(model!, environment).map(({ metric, min }) => [metric, min]);

  expect(named('staging')).toEqual([
    ['roc_auc', undefined],
    ['latency_p95_ms', undefined],
  ]);
  expect(named('prod')).toEqual([
    ['latency_p95_ms', undefined],
    ['roc_auc', 0.8],
    ['brier', undefined],
  ]);
  expect(new Ajv2020.default({ strict: false }).compile(modelFileJsonSchema())(parseYaml(text, 'x').value)).toBe(true);
});

it.each([
  ['{metric: roc_acu, direction: higher, min: 0.1}', 'gates[0].metric: no metric is named `roc_acu`'],
  ['{metric: rmse, direction: lower, max: 0.1}', 'gates[0].metric: rmse is for regression and forecast models'],
  ['{metric: f1, direction: higher}', 'gates[0]: needs `margin`'],
  ['{metric: f1, direction: higher, min: 0.9, max: 0.2}', '`min` is above `max`: no value passes'],
  ['{metric: f1, direction: higher, mni: 0.5}', 'gates[0].mni: unknown key `mni`'],
  ['{metric: f1, direction: higher, min: 0.5}, {metric: f1, direction: higher, min: 0.6}', 'two gates are on f1'],
])('refuses the gate %s of an environment, and says where', (gate, message) => {
  const error = errorOf(withProdGates(gate));

  expect(error.message).toContain('models[0].deploy.environments[1].gates');
  expect(error.message).toContain(message);
  expect(error.line).toBe(28);
});

it('declares metrics by name, for gates', () => {
  const text = withMetrics(
    `      waste: {kind: cost, costs: {"0": {"1": 1}, "1": {"0": 20}}}
      calibration_15: {kind: calibration-error, bins: 15}
      revenue: {kind: sql, sql: "sum(price) / count(*)"}
      auc_of_file: {kind: file, name: test.auc}
`,
    '{metric: waste, direction: lower, margin: 0.1}',
    ', weight: price, unit: tail',
  );
  const [model] = parseModelFile(text, 'passloop.yaml');
  expect(model?.metrics.calibration_15).toEqual({ kind: 'calibration-error', bins: 15, strategy: 'uniform' });
  expect(model?.columns).toMatchObject({ weight: 'price', unit: 'tail' });
  expect(new Ajv2020.default({ strict: false }).compile(modelFileJsonSchema())(parseYaml(text, 'x').value)).toBe(true);
});

it.each([
  ['{metric: roc_acu, direction: higher, margin: 0.1}', 'no metric is named `roc_acu`', 'Did you mean `roc_auc`?'],
  [
    '{metric: auc, direction: higher, margin: 0.1}',
    'no metric is named `auc`',
    'Did you mean `roc_auc`, `roc_auc_ovr` or',
  ],
  ['{metric: ndgc_at_10, direction: higher, margin: 0.1}', 'no metric is named `ndgc_at_10`', 'ndcg_at_<k>'],
  ['{metric: wast, direction: lower, margin: 0.1}', 'no metric is named `wast`', 'Did you mean `waste`?'],
  ['{metric: constructor, direction: lower, margin: 0.1}', 'no metric is named `constructor`', 'There are '],
  [
    '{metric: rmse, direction: lower, margin: 0.1}',
    'rmse is for regression and forecast models; this one is binary',
    '',
  ],
  ['{metric: waste, margin: 0.1}', 'direction: Invalid option: expected one of "higher"|"lower"', ''],
])('refuses the gate %s', (gate, message, hint) => {
  const error = errorOf(withMetrics('      waste: {kind: cost, costs: {"0": {"1": 1}, "1": {"0": 20}}}\n', gate));
  expect(error.message).toContain(message);
  expect(error.hint ?? '').toContain(hint);
  expect(error.line).toBe(23);
});

it.each([
  ['accuracy: {kind: sql, sql: "count(*)"}', 'accuracy is a metric that is known already'],
  ['mine: {kind: sqll, sql: "count(*)"}', 'there is no kind `sqll`'],
  ['mine: {kind: calibration-error, bins: 10, stratgy: uniform}', 'unknown key `stratgy`'],
  ['mine: {kind: calibration-error}', 'bins: is missing'],
  ['mine: {kind: pinball, quantile: 95}', 'must be below 1'],
  ['mine: {kind: recall-at-k}', 'k: is missing'],
  ['mine: {kind: cost, costs: {"0": {"1": .nan}}}', 'received NaN'],
  ['Mine: {kind: mrr}', 'metrics.Mine: Invalid key'],
])('refuses the metric %s', (metric, message) => {
  expect(errorOf(withMetrics(`      ${metric}\n`, '{metric: f1, direction: higher, margin: 0}')).message).toContain(
    message,
  );
});

it.each([
  ['file_auc', 'dataset: test, ', 'file_auc is compared by two numbers, which have no slices'],
  [
    'accuracy',
    'dataset: test, baseline: metrics, ',
    'accuracy is compared by two numbers (`evaluate.baseline: metrics`), which have no slices',
  ],
])('refuses slices of %s, which would fail each time', (metric, evaluate, message) => {
  const gate = `{metric: ${metric}, direction: higher, margin: 0.01, slices: [tail]}`;
  const text = withMetrics('      file_auc: {kind: file, name: test.auc}\n', gate);

  const error = errorOf(text.replace('dataset: test, ', evaluate));

  expect(error.message).toContain(message);
  expect(error.line).toBe(23);
});

const gap = '      gap: {kind: fairness, measure: equal-opportunity, by: tail, as: difference}\n';

it.each([
  ['{metric: gap, direction: lower, margin: 0.1, slices: [tail]}', 'gap is a gap between groups, which has no slices'],
  [
    '{metric: roc_auc, direction: higher, margin: 0.1, relative: 0.1}',
    '`relative` and `margin` say the same in two ways',
  ],
  ['{metric: roc_auc, direction: higher, relative: 2}', "`relative` is a share of production's value"],
])('refuses the gate %s beside a gap between groups', (gate, message) => {
  expect(errorOf(withMetrics(gap, gate)).message).toContain(message);
});
