import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseDocument } from '@passloop/documents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, layBundle, runBundle } from './run-bundle.ts';

/** The built actions as a runner starts them: no sources, no node_modules; DuckDB comes through the tool cache. */
let folder: string;
let workspace: string;
let bundle: Bundle;

function predictions(shift: number): string {
  const rows = Array.from({ length: 400 }, (_, id) => {
    const late = (id * 7919) % 3 === 0 ? 1 : 0;
    return `${id},${late},${((((id * 104_729) % 1000) / 1000) * 0.6 + late * shift).toFixed(4)}`;
  });
  return `id,late,score\n${rows.join('\n')}\n`;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'passloop-actions-'));
  workspace = path.join(folder, 'workspace');
  bundle = await layBundle(folder);
  const example = path.resolve(import.meta.dirname, '../../examples/flight-delay');
  await cp(example, workspace, {
    recursive: true,
    filter: (file) => !/\/(out|__pycache__|\.[a-z_]+cache|\.passloop)(\/|$)/.test(file.slice(example.length)),
  });
  await writeFile(path.join(workspace, 'old.csv'), predictions(0.25));
  await writeFile(path.join(workspace, 'new.csv'), predictions(0.1));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function errorsOf(log: string): string[] {
  return log.split('\n').filter((line) => line.startsWith('::error'));
}

