/**
 * The whole road on this machine: a GitHub, a registry, a model repository and a deploy repository, driven as a team would.
 * Every number is real: real training, real images, real pull requests. Nothing leaves the machine but package downloads.
 *
 *   npm run demo -- [--folder FOLDER]
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { escapeHtml } from '@passloop/core';
import type { ComparisonDocument, PromotionDocument, ReportDocument } from '@passloop/documents';
import { renderComment } from '@passloop/report';
import { renderHtml } from '@passloop/report/page';
import { openTables, writeParquet } from '@passloop/tables';
import MarkdownIt from 'markdown-it';
import { jobsOf } from '../test/world/jobs.ts';
import { type PullRequest, replaceText, teamOf } from '../test/world/team.ts';
import { type Answer, createWorld } from '../test/world/world.ts';
import { prepareMachine } from './demo-machine.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: path.join(homedir(), 'passloop-demo') },
  },
});
const folder = path.resolve(values.folder);
const root = path.resolve(import.meta.dirname, '..');
const started = performance.now();
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

type Step = { number: string; title: string; said: string; time: string };
const steps: Step[] = [];
let shown = 0;
/** The page of each checked pull request, by its number. */
const reports = new Map<number, string>();

/** Runs a step and prints one line of it: what was done, what came of it, how long it took. */
async function step(number: string, title: string, work: () => Promise<string>): Promise<void> {
  const since = performance.now();
  const said = await work();
  const one = { number, title, said, time: seconds(since) };
  steps.push(one);
  printLine(one);
}

/** One line of a terminal; the page has the whole text. */
function printLine(one: Step): void {
  const said = one.said.length > 100 ? `${one.said.slice(0, 99)}…` : one.said;
  console.log(`${one.number.padStart(2)}  ${one.title.padEnd(12)} ${said.padEnd(100)} ${one.time.padStart(7)}`);
}

console.log(`passloop demo · everything below happens on this machine, in ${folder}\n`);
await rm(folder, { recursive: true, force: true });
const out = path.join(folder, 'out');
await mkdir(out, { recursive: true });

const since = performance.now();
const machine = await prepareMachine((line) => console.log(`    ${line} …`));
const hasEngine = machine.base !== null;
await using world = await createWorld({ folder, base: machine.base ?? undefined });
const team = teamOf(world);
const jobs = await jobsOf(world, path.join(folder, 'runner'));
if (!hasEngine) {
  // Without images the models are compared by what their training stages predicted; the model file says so.
  await replaceText(world.flightsClone, 'passloop.yaml', 'scoring: image', 'scoring: stage');
  if (world.registry === null) {
    // A folder in the workspace would be gone with the job that wrote it.
    const store = JSON.stringify(path.join(folder, 'store'));
    await replaceText(
      world.flightsClone,
      'passloop.yaml',
      /store: \{directory: [^}]*\}/,
      `store: {directory: ${store}}`,
    );
  }
  await world.git(world.flightsClone, 'commit', '-qam', 'Compare by the stages, for want of an engine');
  await world.git(world.flightsClone, 'push', '-q');
}
await world.flights.protectBranch('main', { requiredChecks: ['passloop'] });
const registry = world.registry === null ? 'no registry' : `registry on ${world.registry.address}`;
steps.push({
  number: '1',
  title: 'world',
  said: `local GitHub on ${world.github.url} · ${registry} · acme/flights, acme/deploy`,
  time: seconds(since),
});
for (const one of steps) printLine(one);
if (!hasEngine) {
  console.log(`
    Images are neither built nor proven in this run; data, training and gates are shown.
${machine.missing.map((sentence) => `    ${sentence}`).join('\n')}
`);
}
async function passloop(args: string[], expected: readonly number[] = [0]): Promise<Answer> {
  const answer = await world.passloop(args);
  if (!expected.includes(answer.exitCode)) {
    throw new Error(
      `passloop ${args.join(' ')} ended with ${answer.exitCode}:\n${answer.stdout.slice(-3000)}\n${answer.stderr.slice(-3000)}`,
    );
  }
  return answer;
}

