import { ArgocdCheck, HealthyWhen, HttpCheck, PrometheusCheck } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { type CommitReport, type HealthPorts, healthOf, judgeReports, judgeSoak, observe } from './health.ts';
import { type HttpAnswer, judgeArgocd, judgeHttp, judgePrometheus } from './health-answers.ts';
import type { Landing } from './landing.ts';

const landing: Landing = {
  commit: 'a'.repeat(40),
  at: '2026-11-22T10:00:00Z',
  since: ['c'.repeat(40), 'a'.repeat(40)],
};

function answered(body: unknown, status = 200): HttpAnswer {
  return { status, text: typeof body === 'string' ? body : JSON.stringify(body), isWhole: true };
}

describe('health', () => {
  const good = { what: 'x', state: 'healthy', detail: 'is good' } as const;
  const open = { what: 'y', state: 'pending', detail: 'is not known' } as const;
  const bad = { what: 'z', state: 'failed', detail: 'is bad' } as const;

  it.each([
    ['nothing', [], { state: 'pending', reason: 'nothing was observed' }],
    ['only good', [good, good], { state: 'healthy' }],
    ['one unknown', [good, open], { state: 'pending', reason: 'y is not known' }],
    ['one bad among unknown', [open, bad, good], { state: 'failed', reason: 'z is bad' }],
  ])('of %s', (_, observations, expected) => expect(healthOf(observations)).toEqual(expected));
});

describe('soak', () => {
  it.each([
    ['2026-11-22T10:29:59Z', 'pending'],
    ['2026-11-22T10:30:00Z', 'healthy'],
    ['2026-11-22T09:00:00Z', 'pending'],
  ])('at %s is %s', (now, state) => {
    expect(judgeSoak('30m', landing, new Date(now)).state).toBe(state);
  });

  it('says when it is over, and believes no time that is none', () => {
    const now = new Date('2026-11-22T10:10:00Z');
    expect(judgeSoak('30m', landing, now).detail).toBe('is over at 2026-11-22T10:30:00Z');
    expect(judgeSoak('30m', { ...landing, at: 'soon' }, now).state).toBe('pending');
  });
});

describe('statuses', () => {
  const commits = ['c', 'b', 'a'];
  const report = (commit: string, state: CommitReport['state'], name = 'cd'): CommitReport => ({
    commit,
    name,
    state,
    said: state,
  });

  it.each([
    ['none', [], 'pending'],
    ['of another name', [report('a', 'healthy', 'ci')], 'pending'],
    ['good on the landing', [report('a', 'healthy')], 'healthy'],
    ['good on a later commit', [report('c', 'healthy')], 'healthy'],
    ['good, and being rolled out again', [report('c', 'pending'), report('b', 'healthy')], 'healthy'],
    ['bad, and being rolled out again', [report('c', 'pending'), report('b', 'failed')], 'failed'],
    ['bad once and good since', [report('a', 'failed'), report('b', 'healthy')], 'healthy'],
    ['good once and bad since', [report('a', 'healthy'), report('b', 'failed')], 'failed'],
    ['one good and one bad of a name', [report('a', 'healthy'), report('a', 'failed')], 'failed'],
    ['only pending', [report('a', 'pending')], 'pending'],
  ] as const)('%s', (_, reports, state) => expect(judgeReports('cd', commits, reports).state).toBe(state));
});

describe('an HTTP check', () => {
  const check = HttpCheck.parse({ url: 'https://example.com/ready?key=secret', contains: 'ready' });

  it.each([
    ['the right answer', answered('is ready'), 'healthy'],
    ['another status', answered('is ready', 503), 'failed'],
    ['a redirect that is not followed', answered('', 302), 'failed'],
    ['without the text', answered('is starting'), 'failed'],
    ['the text beyond what is read', { status: 200, text: 'x', isWhole: false }, 'pending'],
    ['no answer', { problem: 'did not answer within 10 s' }, 'pending'],
  ] as const)('%s', (_, answer, state) => expect(judgeHttp(check, answer).state).toBe(state));

  it('never shows the query of an address', () => {
    expect(JSON.stringify(judgeHttp(check, answered('', 500)))).not.toContain('secret');
  });
});