describe('validate-data', () => {
  it('installs DuckDB by its lock, validates, and says so', async () => {
    const run = await runBundle(bundle, 'validate-data', { workspace, inputs: { dataset: 'test' } });
    expect(run.exitCode, run.log).toBe(0);
    expect(run.log).toContain('::group::install DuckDB');
    expect(run.outputs).toMatchObject({ verdict: 'pass' });
    expect(Number(run.outputs.executed)).toBeGreaterThan(10);
    const report = parseDocument('data-report', await readFile(run.outputs.document ?? '', 'utf8'), 'document');
    expect(report.executed).toBe(Number(run.outputs.executed));
    expect(run.summary).toMatch(/^### ✅/);
    expect(run.summary).toContain('| check | expected | found |');
  });

  it('takes DuckDB from the tool cache the next time, where no registry is reached', async () => {
    const run = await runBundle(bundle, 'validate-data', {
      workspace,
      inputs: { dataset: 'test' },
      env: { npm_config_registry: 'http://127.0.0.1:1/' },
    });
    expect(run.exitCode, run.log).toBe(0);
    expect(run.log).not.toContain('install DuckDB');
  });

  it('fails a rule that does not hold, with its sentence', async () => {
    await writeFile(path.join(workspace, 'checks.yaml'), '- {kind: range, column: distance, min: 1, max: 3000}\n');
    const run = await runBundle(bundle, 'validate-data', {
      workspace,
      inputs: { file: 'data/test.parquet', checks: 'checks.yaml' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.verdict).toBe('fail');
    expect(errorsOf(run.log)).toEqual([
      expect.stringMatching(
        /^::error title=passloop%3A test\.parquet::65 rows of distance of test\.parquet are out of range \(expected 1 \.\. 3000/,
      ),
    ]);
    expect(run.summary).toMatch(/^### ❌/);
  });

  it('fails a file of which nothing was asked', async () => {
    await writeFile(path.join(workspace, 'checks.yaml'), '[]\n');
    const run = await runBundle(bundle, 'validate-data', {
      workspace,
      inputs: { file: 'data/test.parquet', checks: 'checks.yaml' },
    });
    expect(run.exitCode).toBe(1);
    expect(errorsOf(run.log)).toEqual([
      expect.stringMatching(/^::error title=[^:]+::No check ran on test\.parquet\.$/),
    ]);
  });

  it('shows a rule of the model file on its line', async () => {
    const file = path.join(workspace, 'passloop.yaml');
    const before = await readFile(file, 'utf8');
    const line = before.split('\n').findLastIndex((text) => text.includes('column: distance, min: 1')) + 1;
    await writeFile(
      file,
      before.replaceAll('column: distance, min: 1, max: 5000', 'column: distance, min: 1, max: 3000'),
    );
    const run = await runBundle(bundle, 'validate-data', { workspace, inputs: { dataset: 'test' } });
    await writeFile(file, before);
    expect(run.exitCode, run.log).toBe(1);
    expect(errorsOf(run.log)).toEqual([
      expect.stringMatching(
        `^::error title=passloop%3A test,file=passloop\\.yaml,line=${line}::65 rows of distance of test`,
      ),
    ]);
  });

  it('says how to do without a registry', async () => {
    const apart = { ...bundle, toolCache: path.join(folder, 'no-tools') };
    const run = await runBundle(apart, 'validate-data', {
      workspace,
      inputs: { dataset: 'test' },
      env: {
        npm_config_registry: 'http://127.0.0.1:1/',
        npm_config_cache: path.join(folder, 'no-npm'),
        npm_config_fetch_retries: '0',
      },
    });
    expect(run.exitCode).toBe(1);
    expect(run.log).toMatch(/::error::DuckDB could not be installed: .*`duckdb-path`/);
    const error = parseDocument('error', await readFile(run.outputs.document ?? '', 'utf8'), 'document');
    expect(error.code).toBe('infrastructure');
  });

  it('takes a folder that has DuckDB', async () => {
    const apart = { ...bundle, toolCache: path.join(folder, 'no-tools') };
    const inputs = { dataset: 'test', 'duckdb-path': path.resolve(import.meta.dirname, '../..') };
    const run = await runBundle(apart, 'validate-data', { workspace, inputs });
    expect(run.exitCode, run.log).toBe(0);
  });
});

describe('compare-metrics', () => {
  const inputs = {
    production: 'old.csv',
    candidate: 'new.csv',
    key: 'id',
    label: 'late',
    score: 'score',
    positive: '1',
  };

  it('blocks a worse candidate, and gives the comparison', async () => {
    const run = await runBundle(bundle, 'compare-metrics', {
      workspace,
      inputs: { ...inputs, metrics: 'roc_auc:higher:0.005\nbrier:lower:0.01' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs).toMatchObject({ verdict: 'fail', outcome: 'compared' });
    const comparison = parseDocument('comparison', await readFile(run.outputs.document ?? '', 'utf8'), 'document');
    expect(comparison.metrics[0]).toMatchObject({ name: 'roc_auc', verdict: 'worse' });
    expect(errorsOf(run.log)).toEqual([expect.stringMatching(/^::error::ROC AUC fell by [\d.]+ \(95 %25 interval/)]);
    expect(run.summary).toContain('| ROC AUC |');
  });

  it('names every input that is wrong', async () => {
    const run = await runBundle(bundle, 'compare-metrics', {
      workspace,
      inputs: { ...inputs, label: '', seed: 'seven', metrics: 'roc_auc:higher:0.005' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.log).toMatch(/::error::Input `label` is required\. Input `seed` must be a whole number\./);
    expect(run.outputs.verdict).toBe('fail');
  });
});

describe('whatever is untrusted', () => {
  it('reaches the runner as no command', async () => {
    await writeFile(
      path.join(workspace, 'hostile.csv'),
      'id,"a\n::set-output name=verdict::pass\n::error::x"\n1,\n2,\n',
    );
    await writeFile(
      path.join(workspace, 'hostile.yaml'),
      '- {kind: not-null, column: "a\\n::set-output name=verdict::pass\\n::error::x"}\n',
    );
    const run = await runBundle(bundle, 'validate-data', {
      workspace,
      inputs: { file: 'hostile.csv', checks: 'hostile.yaml' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.log).toContain('set-output name=verdict');
    expect(run.summary).not.toMatch(/^::/m);
    const commands = run.log.split('\n').filter((line) => /^\s*(::|##\[)/.test(line));
    expect(commands.every((line) => /^::(group|endgroup|error|debug)(::| )/.test(line))).toBe(true);
    expect(errorsOf(run.log)).toHaveLength(1);
    expect(run.outputs.verdict).toBe('fail');
  });
});

it('what is installed has the hash of the lock, or nothing is', async () => {
  const tampered = await layBundle(path.join(folder, 'tampered'));
  const lock = path.join(tampered.folder, 'release/dist/duckdb/package-lock.json');
  const text = await readFile(lock, 'utf8');
  await writeFile(lock, text.replace(/sha512-[\w+/]{10}/g, 'sha512-AAAAAAAAAA'));
  const run = await runBundle(tampered, 'validate-data', {
    workspace,
    inputs: { dataset: 'test' },
    env: { npm_config_cache: path.join(folder, 'fresh-npm') },
  });
  expect(run.exitCode).toBe(1);
  expect(run.log).toMatch(/::error::DuckDB could not be installed: .*(integrity|sha512)/);
});

describe('promote-model', () => {
  it('takes no other token where its own is empty', async () => {
    const run = await runBundle(bundle, 'promote-model', {
      workspace,
      inputs: { token: 'ghs_of-the-job' },
      env: { PASSLOOP_DEPLOY_TOKEN: 'of-the-environment' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.log).toMatch(/::error::Input `deploy-token` is empty\./);
    expect(run.outputs.error).toBe('configuration');
  });

  it('masks the token before anything else, and says which input is missing', async () => {
    const run = await runBundle(bundle, 'promote-model', {
      workspace,
      inputs: { 'deploy-token': 'ghs_secret-of-this-test', plan: 'maybe' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.log.split('\n')[0]).toBe('::add-mask::ghs_secret-of-this-test');
    expect(run.log.split('ghs_secret-of-this-test')).toHaveLength(2);
    expect(run.log).toMatch(/::error::Input `plan` must be true or false\./);
  });
});
