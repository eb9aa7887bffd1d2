/**
 * The paired comparison of two models on 1,000,000 rows: accuracy, F1 and the area under the ROC curve with intervals, on the
 * whole and on five slices, with the curves of the report, from three Parquet files to the document. Beside it, in the same
 * run, a bootstrap loop over scikit-learn's metrics, of the whole alone: a few resamples are timed, and 1,000 extrapolated.
 *
 *     node bench/compare.ts [rows] [--python python]     # a Python that has scikit-learn and pyarrow
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { compareModels, defaultResampling, loadFrame } from '@passloop/evaluation';
import { openTables, writeParquet } from '@passloop/tables';

const { values, positionals } = parseArgs({ options: { python: { type: 'string' } }, allowPositionals: true });
const rows = Number(positionals[0] ?? 1_000_000);
const loops = 5;

const script = `
import sys, time
import numpy as np, pyarrow.parquet as pq
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
read = lambda name: pq.read_table(f"{sys.argv[1]}/{name}.parquet").to_pydict()
d, a, b = (read(n) for n in ("dataset", "production", "candidate"))
order = [np.argsort(t["id"]) for t in (d, a, b)]
y = np.array(d["y"])[order[0]]
sides = [(np.array(t["s"])[o], np.array(t["p"])[o]) for t, o in ((a, order[1]), (b, order[2]))]
rng = np.random.default_rng(7)
loops = int(sys.argv[2])
start, cpu = time.perf_counter(), time.process_time()
for _ in range(loops):
    i = rng.integers(0, len(y), len(y))
    for s, p in sides:
        accuracy_score(y[i], p[i]); f1_score(y[i], p[i]); roc_auc_score(y[i], s[i])
print((time.perf_counter() - start) / loops, (time.process_time() - cpu) / loops)
`;

await using folder = await temporaryFolder('bench-compare');
{
  await using maker = await openTables();
  const random = (salt: string) => `(hash(i || '${salt}') % 1000003) / 1000003.0::DOUBLE`;
  const base = `SELECT i::INTEGER AS id, (${random('y')} < 0.3)::INTEGER AS y, ${random('n')} AS n, ${random('a')} AS a, ${random('b')} AS b FROM range(${rows}) t(i)`;
  const side = (noise: string, weight: number) =>
    `SELECT id, s, (s > 0.5)::INTEGER AS p FROM (SELECT id, (${weight} * y + 0.5 * n + ${0.5 - weight} * ${noise})::DOUBLE AS s FROM (${base})) ORDER BY hash(id || '${noise}')`;
  await writeParquet(
    maker,
    `SELECT id, y, (hash(id || 'hub') % 5)::VARCHAR AS hub FROM (${base}) ORDER BY hash(id)`,
    path.join(folder.path, 'dataset.parquet'),
  );
  await writeParquet(maker, side('a', 0.2), path.join(folder.path, 'production.parquet'));
  await writeParquet(maker, side('b', 0.21), path.join(folder.path, 'candidate.parquet'));
}

const metrics = ['accuracy', 'f1', 'roc_auc'];
const times: number[] = [];
const processor: number[] = [];
for (let run = 0; run < 3; run += 1) {
  const start = performance.now();
  const used = process.cpuUsage();
  await using session = await openTables({ threads: 2 });
  const source = (name: string) => ({ uri: `${name}.parquet`, root: folder.path });
  const frame = await loadFrame({
    session,
    task: 'binary',
    columns: { key: ['id'], label: 'y', score: 's', prediction: 'p', positive: 1 },
    slices: ['hub'],
    metrics,
    dataset: source('dataset'),
    production: source('production'),
    candidate: source('candidate'),
  });
  const loaded = performance.now();
  const document = compareModels({
    outcome: 'compared',
    reason: null,
    gates: metrics.map((metric) => ({
      metric,
      direction: 'higher' as const,
      margin: 0.005,
      slices: ['hub'],
      minRows: 100,
      severity: 'error' as const,
    })),
    frame,
    production: { digest: null, scoredBy: 'file' },
    candidate: { digest: null, scoredBy: 'file' },
    scalars: {},
    resampling: defaultResampling,
    inconclusive: 'block',
  });
  const done = performance.now();
  times.push((done - start) / 1000);
  const { user, system } = process.cpuUsage(used);
  processor.push((user + system) / 1e6);
  console.log(
    `run ${run + 1}: read and join ${((loaded - start) / 1000).toFixed(2)} s, measure ${((done - loaded) / 1000).toFixed(2)} s, processor ${processor.at(-1)?.toFixed(2)} s, ${document.slices.length} slices, ${document.verdict}`,
  );
}
const best = Math.min(...times);
const peak = process.resourceUsage().maxRSS / 1024;
console.log(
  `${rows} rows: ${best.toFixed(2)} s (best of ${times.length}); ${peak.toFixed(0)} MiB at most, making the files included`,
);

const python = spawnSync(values.python ?? 'python3', ['-c', script, folder.path, String(loops)], { encoding: 'utf8' });
if (python.status !== 0) {
  console.log(`No scikit-learn to compare with (--python): ${python.stderr.trim().split('\n').at(-1)}`);
} else {
  const resamples = 1000;
  const [wall, cpu] = python.stdout.split(' ').map((each) => Number(each) * resamples) as [number, number];
  console.log(
    `scikit-learn, ${resamples.toLocaleString('en')} resamples, from ${loops} timed: ${wall.toFixed(0)} s (processor ${cpu.toFixed(0)} s): ${(wall / best).toFixed(0)}x (processor ${(cpu / Math.min(...processor)).toFixed(0)}x)`,
  );
}
