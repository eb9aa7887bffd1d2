/**
 * Profile + 30 checks against one hand-written DuckDB query of the same aggregates, in one run on the same engine:
 *
 *     node bench/data.ts [rows] [rounds]        1,000,000 rows x 14 columns and 3 rounds by default
 *
 * The table is generated (it is not the example's), so that any size can be had. The hand-written query asks for deciles,
 * where the profile has percentiles, and for no counts by time: what it leaves out is on its side. Prints the medians of
 * the rounds in seconds, on the clock and of all processors, and their ratios: on a machine with other work the second
 * ones are those to look at.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { driftAgainstProfile, type Profile, profileTable, validateTable } from '@passloop/data';
import { Check } from '@passloop/model';
import { openTables, quoteIdentifier, writeParquet } from '@passloop/tables';
import { benchChecks, benchTable, floats, numbers } from './tables/fourteen-columns.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
if (!Number.isInteger(rows) || rows < 1000) throw new Error(`rows: ${process.argv[2]} is no whole number from 1000`);

const rounds = Number(process.argv[3] ?? 3);

await using folder = await temporaryFolder('bench-data');
await using session = await openTables();
const file = path.join(folder.path, 'table.parquet');
await writeParquet(session, benchTable(rows), file);
const table = await session.open({ uri: file, root: '/' });
const t = table.relation;

const parsed = benchChecks.map((check) => Check.parse(check));

type Seconds = { clock: number; processors: number };

async function seconds(work: () => Promise<unknown>): Promise<Seconds> {
  const started = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - started) / 1000, processors: (user + system) / 1e6 };
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] as number;
}

const finite = (name: string) => (name.startsWith('f') ? `${name} IS NOT NULL AND isfinite(${name})` : 'true');
/** What somebody would write by hand who wants the same numbers: approximate functions, which are no match, left out. */
const handWritten = `SELECT count(*), count(DISTINCT id) = count(*), ${[
  ...[...numbers, 's1', 's2', 's3', 'flag', 'day'].map((name) => `count(${name}), count(DISTINCT ${name})`),
  ...numbers.map(
    (name) =>
      `min(${name}), max(${name}), avg(${name}), stddev_samp(${name}), count(*) FILTER (WHERE NOT (${name} BETWEEN -100 AND 10000))`,
  ),
  ...floats.map(
    (name, k) => `count(*) FILTER (WHERE isnan(${name})), count(*) FILTER (WHERE i1 > ${k} AND NOT ${name} >= -9)`,
  ),
  `count(*) FILTER (WHERE s1 NOT IN (${Array.from({ length: 12 }, (_, k) => `'c${k}'`).join(', ')}))`,
  `count(*) FILTER (WHERE i1 NOT IN (${Array.from({ length: 24 }, (_, k) => k).join(', ')}))`,
  ...numbers.map(
    (name) =>
      `quantile_disc(${quoteIdentifier(name)}, [${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((k) => k / 10).join(', ')}]) FILTER (WHERE ${finite(name)})`,
  ),
  ...['s1', 's2', 's3'].map((name) => `map_keys(histogram(${name}))[1]`),
].join(',\n')} FROM ${t}`;

const dataset = { name: 'bench', uri: 'table.parquet', root: folder.path };
await session.rows(`SELECT sum(hash(COLUMNS(*))) FROM ${t}`);
let profile: Profile | null = null;
let executed = 0;
const measured = { hand: [] as Seconds[], profile: [] as Seconds[], checks: [] as Seconds[], drift: [] as Seconds[] };
for (let round = 0; round < rounds; round++) {
  measured.hand.push(await seconds(() => session.rows(handWritten)));
  measured.profile.push(
    await seconds(async () => {
      profile = await profileTable({
        session,
        table,
        dataset: { name: 'bench', uri: 'table.parquet', digest: null },
        key: ['id'],
      });
    }),
  );
  measured.checks.push(
    await seconds(async () => {
      const report = await validateTable({
        now: new Date('2026-11-22T10:10:00Z'),
        session,
        table,
        dataset,
        checks: parsed,
        profile: null,
      });
      executed = report.executed;
      if (report.verdict !== 'pass')
        throw new Error(JSON.stringify(report.checks.filter((check) => check.verdict !== 'pass')));
    }),
  );
  measured.drift.push(await seconds(() => driftAgainstProfile(session, table, profile as never)));
}

const size = ((await stat(file)).size / 1e6).toFixed(0);
const middle = (list: readonly Seconds[]): Seconds => ({
  clock: median(list.map((one) => one.clock)),
  processors: median(list.map((one) => one.processors)),
});
const hand = middle(measured.hand);
const both = measured.profile.map((one, i) => ({
  clock: one.clock + (measured.checks[i] as Seconds).clock,
  processors: one.processors + (measured.checks[i] as Seconds).processors,
}));
function line(name: string, time: Seconds, against: Seconds): void {
  const cell = (key: keyof Seconds) =>
    `${time[key].toFixed(2).padStart(8)} s ${(time[key] / against[key]).toFixed(2).padStart(6)}x`;
  console.log(`${name.padEnd(44)}${cell('clock')}${cell('processors')}`);
}
console.log(`${rows} rows x ${table.columns.length} columns, ${size} MB Parquet, ${session.engine}, ${rounds} rounds`);
console.log(`${''.padEnd(44)}${'clock'.padStart(18)}${'processors'.padStart(18)}`);
line('one hand-written query (deciles)', hand, hand);
line('profile (percentiles, values, wander)', middle(measured.profile), hand);
line(`${parsed.length} checks (${executed} executed)`, middle(measured.checks), hand);
line('profile + checks', middle(both), hand);
line('drift of all columns against the profile', middle(measured.drift), hand);
line('the same, against the profile scan', middle(measured.drift), middle(measured.profile));
console.log(`peak memory of the process: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
