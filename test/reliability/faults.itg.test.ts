import path from 'node:path';
import { PassloopError, temporaryFolder } from '@passloop/core';
import type { RetryPorts } from '@passloop/gitops';
import { type Fault, startLocalGithub } from '@passloop/local-github';
import { expect, it } from 'vitest';
import { mortal, noWait, type RepositoryWorld } from '../../packages/github/src/testing/deploy-world.ts';
import { expectCounted } from './counted.ts';
import { jobAt, performJob } from './deploy-job.ts';
import { inParallel } from './in-parallel.ts';
import { leftIn, placeOf, scenarios, scenarioWorlds, undisturbed } from './scenarios.ts';

const at = '2026-11-22T10:10:00Z';
const clock = () => new Date('2026-11-22T10:00:00Z');
/** Short only where no answer is what is tested: on a busy machine an honest one takes its time. */
const impatience = 3000;

type Kind = {
  name: string;
  fault: Fault;
  /** The run goes on by itself, after a pause that the answer asks for (in seconds), or it ends with words that help. */
  run: 'goes on' | { waits: number } | 'is refused';
  message?: (permission: string) => string;
};

const json = (message: string) => ({ message });
const html = { body: '<html>unicorn</html>', headers: { 'Content-Type': 'text/html' } };
const graphql = (error: object) => ({ status: 200, body: { data: null, errors: [error] } });
const forbidden = json('Resource not accessible by integration');

const kinds: Kind[] = [
  {
    name: '401',
    fault: { status: 401, body: json('Bad credentials') },
    run: 'is refused',
    message: () => 'GitHub refuses the token',
  },
  {
    name: '403',
    fault: { status: 403, body: forbidden },
    run: 'is refused',
    message: (permission) => `The token lacks \`${permission}\``,
  },
  {
    name: '404',
    fault: { status: 404, body: json('Not Found') },
    run: 'is refused',
    message: (permission) => `this call needs \`${permission}\``,
  },
  { name: '409', fault: { status: 409, body: json('Conflict') }, run: 'goes on' },
  {
    name: '422',
    fault: { status: 422, body: json('Validation Failed') },
    run: 'is refused',
    message: () => 'GitHub refused (422: Validation Failed',
  },
  { name: '429', fault: { status: 429, body: json('Slow down'), headers: { 'Retry-After': '7' } }, run: { waits: 7 } },
  { name: 'a secondary rate limit', fault: { rateLimit: 'secondary', seconds: 9 }, run: { waits: 9 } },
  { name: '500', fault: { status: 500, body: json('Server Error') }, run: 'goes on' },
  { name: '502', fault: { status: 502, body: json('Server Error') }, run: 'goes on' },
  { name: '502, though it was done', fault: { status: 502, body: json('x'), after: true }, run: 'goes on' },
  { name: '503, as a page', fault: { status: 503, ...html }, run: 'goes on' },
  { name: 'a page that says 200', fault: { status: 200, ...html }, run: 'goes on' },
  { name: 'a broken connection', fault: 'drop-before', run: 'goes on' },
  { name: 'a broken connection, though it was done', fault: 'drop-after', run: 'goes on' },
  { name: 'no answer', fault: 'timeout', run: 'goes on' },
  { name: 'no answer, though it was done', fault: 'timeout-after', run: 'goes on' },
  {
    name: 'STALE_DATA',
    fault: graphql({ type: 'STALE_DATA', message: 'is at x but expected y' }),
    run: 'goes on',
  },
  {
    name: '"Something went wrong"',
    fault: graphql({ message: 'Something went wrong while executing your query.' }),
    run: 'goes on',
  },
];

const permissions: Record<string, string> = {
  repository: 'contents: read',
  createPullRequest: 'pull-requests: write',
  updatePullRequest: 'pull-requests: write',
};
/** Every call that the ten ways make is among these. */
const chosen = scenarios.filter(({ name }) => /a first promotion|that merges|a rollback that supersedes/.test(name));

type Count = { scenario: string; calls: number; faults: number; lags: number };
const counts: Count[] = [];