/** The jobs of model-check.yml on a pull request; keeps the comment and the report. */
async function check(pullRequest: PullRequest): Promise<ReportDocument> {
  const report = await jobs.check(pullRequest);
  shown += 1;
  const name = `${String(shown).padStart(2, '0')}-pull-request-${pullRequest.number}`;
  await writeFile(path.join(out, `${name}.html`), await renderHtml(report));
  const [comment] = await team.comments(pullRequest);
  await writeFile(path.join(out, `${name}.md`), comment ?? renderComment(report));
  reports.set(pullRequest.number, `${name}.html`);
  return report;
}

function verdictOf(report: ReportDocument): string {
  const [model] = report.models;
  const icon = { pass: '✅', warn: '⚠️', fail: '❌', inconclusive: '❔', pending: '⏳', skipped: '➖' }[report.verdict];
  const auc = metricOf(model?.comparison ?? null);
  const reason = (model?.reasons[0] ?? '').replaceAll('`', '');
  return `${icon} ${report.verdict === 'pass' || (report.verdict === 'warn' && auc !== '') ? auc : reason}`;
}

function metricOf(comparison: ComparisonDocument | null): string {
  const auc = comparison?.metrics.find((metric) => metric.name === 'roc_auc');
  if (comparison?.outcome === 'first') return 'nothing is in production yet: absolute gates decide';
  if (auc?.delta == null || auc.interval === null) return comparison === null ? '' : `outcome: ${comparison.outcome}`;
  return `${auc.verdict}, AUC ${signed(auc.delta)} (${signed(auc.interval[0])} … ${signed(auc.interval[1])})`;
}

function signed(text: string): string {
  const value = Number(text);
  return `${value > 0 ? '+' : ''}${value.toFixed(4)}`.replace('-', '−');
}

const short = (digest: string) => `${digest.slice(0, 19)}…`;
const better = { iterations: 120, depth: 6, features: '  - origin_late_3h\n  - destination_late_3h\n' };

async function improve(clone: string): Promise<void> {
  await replaceText(clone, 'params.yaml', /max_iter: \d+/, `max_iter: ${better.iterations}`);
  await replaceText(clone, 'params.yaml', /max_depth: \d+/, `max_depth: ${better.depth}`);
  await writeFile(
    path.join(clone, 'params.yaml'),
    `${(await readFile(path.join(clone, 'params.yaml'), 'utf8')).trimEnd()}\n${better.features}`,
  );
}

async function halfTheFeatures(clone: string): Promise<void> {
  const params = await readFile(path.join(clone, 'params.yaml'), 'utf8');
  const head = params.slice(0, params.indexOf('features:'));
  await writeFile(
    path.join(clone, 'params.yaml'),
    `${head}features:\n  - day_of_week\n  - departure_minute\n  - distance\n  - origin_late_3h\n`,
  );
}

/** A broken export of March: every 15th flight lost its distance. The lock is written as somebody would who believes the file. */
async function breakTheData(clone: string): Promise<void> {
  await using session = await openTables();
  const table = await session.open({ uri: 'data/train.parquet', root: clone });
  const broken = `CASE WHEN date BETWEEN DATE '2001-03-01' AND DATE '2001-03-31' AND id % 18 = 0 THEN NULL ELSE distance END AS distance`;
  await writeParquet(
    session,
    `SELECT * REPLACE (${broken}) FROM ${table.relation} ORDER BY id`,
    path.join(clone, 'data/train.parquet'),
  );
  await passloop(['data', 'lock']);
}

if (hasEngine) {
  await step('2', 'adopt', async () => {
    await passloop(['train', 'run']);
    await passloop(['package', 'push', '--json', path.join(folder, 'image.json')]);
    const image = JSON.parse(await readFile(path.join(folder, 'image.json'), 'utf8')) as { digest: string };
    // Until today somebody typed digests into the manifest by hand.
    await team.deployByHand(image.digest);
    await passloop(['adopt']);
    const merged = await team.mergeDeployment();
    await jobs.promote();
    return `prod runs flight-delay ${short(image.digest)}: recorded by acme/deploy#${merged.number}`;
  });
} else {
  await step('2', 'first run', async () => {
    await passloop(['train', 'run']);
    return 'trained, and kept in the store; without an engine nothing is packaged or deployed';
  });
}

