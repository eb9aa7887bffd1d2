import { ConfigurationError, parseYaml } from '@passloop/core';
import Ajv2020 from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { durationMs, HealthyWhen } from './health.ts';
import { parseModelFile } from './load.ts';
import { modelFileJsonSchema } from './schema.ts';

function modelFile(healthy: string, environments?: string): string {
  const target = '[{kind: kustomize, file: k.yaml, image: ghcr.io/acme/flight}]';
  return `version: 1
models:
  - name: flight-delay
    task: binary
    columns: {key: [id], label: late}
    data: {test: {path: test.parquet}}
    deploy:
      repository: acme/deploy
      environments:
${
  environments ??
  `        - {name: staging, healthy: ${healthy}, targets: ${target}}
        - {name: prod, after: staging, targets: ${target}}`
}
`.replaceAll('TARGET', target);
}

function problemOf(text: string): string {
  try {
    parseModelFile(text, 'passloop.yaml');
  } catch (error) {
    if (error instanceof ConfigurationError) return `${error.message} ${error.hint ?? ''}`.trim();
    throw error;
  }
  throw new Error('was accepted');
}

it('reads everything that an environment may be asked', () => {
  const text = modelFile(
    `{soak: 30m, statuses: [continuous-delivery/flight], deployment: staging,
           argocd: {server: "https://argocd.example.com", application: flight-staging},
           http: [{url: "http://flight.staging.svc:8080/ready", insecure: true, contains: ok}],
           prometheus: [{server: "https://prometheus.example.com", query: "sum(rate(errors[5m]))", max: 0.01}]}`,
  );

  const [model] = parseModelFile(text, 'passloop.yaml');

  expect(model?.deploy?.environments[0]?.healthy).toEqual({
    soak: '30m',
    statuses: ['continuous-delivery/flight'],
    deployment: 'staging',
    argocd: { server: 'https://argocd.example.com', application: 'flight-staging', insecure: false },
    http: [{ url: 'http://flight.staging.svc:8080/ready', status: 200, contains: 'ok', insecure: true }],
    prometheus: [
      { server: 'https://prometheus.example.com', query: 'sum(rate(errors[5m]))', max: 0.01, insecure: false },
    ],
  });
  const validate = new Ajv2020.default({ strict: false }).compile(modelFileJsonSchema());
  expect(validate(parseYaml(text, 'x').value)).toBe(true);
});

it.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
])('%s is %d ms', (text, milliseconds) => expect(durationMs(text)).toBe(milliseconds));

it.each([
  ['{}', /healthy: asks for nothing: name at least one of soak/],
  ['{soak: 30}', /healthy\.soak: expected string/],
  ['{soak: 30 minutes}', /must be a time such as 90s, 30m, 2h or 1d/],
  ['{soak: 0m}', /must be a time such as/],
  ['{soak: 31d}', /must not be longer than 30d/],
  ['{soak: 30m, htp: []}', /unknown key `htp`\. Did you mean `http`\?/],
  ['{http: []}', /healthy\.http: .*>=1/],
  ['{statuses: [""]}', /healthy\.statuses\[0\]: /],
  ['{http: [{url: ready}]}', /http\[0\]\.url: must be an https:\/\/ address/],
  ['{http: [{url: "file:///etc/passwd"}]}', /must be an https:\/\/ address/],
  [
    '{http: [{url: "http://example.com", insecure: true}]}',
    /url: must be https: plain http is for localhost and names/,
  ],
  ['{http: [{url: "http://10.0.0.7", insecure: true}]}', /must be https/],
  ['{http: [{url: "http://flight.prod.svc"}]}', /is plain http: add `insecure: true` beside it/],
  ['{http: [{url: "http://localhost:8080"}]}', /add `insecure: true`/],
  ['{http: [{url: "https://ada:secret@example.com"}]}', /must carry no user and no password/],
  ['{http: [{url: "https://example.com/#top"}]}', /no #fragment/],
  ['{http: [{url: "https://169.254.169.254/latest/meta-data"}]}', /hands out credentials/],
  ['{http: [{url: "https://0xA9.0xFE.0xA9.0xFE/"}]}', /hands out credentials/],
  ['{http: [{url: "http://metadata.google.internal/", insecure: true}]}', /hands out credentials/],
  ['{http: [{url: "https://example.com", status: 99}]}', /http\[0\]\.status: .*>=200/],
  ['{prometheus: [{server: "https://p.example.com", query: up}]}', /needs `min` or `max`/],
  ['{prometheus: [{server: "https://p.example.com", query: up, min: 2, max: 1}]}', /`min` is above `max`/],
  ['{prometheus: [{server: "https://p.example.com", query: up, min: .nan}]}', /prometheus\[0\]\.min/],
  [
    '{argocd: {server: "https://a.example.com", application: "a/../b"}}',
    /argocd\.application: must be a Kubernetes name/,
  ],
])('refuses %s', (healthy, message) => expect(problemOf(modelFile(healthy))).toMatch(message));

it('names the line, and bounds every list', () => {
  expect(problemOf(modelFile('{soak: soon}'))).toMatch(/^passloop\.yaml:10: models\[0\]\.deploy\.environments\[0\]/);
  const many = Array.from({ length: 17 }, (_, index) => `c${index}`);
  expect(HealthyWhen.safeParse({ statuses: many }).success).toBe(false);
});

it('refuses what nobody waits for, and an environment that waits for none before it', () => {
  const alone = '        - {name: prod, healthy: {soak: 30m}, targets: TARGET}';
  expect(problemOf(modelFile('', alone))).toMatch(/healthy: nothing waits for it: no environment has `after: prod`/);
  const typo = `        - {name: staging, targets: TARGET}
        - {name: prod, after: stagin, targets: TARGET}`;
  expect(problemOf(modelFile('', typo))).toMatch(/no earlier environment is named "stagin"\. Before it are: staging\./);
  const circle = `        - {name: staging, after: prod, targets: TARGET}
        - {name: prod, after: staging, targets: TARGET}`;
  expect(problemOf(modelFile('', circle))).toMatch(/after: no earlier environment is named "prod"/);
});
