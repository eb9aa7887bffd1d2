import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RepositoryWorld } from '../../packages/github/src/testing/deploy-world.ts';
import { expectCounted } from './counted.ts';
import { jobAt } from './deploy-job.ts';
import { inParallel } from './in-parallel.ts';
import { type PromoterPool, promoterPool } from './promoter-pool.ts';
import { type Left, leftIn, placeOf, type Scenario, scenarios, scenarioWorlds, undisturbed } from './scenarios.ts';

/** Where a process is killed: at the n-th call of its run, before the server did anything, or when all of it was done. */
type Point = { nth: number; isDone: boolean };
type Count = { scenario: string; calls: number; once: number; twice: number; pairs: number };

/** Each run is later than the one before: what was begun keeps its time, and so its bytes. */
const times = ['2026-11-22T10:10:00Z', '2026-11-22T11:11:00Z', '2026-11-22T12:12:00Z'];
const counts: Count[] = [];
let pool: PromoterPool;

beforeAll(async () => {
  pool = await promoterPool(4);
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

it.each(scenarios)('$name comes to one result wherever its process is killed, and killed again', {
  timeout: 900_000,
}, async (scenario) => {
  await using folder = await temporaryFolder('kills');
  const clock = () => new Date('2026-11-22T10:00:00Z');
  await using server = await startLocalGithub({ root: path.join(folder.path, 'root'), rateLimit: 1_000_000, clock });
  const worlds = await scenarioWorlds(server, folder.path, scenario);
  const { before, after } = await undisturbed(server, worlds, scenario, times);

  /** The attempt that moved the branch gave the change its time. */
  async function expectResult(world: RepositoryWorld, left: Left[], kills: Point[]): Promise<void> {
    const begun = left.findIndex(({ refs }) => refs !== before.refs);
    const expected = after[begun < 0 ? left.length : begun];
    expect(await leftIn(world), JSON.stringify(kills)).toEqual(expected);
  }

  const first = await inParallel(pointsOf(scenario.calls.length), 4, async (point) => {
    const world = await worlds.fresh();
    expect(await killOnce(server, world, scenario, 0, point)).toBe(true);
    return { point, world, left: await leftIn(world) };
  });
  // What two first kills left alike is one repository to the next run, which is killed there at every call that it makes.
  const second = await inParallel(distinct(first), 4, async ({ point, world, left }) => {
    let killed = 0;
    for (let nth = 1; ; nth += 1) {
      for (const isDone of [false, true]) {
        const again = await worlds.copyOf(world);
        const kill = { nth, isDone };
        const isKilled = await killOnce(server, again, scenario, 1, kill);
        const lefts = isKilled ? [left, await leftIn(again)] : [left];
        if (isKilled) expect(await killOnce(server, again, scenario, 2, null)).toBe(false);
        await expectResult(again, lefts, [point, kill]);
        await again.repository.remove();
        if (!isKilled) return killed;
        killed += 1;
      }
    }
  });
  const pairs = sum(first.map(({ left }) => second[indexOf(distinct(first), left)] ?? 0));
  counts.push({ scenario: scenario.name, calls: scenario.calls.length, once: first.length, twice: sum(second), pairs });
});

it('counts the points', async () => {
  const total = (column: 'calls' | 'once' | 'twice' | 'pairs') => sum(counts.map((count) => count[column]));
  const lines = counts.map(
    ({ scenario, calls, once, twice, pairs }) => `| ${scenario} | ${calls} | ${once} | ${twice} | ${pairs} |`,
  );
  expect(pool.killed).toBe(sum(counts.map(({ once, twice }) => once + twice)));
  await expectCounted('kills', [
    `${total('once')} points at which a process is killed, ${total('twice')} at which the next one is killed too: ${pool.killed} processes get SIGKILL, and ${total('pairs')} pairs of points are covered.`,
    '',
    '| change | calls | killed at | the next run killed at | pairs of points |',
    '|---|--:|--:|--:|--:|',
    ...lines,
    `| **all** | ${total('calls')} | ${total('once')} | ${total('twice')} | ${total('pairs')} |`,
  ]);
});

function distinct<T extends { left: Left }>(ones: readonly T[]): T[] {
  return ones.filter(({ left }, index) => indexOf(ones, left) === index);
}

function indexOf(ones: readonly { left: Left }[], left: Left): number {
  return ones.findIndex((one) => one.left.refs === left.refs && one.left.pulls === left.pulls);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function pointsOf(calls: number): Point[] {
  return Array.from({ length: calls }, (_, index) => index + 1).flatMap((nth) => [
    { nth, isDone: false },
    { nth, isDone: true },
  ]);
}

/** One run in a process of its own, killed where it stands at the point. @returns whether it came there */
async function killOnce(
  server: LocalGithub,
  world: RepositoryWorld,
  scenario: Scenario,
  attempt: number,
  point: Point | null,
): Promise<boolean> {
  const promoter = await pool.take();
  const match = { token: world.token, nth: point?.nth ?? 1 };
  const held = point === null ? null : server.inject({ match, fault: point.isDone ? 'timeout-after' : 'timeout' });
  const running = promoter.run(jobAt(scenario.job, times[attempt] ?? ''), placeOf(world));
  const isHeld = await Promise.race([
    running.done.then(() => false),
    ...(held === null ? [] : [held.happened.then(() => true)]),
  ]);
  held?.remove();
  if (isHeld) await running.kill();
  else pool.give(promoter);
  return isHeld;
}
