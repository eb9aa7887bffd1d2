import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { Plot } from '@passloop/documents';
import type { PlotFile } from '@passloop/model';
import { openTables } from '@passloop/tables';
import { expect, it } from 'vitest';
import { plotsOf } from './plots-part.ts';

/** The plots of a folder of outputs, with the reasons of those that are not shown. */
async function plotsOfFiles(plots: PlotFile[], fill: (folder: string) => Promise<unknown>): Promise<Plot[]> {
  await using folder = await temporaryFolder('plots');
  await using session = await openTables();
  const outputs = path.join(folder.path, 'outputs');
  await mkdir(path.join(outputs, 'out'), { recursive: true });
  await writeFile(path.join(folder.path, 'secret.csv'), 'a,b\n1,2\n');
  await fill(path.join(outputs, 'out'));
  const { plots: found = [] } = await plotsOf(session, { plots }, { outputs, model: folder.path });
  for (const plot of found) Plot.parse(plot);
  return found;
}

it('reads CSV, TSV, JSON, JSON lines and YAML alike', async () => {
  const names = ['a.csv', 'a.tsv', 'a.json', 'a.jsonl', 'a.yaml'];
  const found = await plotsOfFiles(
    names.map((name) => ({ path: `out/${name}`, x: 'step', y: 'loss' })),
    async (folder) => {
      await writeFile(path.join(folder, 'a.csv'), 'step,loss\n0,0.9\n1,0.5\n');
      await writeFile(path.join(folder, 'a.tsv'), 'step\tloss\n0\t0.9\n1\t0.5\n');
      await writeFile(path.join(folder, 'a.json'), '{"train": [{"step": 0, "loss": 0.9}, {"step": 1, "loss": 0.5}]}');
      await writeFile(path.join(folder, 'a.jsonl'), '{"step": 0, "loss": 0.9}\n{"step": 1, "loss": 0.5}\n');
      await writeFile(path.join(folder, 'a.yaml'), '- {step: 0, loss: 0.9}\n- {step: 1, loss: 0.5}\n');
    },
  );
  for (const [i, plot] of found.entries()) {
    const points = [
      ['0', '0.9'],
      ['1', '0.5'],
    ];
    expect(plot.lines?.series, names[i]).toEqual([{ name: 'loss', points }]);
  }
});

it('lists what it does not show: nothing is fetched, followed, waited for or run', async () => {
  const vega = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    mark: 'line',
    data: { url: 'file:///etc/passwd' },
  };
  const cases: [name: string, make: (file: string) => Promise<unknown>, reason: RegExp][] = [
    ['spec.vl.json', (file) => writeFile(file, JSON.stringify(vega)), /Vega-Lite/],
    ['missing.csv', async () => undefined, /no such file among the outputs/],
    ['linked.csv', (file) => symlink('../../secret.csv', file), /not a path inside/],
    ['pipe.csv', (file) => promisify(execFile)('mkfifo', [file]), /no regular file/],
    ['pipe.json', (file) => promisify(execFile)('mkfifo', [file]), /no regular file/],
    ['large.json', (file) => writeFile(file, Buffer.alloc(5_000_001, ' ')), /5000001 bytes/],
    ['large.csv', (file) => writeFile(file, Buffer.alloc(5_000_001, '1\n')), /5000001 bytes/],
    ['broken.json', (file) => writeFile(file, '{"a": '), /not JSON/],
    ['broken.yaml', (file) => writeFile(file, 'a: [&x [1], *x, *y]'), /broken\.yaml/],
    ['chart.png', (file) => writeFile(file, 'PNG'), /no CSV, TSV, JSON/],
    ['chart.html', (file) => writeFile(file, '<script>alert(1)</script>'), /no CSV, TSV, JSON/],
    ['*.csv', (file) => writeFile(file, 'a\n1\n'), /pattern/],
  ];
  const found = await plotsOfFiles(
    cases.map(([name]) => `out/${name}`),
    async (folder) => {
      for (const [name, make] of cases) await make(path.join(folder, name));
    },
  );
  for (const [i, [name, , reason]] of cases.entries()) {
    expect(found[i]?.lines, name).toBeNull();
    expect(found[i]?.reason, name).toMatch(reason);
  }
});

it('says nothing of plots where the model file names none', async () => {
  expect(await plotsOfFiles([], async () => undefined)).toEqual([]);
});
