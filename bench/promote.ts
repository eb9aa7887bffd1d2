/**
 * What a promotion costs on a deploy repository with 10 and with 10,000 applications, beside clone, edit and push of the same
 * repository as people do it, in turns; then 200 models into one repository by 20 processes at once, under GitHub's limits
 * of a minute:
 *
 *     node bench/promote.ts [rounds] [--models 200] [--promoters 20]     # 0 rounds: only the last
 *
 * The server is on this machine, so neither side waits for a network: calls and bytes say what that adds. Each promotion is a
 * process of its own, from its start to the open pull request; the git way ends with the push and opens none.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { githubSecondaryLimits, pointsOf, startLocalGithub } from '@passloop/local-github';
import {
  candidate,
  deployRepository,
  git,
  promotionOf,
  pushFiles,
  query,
  type RepositoryWorld,
} from '../packages/github/src/testing/deploy-world.ts';
import type { DeployJob } from '../test/reliability/deploy-job.ts';
import { inParallel } from '../test/reliability/in-parallel.ts';
import { promoterPool } from '../test/reliability/promoter-pool.ts';
import { placeOf } from '../test/reliability/scenarios.ts';

const { values, positionals } = parseArgs({
  options: {
    models: { type: 'string', default: '200' },
    promoters: { type: 'string', default: '20' },
  },
  allowPositionals: true,
});
const rounds = Number(positionals[0] ?? 7);
const models = Number(values.models);
const promoters = Number(values.promoters);
const rateLimit = 1_000_000;

function manifestOf(index: number): string {
  return `apps/team-${index % 97}/app-${index}/kustomization.yaml`;
}

function manifests(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      manifestOf(index),
      `# what runs\nresources:\n  - ../../base\n\nimages:\n  - name: ghcr.io/acme/app-${index} # kept\n    newTag: v1\n`,
    ]),
  );
}

function promotionInto(index: number, name: string, merge: 'review' | 'auto'): DeployJob {
  const model = `app-${index}`;
  const identity = `acme/models#${model}`;
  const targets = [{ kind: 'kustomize' as const, file: manifestOf(index), image: `ghcr.io/acme/${model}` }];
  return {
    act: 'promote',
    query: query({ model, identity, environments: [{ name: 'prod', targets }] }),
    request: promotionOf(candidate(name, { model, identity })),
    merge,
  };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function onOneRepository(applications: number): Promise<void> {
  await using folder = await temporaryFolder('bench-promote');
  await using server = await startLocalGithub({ root: path.join(folder.path, 'root'), rateLimit });
  const world = await deployRepository(server, folder.path, 'deploy', { files: manifests(applications) });
  for (let index = 0; index < 20; index += 1) {
    await pushFiles(world.clone, { 'README.md': `Change ${index}\n` }, `Change ${index}`);
  }
  await git(world.repository.directory, 'repack', '-adq');
  await using pool = await promoterPool(0);
  const url = world.repository.cloneUrlWith(world.token);
  let count = 0;

  async function promoteOnce(job: DeployJob): Promise<number> {
    const start = performance.now();
    const promoter = await pool.take();
    await promoter.run(job, placeOf(world)).done;
    return performance.now() - start;
  }
  async function byGit(clone: readonly string[], sparse: boolean): Promise<number> {
    count += 1;
    const name = `clone-${count}`;
    const work = path.join(folder.path, name);
    const start = performance.now();
    await git(folder.path, 'clone', '--quiet', ...clone, url, name);
    if (sparse) await git(work, 'sparse-checkout', 'set', path.dirname(manifestOf(1)));
    await git(work, 'checkout', '--quiet', '-b', `bump-${count}`);
    await git(work, 'grep', '-q', 'newTag: v1', '--', manifestOf(1));
    const text = (await git(work, 'show', `HEAD:${manifestOf(1)}`)).replace('newTag: v1', `newTag: v${count + 1}`);
    const files = await import('node:fs/promises');
    await files.writeFile(path.join(work, manifestOf(1)), text);
    await git(work, 'commit', '--quiet', '-am', `Bump to v${count + 1}`);
    await git(work, 'push', '--quiet', 'origin', 'HEAD');
    const took = performance.now() - start;
    await git(world.repository.directory, 'update-ref', '-d', `refs/heads/bump-${count}`);
    await files.rm(work, { recursive: true, force: true });
    return took;
  }

  const from = server.log.length;
  await promoteOnce(promotionInto(0, 'counted', 'review'));
  const calls = server.counts(from);
  const again = server.log.length;
  await promoteOnce(promotionInto(0, 'counted', 'review'));
  const nothing = server.counts(again);
  let last = '';
  const ways: [name: string, work: () => Promise<number>][] = [
    [
      'promote',
      () => {
        count += 1;
        last = `round-${count}`;
        return promoteOnce(promotionInto(0, last, 'review'));
      },
    ],
    ['promote, nothing to do', () => promoteOnce(promotionInto(0, last, 'review'))],
    ['git: clone --depth 1, edit, push', () => byGit(['--depth', '1'], false)],
    ['git: clone --depth 1 --filter --sparse', () => byGit(['--depth', '1', '--filter=blob:none', '--sparse'], true)],
    ['git: clone, edit, push', () => byGit([], false)],
  ];
  const times = ways.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, [, work]] of ways.entries()) times[index]?.push(await work());
  }
  console.log(
    `\n${applications} applications: a promotion is ${calls.total} calls (${calls.writes} writes), nothing to do is ${nothing.total}; medians of ${rounds}`,
  );
  const own = times[0] ?? [];
  for (const [index, [name]] of ways.entries()) {
    const taken = times[index] ?? [];
    const ratio = median(taken.map((one, round) => one / (own[round] ?? Number.NaN)));
    console.log(`  ${name.padEnd(40)} ${median(taken).toFixed(0).padStart(6)} ms  ${ratio.toFixed(2).padStart(6)}x`);
  }
}

async function allAtOnce(): Promise<void> {
  await using folder = await temporaryFolder('bench-promote');
  await using server = await startLocalGithub({
    root: path.join(folder.path, 'root'),
    rateLimit,
    secondaryLimits: githubSecondaryLimits,
  });
  const world = await deployRepository(server, folder.path, 'deploy', { files: manifests(models) });
  await using pool = await promoterPool(promoters);
  const from = server.log.length;
  const start = performance.now();
  const results = await inParallel(
    Array.from({ length: models }, (_, index) => index),
    promoters,
    async (index) => {
      const promoter = await pool.take();
      const place = { ...placeOf(world), timeoutMs: 120_000 };
      const result = await promoter.run(promotionInto(index, `app-${index}`, 'auto'), place).done;
      pool.give(promoter);
      return result;
    },
  );
  const seconds = (performance.now() - start) / 1000;
  const merged = results.filter((result) => result.merged).length;
  const lost = await missing(world);
  const log = server.log.slice(from);
  const refused = log.filter((call) => call.refused !== null).length;
  const calls = server.counts(from);
  const peak = (column: 'rest' | 'graphql' | 'content') =>
    Math.max(
      ...log.map((call) => {
        const end = Date.parse(call.time);
        const minute = log.filter((one) => one.refused === null && Date.parse(one.time) <= end);
        return minute
          .filter((one) => Date.parse(one.time) > end - 60_000)
          .reduce((sum, one) => sum + pointsOf(one)[column], 0);
      }),
    );
  console.log(
    `\n${models} models into one repository by ${promoters} processes: ${merged} merged, ${lost} lost, in ${seconds.toFixed(0)} s`,
  );
  console.log(
    `  ${calls.total} calls (${(calls.total / models).toFixed(1)} each; ${calls.byOperation.repository} reads), ${refused} refused by a limit of a minute and sent again`,
  );
  console.log(
    `  most in one minute: ${peak('rest')} of ${githubSecondaryLimits.restPoints} points REST, ${peak('graphql')} of ${githubSecondaryLimits.graphqlPoints} GraphQL, ${peak('content')} of ${githubSecondaryLimits.content} pull requests`,
  );
  if (merged !== models || lost > 0) process.exitCode = 1;
}

/** How many models' manifest or record isn't what was promoted. */
async function missing(world: RepositoryWorld): Promise<number> {
  let lost = 0;
  for (let index = 0; index < models; index += 1) {
    const { digest } = candidate(`app-${index}`).image;
    const texts = await Promise.all(
      [manifestOf(index), `.passloop/prod/app-${index}.json`].map((file) => world.show(file)),
    );
    if (texts.some((text) => !text.includes(digest))) lost += 1;
  }
  return lost;
}

for (const applications of rounds > 0 ? [10, 10_000] : []) await onOneRepository(applications);
await allAtOnce();
