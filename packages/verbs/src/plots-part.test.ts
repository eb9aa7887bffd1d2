import { execFile } from 'node:child_process';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
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
  const vega = (url: string) => JSON.stringify({ mark: 'line', encoding: { x: { field: 'a' } }, data: { url } });
  const cases: [name: string, make: (file: string) => Promise<unknown>, reason: RegExp][] = [
    [
      'away.vl.json',
      (file) => writeFile(file, vega('https://evil.example/x.csv')),
      /an address, and nothing is fetched/,
    ],
    ['scheme.json', (file) => writeFile(file, vega('file:///etc/passwd')), /an address, and nothing is fetched/],
    ['whose.json', (file) => writeFile(file, vega('//evil.example/x.csv')), /an address, and nothing is fetched/],
    ['root.json', (file) => writeFile(file, vega('/etc/secret.csv')), /is not read: there is no such file/],
    ['above.json', (file) => writeFile(file, vega('../../secret.csv')), /not a path inside/],
    [
      'nowhere.json',
      (file) => writeFile(file, vega('none.csv')),
      /its data "none\.csv" is not read: there is no such file/,
    ],
    [
      'itself.json',
      (file) => writeFile(file, vega('itself.json')),
      /its data "itself\.json" is not read: it holds no list/,
    ],
    [
      'deep.json',
      (file) => writeFile(file, `{"mark": "bar", "data": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
      /deeply/,
    ],
    [
      'template.json',
      (file) => writeFile(file, '{"mark": "bar", "data": {"values": "<DVC_METRIC_DATA>"}}'),
      /template of DVC/,
    ],
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
    expect([found[i]?.lines, found[i]?.spec], name).toEqual([null, undefined]);
    expect(found[i]?.reason, name).toMatch(reason);
  }
});

it('takes specifications as data, with the numbers that they name beside them', async () => {
  const show = new URL('../../evaluation/src/fixtures/dvc-plots-show.json', import.meta.url);
  const spec = {
    title: 'Loss',
    data: { url: 'l.csv' },
    mark: 'line',
    encoding: { x: { field: 'step' }, y: { field: 'loss' } },
  };
  const found = await plotsOfFiles(['out/a.vl.json', { path: 'out/show.json', title: 'DVC' }], async (folder) => {
    await writeFile(path.join(folder, 'l.csv'), 'step,loss,other\n0,0.9,a\n1,0.5,b\n');
    await writeFile(path.join(folder, 'a.vl.json'), JSON.stringify(spec));
    await copyFile(show, path.join(folder, 'show.json'));
  });
  expect(found.map(({ title, reason }) => [title, reason])).toEqual([
    ['out/a.vl.json', null],
    ['DVC: loss.csv', null],
  ]);
  const values = [
    { step: 0, loss: 0.9 },
    { step: 1, loss: 0.5 },
  ];
  expect(JSON.parse(found[0]?.spec ?? '')).toEqual({ ...spec, data: { format: {}, values } });
  expect(JSON.parse(found[1]?.spec ?? '').data.values).toHaveLength(8);
});

it('fills a template of the team’s own, from the outputs or from beside the model file', async () => {
  const template = {
    data: { values: '<DVC_METRIC_DATA>' },
    mark: 'line',
    encoding: { y: { field: '<DVC_METRIC_Y>' } },
  };
  const plot = (name: string): PlotFile => ({ path: 'out/l.csv', template: name });
  const found = await plotsOfFiles(
    [plot('out/t.json'), plot('t.json'), plot('none.json'), plot('out/l.json')],
    async (folder) => {
      await writeFile(path.join(folder, 'l.csv'), 'loss\n0.9\n0.5\n');
      await writeFile(path.join(folder, 'l.json'), '[{"a": 1}]');
      await writeFile(path.join(folder, 't.json'), JSON.stringify(template));
      await writeFile(path.join(folder, '../../t.json'), JSON.stringify({ ...template, mark: 'bar' }));
    },
  );
  expect(found.map(({ spec }) => spec && JSON.parse(spec).mark)).toEqual(['line', 'bar', undefined, undefined]);
  expect(JSON.parse(found[0]?.spec ?? '')).toMatchObject({
    data: { values: [{ loss: 0.9 }, { loss: 0.5 }] },
    encoding: { y: { field: 'loss' } },
  });
  expect(found[2]?.reason).toMatch(/none\.json is neither among the outputs nor beside the model file/);
  expect(found[3]?.reason).toMatch(/out\/l\.json is no Vega-Lite specification/);
});

it('says nothing of plots where the model file names none', async () => {
  expect(await plotsOfFiles([], async () => undefined)).toEqual([]);
});
