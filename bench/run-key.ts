/**
 * The run key of a repository of 10,000 files, all of them declared code, beside what git alone takes to list these files and
 * to read them, in the same run:
 *
 *     node bench/run-key.ts [files]
 *
 * The key reads each file from its git blob and hashes it with sha256; it starts from nothing each time, as a command does.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openGitRepository, sha256, temporaryFolder } from '@passloop/core';
import { formatLock, loadModelsAt } from '@passloop/model';
import { trainingKey } from '@passloop/training';

const files = Number(process.argv[2] ?? 10_000);
if (!Number.isInteger(files) || files < 1) throw new Error(`files: ${process.argv[2]} is no whole number from 1`);
const rounds = 7;

await using folder = await temporaryFolder('bench-run-key');
const env = {
  PATH: process.env.PATH ?? '',
  HOME: folder.path,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
};
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'gc.auto=0', ...args], { cwd: folder.path, env, encoding: 'utf8' }).trim();

const data = 'id,late\n1,0\n';
const small: Record<string, string> = {
  'passloop.yaml': `version: 1
models:
  - name: bench
    task: binary
    columns: {key: [id], label: late, score: score}
    data: {train: {path: data/train.csv}}
    train:
      environment: {python: "3.11", lock: requirements.lock}
      stages:
        - {name: fit, run: [python, -m, train], code: ["src/**"], data: [train], params: {file: params.yaml}, outputs: [out/model.json]}
`,
  'passloop.lock': formatLock({
    version: 1,
    datasets: [{ uri: 'data/train.csv', version: null, digest: sha256(data), bytes: data.length, rows: 1 }],
  }),
  'requirements.lock': '# The standard library is enough.\n',
  'params.yaml': 'fit: {rate: 0.1, depth: 8}\n',
  'data/train.csv': data,
};
for (const [name, text] of Object.entries(small)) {
  await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
  await writeFile(path.join(folder.path, name), text);
}
const line = 'def feature(rows, scale=1.0):\n    return [row * scale for row in rows]\n';
for (let index = 0; index < files; index += 1) {
  const below = path.join(folder.path, 'src', `package_${Math.floor(index / 100)}`);
  if (index % 100 === 0) await mkdir(below, { recursive: true });
  await writeFile(path.join(below, `module_${index}.py`), `NAME = ${index}\n${line.repeat(10 + (index % 30))}`);
}
git('init', '--quiet', '--initial-branch', 'main');
git('add', '--all');
git('commit', '--quiet', '--message', 'bench');
git('gc', '--quiet');

const shell = (script: string) => execFileSync('sh', ['-c', script], { cwd: folder.path, env });
const measures: [name: string, work: () => unknown][] = [
  ['git ls-tree -r HEAD | wc -l', () => shell('git ls-tree -r HEAD | wc -l')],
  [
    'the same, read by git cat-file --batch',
    () => shell('git ls-tree -r HEAD | cut -c 13-52 | git cat-file --batch --buffer | wc -c'),
  ],
  [
    'run key',
    async () => {
      const repository = await openGitRepository(folder.path, env);
      const commit = (await repository.resolve('HEAD')) as string;
      const [model] = await loadModelsAt(repository, commit);
      if (model === undefined) throw new Error('no model');
      const key = await trainingKey(repository, commit, model);
      if (key.stages[0]?.inputs.code.length !== files) throw new Error('the key does not cover every file');
    },
  ],
];

const times = measures.map((): number[] => []);
for (let round = 0; round < rounds; round += 1) {
  for (const [index, [, work]] of measures.entries()) {
    const started = performance.now();
    await work();
    times[index]?.push((performance.now() - started) / 1000);
  }
}
function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] as number;
}
const read = median(times[1] ?? []);
console.log(
  `${files} files of code, ${(Number(shell("git ls-tree -r -l HEAD | awk '{s += $4} END {print s}'").toString()) / 1e6).toFixed(0)} MB, ${git('--version')}; medians of ${rounds}`,
);
for (const [index, [name]] of measures.entries()) {
  const own = times[index] ?? [];
  console.log(
    `${name.padEnd(44)} ${median(own).toFixed(3).padStart(7)} s  (best ${Math.min(...own).toFixed(3)})  ${(median(own) / read).toFixed(2)}x`,
  );
}
