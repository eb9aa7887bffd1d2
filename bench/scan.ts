/**
 * The scan of 250 MB of joblib: one array, 100,000 arrays of 2.5 kB, and a forest of small trees; beside it, in the same run, the
 * sha256 of the same file, and picklescan where the Python has it (it reads no further than the first array).
 *
 *     node bench/scan.ts [--python python]     # a Python that has joblib and scikit-learn
 */
import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileDigest, temporaryFolder } from '@passloop/core';
import { scanModelFile } from '@passloop/packaging';

const { values } = parseArgs({ options: { python: { type: 'string', default: 'python3' } } });

const makeFiles = `
import copy, sys, joblib, numpy as np
from sklearn.ensemble import RandomForestRegressor
folder = sys.argv[1]
joblib.dump(np.zeros(250_000_000 // 8), f"{folder}/one array.joblib")
joblib.dump([np.arange(320.0) + i for i in range(100_000)], f"{folder}/100,000 arrays.joblib")
rng = np.random.default_rng(7)
forest = RandomForestRegressor(200, max_depth=6).fit(rng.normal(size=(2000, 8)), rng.normal(size=2000))
trees = [RandomForestRegressor(1, max_depth=6, random_state=i).fit(rng.normal(size=(200, 8)), rng.normal(size=200)).estimators_[0] for i in range(50)]
forest.estimators_ = [copy.deepcopy(trees[i % 50]) for i in range(20_000)]
joblib.dump(forest, f"{folder}/20,000 trees.joblib")
`;
const picklescan = `
import sys, time
from picklescan.scanner import scan_file_path
start = time.perf_counter(); scan_file_path(sys.argv[1]); print(time.perf_counter() - start)
`;

await using folder = await temporaryFolder('bench-scan');
const made = spawnSync(values.python, ['-c', makeFiles, folder.path], { stdio: ['ignore', 'inherit', 'inherit'] });
if (made.status !== 0) throw new Error('The Python lacks joblib, numpy or scikit-learn.');

for (const name of ['one array', '100,000 arrays', '20,000 trees']) {
  const file = path.join(folder.path, `${name}.joblib`);
  const megabytes = (await stat(file)).size / 1e6;
  const digest = await median(() => fileDigest(file));
  const scan = await median(async () => {
    const { verdict, findings } = await scanModelFile(file);
    if (verdict !== 'pass') throw new Error(`${name}: ${findings[0]?.detail}`);
  });
  const peer = spawnSync(values.python, ['-c', picklescan, file], { encoding: 'utf8' });
  const peerSeconds = peer.status === 0 ? `${Number(peer.stdout).toFixed(2)} s` : 'not installed';
  console.log(
    `${name.padEnd(15)} ${megabytes.toFixed(0).padStart(4)} MB  scan ${scan.toFixed(3)} s  (bound 1 s)  sha256 ${digest.toFixed(3)} s  picklescan ${peerSeconds}`,
  );
}
console.log(`peak memory of this process: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    const start = performance.now();
    await work();
    times.push((performance.now() - start) / 1000);
  }
  return times.sort((a, b) => a - b)[2] as number;
}