/** Checks, merges, promotes, merges the promotion: the whole way of a change that passes. */
async function allTheWay(number: string, pullRequest: PullRequest, what: string): Promise<{ commit: string }> {
  await step(
    number,
    `PR #${pullRequest.number}`,
    async () => `${what.padEnd(20)} ${verdictOf(await check(pullRequest))}`,
  );
  const merged = await team.merge(pullRequest);
  if (!merged.merged) throw new Error(`#${pullRequest.number} was not merged: ${merged.message}`);
  if (!hasEngine) return merged;
  await step('', 'merge', async () => {
    const promotion = await jobs.promote();
    if (promotion.outcome !== 'created') throw new Error(`promotion ${promotion.outcome}: ${promotion.reason}`);
    const deployed = await team.mergeDeployment();
    await writeFile(path.join(out, `promotion-${deployed.number}.md`), `# ${deployed.title}\n\n${deployed.body}\n`);
    await jobs.promote();
    return `key found, no training · image probed · acme/deploy#${deployed.number} merged · prod = ${short(await team.deployedDigest())}`;
  });
  return merged;
}

const first = await team.propose({
  branch: 'deeper',
  title: 'Deeper trees, and how late the airports were',
  change: improve,
});
await allTheWay('3', first, 'deeper trees');

async function blocked(number: string, request: Parameters<typeof team.propose>[0], what: string): Promise<void> {
  const pullRequest = await team.propose(request);
  await step(number, `PR #${pullRequest.number}`, async () => {
    const report = await check(pullRequest);
    const merge = await team.merge(pullRequest);
    if (report.verdict !== 'fail' || merge.merged)
      throw new Error(`#${pullRequest.number} should be blocked: ${report.verdict}, ${merge.message}`);
    return `${what.padEnd(20)} ${verdictOf(report)}`;
  });
}

await blocked('4', { branch: 'march', title: 'Export March again', change: breakTheData }, 'a broken export');
if (hasEngine) {
  await blocked('5', { branch: 'fewer', title: 'Fewer features', change: halfTheFeatures }, 'half the features');
  await blocked(
    '6',
    {
      branch: 'wider',
      title: 'Fewer features, and a wider margin',
      change: async (clone) => {
        await halfTheFeatures(clone);
        await replaceText(clone, 'passloop.yaml', 'margin: 0.005', 'margin: 0.05');
      },
    },
    'and a wider margin',
  );
  const before = await team.deployedDigest();
  const regretted = await team.propose({
    branch: 'slower',
    title: 'Learn more slowly',
    change: (clone) => replaceText(clone, 'params.yaml', 'learning_rate: 0.1', 'learning_rate: 0.08'),
  });
  const { commit } = await allTheWay('7', regretted, 'learn more slowly');
  const left = await team.deployedDigest();
  if (left === before) throw new Error('the regretted model was not deployed');

  await step('', 'git revert', async () => {
    const revert = await team.proposeRevert({
      branch: 'revert-slower',
      title: 'Revert "Learn more slowly"',
      commits: [commit],
    });
    const report = await check(revert);
    const merged = await team.merge(revert);
    if (!merged.merged) throw new Error(`the revert was not merged: ${merged.message}`);
    const promotion = await jobs.promote();
    const deployed = await team.mergeDeployment();
    await writeFile(path.join(out, `promotion-${deployed.number}.md`), `# ${deployed.title}\n\n${deployed.body}\n`);
    await jobs.promote();
    const now = await team.deployedDigest();
    if (now !== before) throw new Error(`prod is ${now}, not ${before}`);
    return `${report.models[0]?.outcome} · key found: no training, no build · ${promotion.change} by acme/deploy#${deployed.number} · prod = ${short(now)}`;
  });
  await step('', 'retrain', async () => {
    const again = await team.propose({
      branch: 'slower-again',
      title: 'Learn more slowly, once more',
      change: (clone) => replaceText(clone, 'params.yaml', 'learning_rate: 0.1', 'learning_rate: 0.08'),
    });
    const report = await check(again);
    // Nobody can merge it; whoever promotes their own branch by hand is refused too.
    await passloop(['promote', '--json', path.join(folder, 'held.json')], [1]);
    const promotion = JSON.parse(await readFile(path.join(folder, 'held.json'), 'utf8')) as PromotionDocument;
    if (promotion.outcome !== 'held') throw new Error(`the regretted model came back: ${promotion.outcome}`);
    if ((await team.deployedDigest()) !== before) throw new Error('prod moved');
    return `of the regretted model: check ${report.models[0]?.outcome}, promotion ${promotion.outcome}; prod stays ${short(before)}`;
  });
  await step('8', 'explain', async () => {
    const answer = await passloop(['explain', before]);
    await writeFile(path.join(out, 'explain.txt'), answer.stdout);
    await writeFile(path.join(out, 'status.txt'), (await passloop(['status'])).stdout);
    return 'the chain of what runs in prod, every link verified: explain.txt, status.txt';
  });
}

