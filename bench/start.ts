/**
 * What a command costs before it does anything: the wall time of the bundle as a process, beside Node's own, in turns, so
 * that what else the machine does falls on all alike. Medians, and what stands over Node. An action is timed until it has read its
 * inputs, of which one is refused.
 *
 *     node bench/start.ts [rounds] [--bundle FOLDER]...     # several bundles are compared with one another
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@passloop/core';

const root = path.resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  options: { bundle: { type: 'string', multiple: true, default: [path.join(root, 'dist')] } },
  allowPositionals: true,
});
const rounds = Number(positionals[0] ?? 15);
const boundMs = 250;

await using folder = await temporaryFolder('bench-start');
const table = path.join(folder.path, 'table.csv');
const other = path.join(folder.path, 'other.csv');
const checks = path.join(folder.path, 'checks.yaml');
const pickle = path.join(folder.path, 'model.pkl');
writeFileSync(table, 'id,y,s\n1,0,0.2\n2,1,0.7\n3,0,0.4\n4,1,0.9\n');
writeFileSync(other, 'id,y,s\n1,0,0.1\n2,1,0.8\n3,0,0.3\n4,1,0.9\n');
writeFileSync(checks, '- {kind: not-null, column: y}\n');
writeFileSync(pickle, Buffer.from([0x80, 4, 0x4e, 0x2e]));
const gate = ['--key', 'id', '--label', 'y', '--score', 's', '--positive', '1', '--metric', 'roc_auc:higher:0.1'];
const commands: [name: string, args: string[]][] = [
  ['--version', ['--version']],
  ['--help', ['--help']],
  ['package scan', ['package', 'scan', pickle]],
  ['train key', ['train', 'key']],
  ['data validate', ['data', 'validate', table, '--checks', checks]],
  ['compare', ['compare', '--production', table, '--candidate', other, ...gate]],
];

const actions = readdirSync(path.join(root, 'actions')).sort();
/** Each action refuses a folder of such a name, after everything that it loads at once is loaded. */
const refused = { ...process.env, 'INPUT_WORKING-DIRECTORY': 'x'.repeat(5000), RUNNER_TEMP: folder.path };

/** Milliseconds of one process. A command that could not run would be fast: its exit code must be that of an answer. */
function time(args: string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: path.join(root, 'examples/flight-delay'),
    encoding: 'utf8',
    env: refused,
  });
  if (status !== 0 && status !== 1) throw new Error(`${args.join(' ')}: exit ${status}: ${stderr}`);
  return performance.now() - start;
}

const measured = new Map<string, number[]>();
for (let round = 0; round < rounds; round += 1) {
  const cases: [string, string[]][] = [['node alone', ['-e', '0']]];
  for (const bundle of values.bundle)
    for (const [name, args] of commands)
      cases.push([`${bundle} ${name}`, [path.join(path.resolve(bundle), 'passloop.mjs'), ...args]]);
  for (const bundle of values.bundle)
    for (const name of actions) {
      const entry = path.join(path.resolve(bundle), `${name}.mjs`);
      if (existsSync(entry)) cases.push([`${bundle} ${name}`, [entry]]);
    }
  for (const [name, args] of cases) measured.set(name, [...(measured.get(name) ?? []), time(args)]);
}

function median(name: string): number {
  const sorted = (measured.get(name) ?? []).sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const node = median('node alone');
console.log(`node alone: ${node.toFixed(0)} ms (median of ${rounds}); the bound is ${boundMs} ms over it`);
for (const bundle of values.bundle) {
  console.log(`\n${bundle}`);
  for (const name of [...commands.map(([command]) => command), ...actions]) {
    if (!measured.has(`${bundle} ${name}`)) continue;
    const took = median(`${bundle} ${name}`);
    console.log(
      `  ${name.padEnd(18)} ${took.toFixed(0).padStart(5)} ms  ${(took / node).toFixed(1).padStart(5)}x node  ${(took - node).toFixed(0).padStart(5)} ms over`,
    );
  }
}