it.each(chosen)('$name is whole whichever call fails, and however', { timeout: 900_000 }, async (scenario) => {
  await using folder = await temporaryFolder('faults');
  await using server = await startLocalGithub({ root: path.join(folder.path, 'root'), rateLimit: 1_000_000, clock });
  const worlds = await scenarioWorlds(server, folder.path, scenario);
  const { before, after, result } = await undisturbed(server, worlds, scenario, [at]);
  const job = jobAt(scenario.job, at);
  const whole = new Set(`${before.refs}${after[0]?.refs}`.split('\n').map(treeOf));

  /** No reference stands between the two: a manifest without its record, a hold without its rollback. */
  async function expectWhole(world: RepositoryWorld, where: string): Promise<void> {
    const trees = (await leftIn(world)).refs.split('\n').map(treeOf);
    expect(
      trees.filter((tree) => !whole.has(tree)),
      where,
    ).toEqual([]);
  }

  const points = scenario.calls.flatMap((call, index) => kinds.map((kind) => ({ call, nth: index + 1, kind })));
  await inParallel(points, 6, async ({ call, nth, kind }) => {
    const where = `${call} (${nth}) gets ${kind.name}`;
    const world = await worlds.fresh();
    const handle = server.inject({ match: { token: world.token, nth }, fault: kind.fault });
    const waits: number[] = [];
    const isUnanswered = kind.fault === 'timeout' || kind.fault === 'timeout-after';
    const place = { ...placeOf(world), ...(isUnanswered ? { timeoutMs: impatience } : {}) };
    const ended = await performJob(job, place, watched(waits)).catch((error: unknown) => error);
    expect(handle.fired, where).toBe(1);
    handle.remove();
    if (kind.run === 'is refused') {
      expect(ended, where).toBeInstanceOf(PassloopError);
      const { message, hint } = ended as PassloopError;
      expect(`${message} ${hint}`, where).toContain(kind.message?.(permissions[call] ?? 'contents: write'));
      await expectWhole(world, where);
      await performJob(job, placeOf(world), noWait);
    } else {
      expect(ended, where).toMatchObject({ outcome: result.outcome, merged: result.merged });
      if (typeof kind.run === 'object') expect(waits, where).toEqual([kind.run.waits * 1000]);
    }
    expect(await leftIn(world), where).toEqual(after[0]);
    await world.repository.remove();
  });

  // A run that dies after any of its calls; the next one first reads what was there before the last write.
  const lags = await inParallel(scenario.calls, 4, async (call, index) => {
    const world = await worlds.fresh();
    const match = { token: world.token };
    const reads = scenario.calls.slice(0, index + 1).filter((one) => one === 'repository').length;
    const lag = server.inject({ match: { ...match, operation: 'repository', nth: reads + 1 }, fault: 'lag' });
    const death = server.inject({ match: { ...match, nth: index + 1 }, fault: 'drop-after' });
    await expect(performJob(job, placeOf(world), mortal), call).rejects.toThrow();
    await expectWhole(world, call);
    death.remove();
    await performJob(job, placeOf(world), noWait);
    expect(lag.fired).toBe(1);
    lag.remove();
    // What a lagging read had it write again is the same, or the next run's to see.
    await performJob(job, placeOf(world), noWait);
    expect(await leftIn(world), `a lagging read after ${call}`).toEqual(after[0]);
    await world.repository.remove();
    return call;
  });
  counts.push({
    scenario: scenario.name,
    calls: scenario.calls.length,
    faults: points.length,
    lags: lags.length,
  });
  const used = new Set(server.log.flatMap(({ operations }) => operations));
  expect([...used].filter((operation) => /update-ref|receive-pack|delete/.test(operation))).toEqual([
    'git/receive-pack',
  ]);
});

it('counts the faults', async () => {
  const total = (column: 'calls' | 'faults' | 'lags') => counts.reduce((sum, count) => sum + count[column], 0);
  const outcome = (run: Kind['run']) =>
    run === 'is refused'
      ? 'refused, and whole after the next run'
      : run === 'goes on'
        ? 'read again, then done'
        : 'waited for, then done';
  await expectCounted('faults', [
    `${total('faults')} faults: each of ${total('calls')} calls fails in ${kinds.length} ways; and ${total('lags')} runs die after a call, of which the next one reads what was there before.`,
    '',
    '| answer | what the run does |',
    '|---|---|',
    ...kinds.map(({ name, run }) => `| ${name} | ${outcome(run)} |`),
    '| a read that lags behind the last write | the write is refused as stale, or repeats what is there |',
    '',
    '| change | calls | faults | lagging reads |',
    '|---|--:|--:|--:|',
    ...counts.map(({ scenario, calls, faults, lags }) => `| ${scenario} | ${calls} | ${faults} | ${lags} |`),
  ]);
});

/** The last word of a line of references. */
function treeOf(line: string): string {
  return line.slice(line.lastIndexOf(' ') + 1);
}

function watched(waits: number[]): RetryPorts {
  return { ...noWait, sleep: async (milliseconds) => void waits.push(milliseconds) };
}
