/**
 * The comments in docs/comments/ and the pictures of the report in docs/images/, from real pull requests: real training, real
 * images, the built actions, in the same world as the demo. Needs what `npm run demo` needs, and Chromium.
 *
 *   node scripts/report-gallery.ts
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import type { ReportDocument } from '@passloop/documents';
import { renderHtml } from '@passloop/report/page';
import { openTables, writeParquet } from '@passloop/tables';
import { openBrowser, type View } from '../test/pages/browser.ts';
import { jobsOf } from '../test/world/jobs.ts';
import { replaceText, teamOf } from '../test/world/team.ts';
import { createWorld } from '../test/world/world.ts';
import { prepareMachine } from './demo-machine.ts';

const root = path.resolve(import.meta.dirname, '..');
const { base, missing } = await prepareMachine((line) => console.log(`${line} …`));
if (base === null) throw new Error(missing.join('\n'));
await using folder = await temporaryFolder('gallery');
await using world = await createWorld({ folder: path.join(folder.path, 'world'), base });
const team = teamOf(world);
const jobs = await jobsOf(world, path.join(folder.path, 'runner'));

// The machine that draws the pictures may be busy with something else, and a slow answer is not what they are about.
await replaceText(world.flightsClone, 'passloop.yaml', 'max: 40,', 'max: 400,');
await world.git(world.flightsClone, 'commit', '-qam', 'Allow a busy machine its time');
await world.git(world.flightsClone, 'push', '-q');
await world.flights.protectBranch('main', { requiredChecks: ['passloop'] });

async function passloop(...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await world.passloop(args);
  if (exitCode !== 0) throw new Error(`passloop ${args.join(' ')}:\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
}

await passloop('train', 'run');
const image = path.join(folder.path, 'image.json');
await passloop('package', 'push', '--json', image);
await team.deployByHand((JSON.parse(await readFile(image, 'utf8')) as { digest: string }).digest);
await passloop('adopt');
await team.mergeDeployment();
await jobs.promote();
console.log('the first model is in production');

type Case = {
  name: string;
  title: string;
  /** What the report must say, or else the picture would show something else than its name. */
  expected: RegExp;
  change(clone: string): Promise<void>;
};

async function params(clone: string, fit: Record<string, string>, features?: readonly string[]): Promise<void> {
  const file = path.join(clone, 'params.yaml');
  for (const [name, value] of Object.entries(fit))
    await replaceText(clone, 'params.yaml', new RegExp(`${name}: .*`), `${name}: ${value}`);
  if (features === undefined) return;
  const text = await readFile(file, 'utf8');
  const head = text.slice(0, text.indexOf('features:'));
  await writeFile(file, `${head}features:\n${features.map((feature) => `  - ${feature}\n`).join('')}`);
}

const all = [
  'day_of_week',
  'departure_minute',
  'distance',
  'origin',
  'destination',
  'origin_late_day',
  'destination_late_day',
  'origin_late_3h',
  'destination_late_3h',
];
const improved: Case = {
  name: 'passed',
  title: 'Deeper trees, and how late the airports were',
  expected: /^✅ Passed/,
  change: (clone) => params(clone, { max_iter: '120', max_depth: '6' }, all),
};
const others: Case[] = [
  {
    name: 'blocked',
    title: 'Fewer features',
    expected: /^❌ Blocked: `flight-delay` is worse than production/,
    change: (clone) => params(clone, {}, ['day_of_week', 'departure_minute', 'distance', 'origin_late_3h']),
  },
  {
    name: 'inconclusive',
    title: 'Half the trees',
    expected: /may be worse than allowed/,
    change: (clone) => params(clone, { max_iter: '46' }),
  },
  {
    name: 'not-comparable',
    title: 'Export May again, and call the distance miles',
    expected: /cannot be compared with production/,
    async change(clone) {
      // Production was never asked about these rows, and can't be asked any more: it knows no input of that name.
      await using session = await openTables();
      const table = await session.open({ uri: 'data/test.parquet', root: clone });
      const query = `SELECT * FROM ${table.relation} WHERE id % 5000 <> 0 ORDER BY id`;
      await writeParquet(session, query, path.join(clone, 'data/test.parquet'));
      await params(clone, { max_iter: '110' });
      await replaceText(clone, 'signature.json', '"name": "distance"', '"name": "miles"');
      await passloop('data', 'lock');
    },
  },
];

await mkdir(path.join(root, 'docs/comments'), { recursive: true });
const reports = new Map<string, ReportDocument>();

/** The comment as it was posted, without the address of this world's forge. */
async function check({ name, title, expected, change }: Case): Promise<Awaited<ReturnType<typeof team.propose>>> {
  const pullRequest = await team.propose({ branch: name, title, change });
  const made = await jobs.check(pullRequest);
  // The registry of this world is gone with it.
  const text = JSON.stringify(made).replaceAll(world.registry?.address ?? 'no registry', 'ghcr.io/acme');
  const report = JSON.parse(text) as ReportDocument;
  const [comment = ''] = await team.comments(pullRequest);
  console.log(`${name}: ${comment.split('\n')[0]}`);
  if (!expected.test((comment.split('\n')[0] ?? '').replace('### ', '')))
    throw new Error(`${name} came out otherwise:\n${comment.slice(0, 3000)}`);
  const shown = comment.replace(/http:\/\/(?:github\.localhost|127\.0\.0\.1):\d+/g, 'https://github.com');
  await writeFile(path.join(root, `docs/comments/${name}.md`), `${shown.trimEnd()}\n`);
  reports.set(name, report);
  return pullRequest;
}

const merged = await team.merge(await check(improved));
if (!merged.merged) throw new Error(merged.message);
await jobs.promote();
await team.mergeDeployment();
await jobs.promote();
for (const one of others) await check(one);

await using browser = await openBrowser();
const pictures: [name: string, report: string, view: View, height?: number][] = [
  ['report.png', 'blocked', { width: 1150 }, 1000],
  ['report-light.png', 'blocked', { width: 1150 }],
  ['report-dark.png', 'passed', { width: 1150, scheme: 'dark' }],
  ['report-narrow.png', 'blocked', { width: 390 }, 2600],
  ['report-print.png', 'inconclusive', { width: 800, scheme: 'dark', media: 'print' }, 2400],
];
for (const [name, of, view, height] of pictures) {
  const file = path.join(folder.path, `${of}.html`);
  await writeFile(file, await renderHtml(reports.get(of) as ReportDocument));
  const page = await browser.open(file);
  await page.view(view);
  await page.screenshot(path.join(root, 'docs/images', name), height);
}
console.log(`${reports.size} comments in docs/comments, ${pictures.length} pictures in docs/images`);