if (!hasEngine) {
  await step('5', 'compare', async () => {
    const predictions = path.join(world.flightsClone, '.passloop/out/flight-delay/outputs/out/predictions.parquet');
    await world.git(world.flightsClone, 'checkout', '-q', '-f', 'main');
    await passloop(['train', 'run']);
    await cp(predictions, path.join(folder, 'production.parquet'));
    await halfTheFeatures(world.flightsClone);
    await world.git(world.flightsClone, 'commit', '-qam', 'Fewer features');
    await passloop(['train', 'run']);
    const file = path.join(folder, 'comparison.json');
    const metrics = ['--metric', 'roc_auc:higher:0.005', '--metric', 'log_loss:lower:0.003'];
    const columns = ['--key', 'id', '--label', 'late', '--score', 'score', '--positive', '1', '--slice', 'hub'];
    const files = [
      '--production',
      path.join(folder, 'production.parquet'),
      '--candidate',
      predictions,
      '--dataset',
      'data/test.parquet',
    ];
    await passloop(['compare', ...files, ...columns, ...metrics, '--json', file], [1]);
    return `half the features    ❌ ${metricOf(JSON.parse(await readFile(file, 'utf8')) as ComparisonDocument)}`;
  });
}

const counts = world.github.counts();
await writeIndex();
console.log(`
${world.flights.pullRequests().length + world.deploy.pullRequests().length} pull requests, ${world.github.log.filter((call) => call.kind !== 'git').length} API calls (${counts.writes} writes) · in ${seconds(started)}
comments, reports and promotions: ${path.join(out, 'index.html')}`);

/** One page that shows what a team would have seen, in order. */
async function writeIndex(): Promise<void> {
  const markdown = new MarkdownIt({ html: true });
  const parts: string[] = [];
  for (const pullRequest of world.flights.pullRequests()) {
    const comments = await team.comments({ number: pullRequest.number, branch: '', title: '', head: '' });
    const report = reports.get(pullRequest.number);
    parts.push(
      `<h2>acme/flights #${pullRequest.number}: ${escapeHtml(pullRequest.title)}</h2>`,
      ...(report === undefined ? [] : [`<p><a href="${report}">the whole report</a></p>`]),
      ...comments.map((body) => `<article>${markdown.render(body)}</article>`),
    );
  }
  for (const pullRequest of world.deploy.pullRequests()) {
    parts.push(
      `<h2>acme/deploy #${pullRequest.number}: ${escapeHtml(pullRequest.title)}</h2>`,
      `<article>${markdown.render(pullRequest.body ?? '')}</article>`,
    );
  }
  const rows = steps.map(
    (one) =>
      `<tr><td>${escapeHtml(one.number)}</td><td>${escapeHtml(one.title)}</td><td>${escapeHtml(one.said)}</td><td>${one.time}</td></tr>`,
  );
  const style = await readFile(path.join(root, 'scripts/demo.css'), 'utf8');
  await writeFile(
    path.join(out, 'index.html'),
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>passloop demo</title><style>${style}</style><main><h1>passloop demo</h1><table>${rows.join('')}</table>${parts.join('\n')}</main></html>\n`,
  );
}
