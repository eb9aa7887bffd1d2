import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseList } from './case-list.ts';
import { securityCases } from './cases.ts';
import { ForkWorld } from './fork-world.ts';

const comment = 'issues/create-comment';
const check = 'checks/create';

describe.each(securityCases)('$group', ({ cases }) => {
  // One a group: with every pull request that is open a push takes longer.
  let world: ForkWorld;
  beforeAll(async () => {
    world = await ForkWorld.open();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  it.each(cases)('$name', async ({ play, posts, says, writes, afterwards }) => {
    const scene = await play(world);
    const from = world.github.log.length;
    const answer = await scene.act().then(
      (posted) => posted,
      (error: unknown) => error as Error,
    );
    world.github.clearFaults();
    const said = answer instanceof Error ? answer.message : (answer.reason ?? answer.outcome);
    expect(said).toMatch(says);
    expect(world.writes(from)).toEqual(writes ?? (posts ? [comment, check] : []));
    // What is said goes into a log: a stranger’s text in it is one line, and no command of the runner.
    expect(said).not.toMatch(/[\r\n\u0000-\u001f\u202a-\u202e]|^(::|##\[)/);
    await afterwards?.(world, scene, answer);
  });
});

it('has a list, which the documentation shows', async () => {
  const names = securityCases.flatMap(({ group, cases }) => cases.map(({ name }) => `${group}: ${name}`));
  expect(new Set(names).size).toBe(names.length);
  for (const { group, cases } of securityCases) process.stdout.write(`${String(cases.length).padStart(4)} ${group}\n`);
  process.stdout.write(`${String(names.length).padStart(4)} attacks\n`);
  await expect(caseList(securityCases)).toMatchFileSnapshot('../../docs/security-cases.md');
});