describe('a Prometheus query', () => {
  const check = PrometheusCheck.parse({ server: 'https://p.example.com', query: 'up', min: 0.5, max: 1 });
  const vector = (...values: unknown[]) =>
    answered({
      status: 'success',
      data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
    });

  it.each([
    [
      'a scalar within',
      answered({ status: 'success', data: { resultType: 'scalar', result: [1, '0.75'] } }),
      'healthy',
    ],
    ['a vector within', vector('0.5', '1'), 'healthy'],
    ['scientific notation', vector('7.5e-01'), 'healthy'],
    ['one sample above', vector('0.75', '1.5'), 'failed'],
    ['one sample below', vector('0.75', '0'), 'failed'],
    ['no sample', vector(), 'pending'],
    ['NaN', vector('NaN'), 'pending'],
    ['NaN among good ones', vector('1', 'NaN'), 'pending'],
    ['+Inf', vector('+Inf'), 'pending'],
    ['a number that is no string', vector(0.75), 'pending'],
    ['a hexadecimal text', vector('0x1'), 'pending'],
    ['an empty text', vector(''), 'pending'],
    ['a matrix', answered({ status: 'success', data: { resultType: 'matrix', result: [] } }), 'pending'],
    ['a string', answered({ status: 'success', data: { resultType: 'string', result: [1, '1'] } }), 'pending'],
    ['an error', answered({ status: 'error', errorType: 'bad_data', error: 'parse error' }, 400), 'pending'],
    [
      'a part of the data',
      answered({ status: 'success', warnings: ['a store is down'], data: { resultType: 'scalar', result: [1, '1'] } }),
      'pending',
    ],
    ['the page of a proxy', answered('<html>1</html>'), 'pending'],
    ['JSON of something else', answered({ ok: true }), 'pending'],
    ['null', answered('null'), 'pending'],
    [
      'good JSON with a bad status',
      answered({ status: 'success', data: { resultType: 'scalar', result: [1, '1'] } }, 503),
      'pending',
    ],
    ['more than is read', { status: 200, text: '{"status":"success","data":{', isWhole: false }, 'pending'],
    ['nothing', { problem: 'could not be asked (ECONNREFUSED)' }, 'pending'],
  ] as const)('that gives %s', (_, answer, state) => expect(judgePrometheus(check, answer).state).toBe(state));

  it('tells the value that is out of bounds, and why it was refused', () => {
    expect(judgePrometheus(check, vector('1.5')).detail).toBe('is 1.5, above 1');
    expect(judgePrometheus(check, answered({ status: 'error', error: 'parse\nerror\u202e' }, 400)).detail).toBe(
      'was refused: parse error',
    );
  });
});

describe('an Application of Argo CD', () => {
  const check = ArgocdCheck.parse({ server: 'https://argocd.example.com', application: 'flight-staging' });
  const at = landing.commit;
  const application = (status: object, name = 'flight-staging') => answered({ metadata: { name }, status });
  const synced = { status: 'Synced', revision: at };
  const done = { phase: 'Succeeded', syncResult: { revision: at } };

  it.each([
    [
      'synced and healthy',
      application({ sync: synced, health: { status: 'Healthy' }, operationState: done }),
      'healthy',
    ],
    [
      'synced to a later commit',
      application({ sync: { ...synced, revision: landing.since[0] }, health: { status: 'Healthy' } }),
      'healthy',
    ],
    [
      'one of several sources',
      application({ sync: { status: 'Synced', revisions: ['1.2.3', at] }, health: { status: 'Healthy' } }),
      'healthy',
    ],
    [
      'healthy at an earlier commit',
      application({ sync: { ...synced, revision: '0'.repeat(40) }, health: { status: 'Healthy' } }),
      'pending',
    ],
    ['degraded', application({ sync: synced, health: { status: 'Degraded', message: 'crash loop' } }), 'failed'],
    [
      'degraded at an earlier commit',
      application({ sync: { ...synced, revision: '0'.repeat(40) }, health: { status: 'Degraded' } }),
      'pending',
    ],
    [
      'that could not sync it',
      application({
        sync: { status: 'OutOfSync', revision: at },
        operationState: { phase: 'Failed', syncResult: { revision: at } },
      }),
      'failed',
    ],
    [
      'that could not sync an earlier one',
      application({
        sync: synced,
        health: { status: 'Healthy' },
        operationState: { phase: 'Failed', syncResult: { revision: '0'.repeat(40) } },
      }),
      'pending',
    ],
    [
      'out of sync',
      application({ sync: { status: 'OutOfSync', revision: at }, health: { status: 'Healthy' } }),
      'pending',
    ],
    [
      'in the middle of an operation',
      application({ sync: synced, health: { status: 'Healthy' }, operationState: { phase: 'Running' } }),
      'pending',
    ],
    ['progressing', application({ sync: synced, health: { status: 'Progressing' } }), 'pending'],
    ['suspended', application({ sync: synced, health: { status: 'Suspended' } }), 'pending'],
    ['of no health', application({ sync: synced }), 'pending'],
    ['of no status', application({}), 'pending'],
    ['of another name', application({ sync: synced, health: { status: 'Healthy' } }, 'other'), 'pending'],
    ['with numbers for words', application({ sync: { status: 1, revision: 2 }, health: { status: 3 } }), 'pending'],
    ['that the token may not see', answered({ error: 'permission denied' }, 403), 'pending'],
    ['behind a login page', answered('<html>'), 'pending'],
    ['that is not there', answered({ error: 'not found' }, 404), 'pending'],
    ['that does not answer', { problem: 'did not answer within 10 s' }, 'pending'],
  ] as const)('%s', (_, answer, state) => expect(judgeArgocd(check, answer, landing).state).toBe(state));

  it('names the token where it is refused', () => {
    expect(judgeArgocd(check, answered('', 401), landing).detail).toMatch(/ARGOCD_AUTH_TOKEN is missing, expired/);
  });
});

it('asks each source once, below the path of its server, and sends a token to its own alone', async () => {
  const asked: { url: string; headers: Record<string, string> }[] = [];
  const ports: HealthPorts = {
    now: () => new Date('2026-11-22T12:00:00Z'),
    forge: {
      reports: async (commits, names) =>
        commits.flatMap((commit) => names.map((name) => ({ commit, name, state: 'healthy', said: 'success' }))),
      deployments: async () => [{ commit: landing.commit, state: 'healthy', said: 'success' }],
    },
    ask: async ({ url, headers }) => {
      asked.push({ url, headers });
      return { problem: 'is away' };
    },
    tokens: { argocd: 'argo-token', prometheus: undefined },
  };
  const when = HealthyWhen.parse({
    soak: '30m',
    statuses: ['cd'],
    deployment: 'staging',
    argocd: { server: 'https://example.com/argocd/', application: 'flight', namespace: 'team' },
    http: [{ url: 'https://flight.example.com/ready' }],
    prometheus: [{ server: 'https://p.example.com', query: 'a{b="c&d"} > 0', min: 1 }],
  });

  const observations = await observe(when, landing, ports);

  expect(observations.map(({ state }) => state)).toEqual([
    'healthy',
    'healthy',
    'healthy',
    'pending',
    'pending',
    'pending',
  ]);
  expect(asked).toEqual([
    {
      url: 'https://example.com/argocd/api/v1/applications/flight?appNamespace=team',
      headers: { authorization: 'Bearer argo-token' },
    },
    { url: 'https://flight.example.com/ready', headers: {} },
    { url: 'https://p.example.com/api/v1/query?query=a%7Bb%3D%22c%26d%22%7D+%3E+0', headers: {} },
  ]);
});
