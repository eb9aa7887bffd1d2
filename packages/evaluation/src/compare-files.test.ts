import { copyFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { openTables, type TableSession } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareFiles } from './compare-files.ts';
import { parseGateFlag } from './gate-flag.ts';
import { defaultResampling } from './measure.ts';
import { scoredFrame } from './testing/frames.ts';

let folder: TemporaryFolder;
let session: TableSession;
const frame = scoredFrame({ rows: 1500, production: 1, candidate: 1.6 });

function csv(
  side: 'production' | 'candidate',
  withLabels: boolean,
  change: (row: number, label: number) => number = (_row, label) => label,
): string {
  const { score, prediction } = frame[side]!;
  const lines = Array.from(frame.labels, (label, row) =>
    [row, score![row], prediction![row], ...(withLabels ? [change(row, label)] : [])].join(','),
  );
  return `id,s,p${withLabels ? ',y' : ''}\n${lines.join('\n')}\n`;
}
const labels = `id,y\n${Array.from(frame.labels, (label, row) => `${row},${label}`).join('\n')}\n`;

beforeAll(async () => {
  folder = await temporaryFolder('compare-files-test');
  session = await openTables({ threads: 2 });
  const write = (name: string, text: string) => writeFile(path.join(folder.path, name), text);
  await write('a.csv', csv('production', false));
  await write('b.csv', csv('candidate', false));
  await write('a-y.csv', csv('production', true));
  await write('b-y.csv', csv('candidate', true));
  await write(
    'b-other.csv',
    csv('candidate', true, (row, label) => (row === 5 || row === 9 ? 1 - label : label)),
  );
  await write('labels.csv', labels);
  await write('b-twice.csv', csv('candidate', true).replace('\n7,', '\n6,'));
  await write(
    'b-words.csv',
    csv('candidate', true).replace(/,([01])$/gm, (_all, y) => `,${y === '1' ? 'late' : 'fine'}`),
  );
  await copyFile(path.join(folder.path, 'a.csv'), path.join(folder.path, 'a-copy.csv'));
  await symlink('a.csv', path.join(folder.path, 'a-link.csv'));
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function run(
  production: string | string[],
  candidate: string | string[],
  dataset: string | null,
  flags = ['roc_auc:higher:0.005'],
  columns: object = {},
) {
  const source = (uri: string) => ({ uri, root: folder.path });
  return compareFiles({
    session,
    production: [production].flat().map(source),
    candidate: [candidate].flat().map(source),
    dataset: dataset === null ? null : source(dataset),
    columns: { key: ['id'], label: 'y', score: 's', prediction: 'p', ...columns },
    task: null,
    gates: flags.map((flag) => parseGateFlag(flag)),
    resampling: { ...defaultResampling, resamples: 300 },
    inconclusive: 'block',
  });
}

describe('compareFiles', () => {
  it('finds the labels in a dataset, or in either file, and says the same', async () => {
    const [first, ...others] = await Promise.all([
      run('a.csv', 'b.csv', 'labels.csv'),
      run('a-y.csv', 'b.csv', null),
      run('a.csv', 'b-y.csv', null),
      run('a-y.csv', 'b-y.csv', null),
    ]);
    expect(first).toMatchObject({ outcome: 'compared', verdict: 'pass', rows: 1500 });
    expect(first!.production).toEqual({ digest: sha256(csv('production', false)), scoredBy: 'file' });
    for (const other of others) {
      expect(other!.metrics).toEqual(first!.metrics);
      expect(other!.evaluationDigest).toBe(first!.evaluationDigest);
    }
  });

  it('blocks the worse one', async () => {
    const document = await run('b.csv', 'a.csv', 'labels.csv', ['roc_auc:higher:0.005', 'accuracy:higher:0.01']);
    expect(document.verdict).toBe('fail');
    expect(document.metrics[0]!.verdict).toBe('worse');
  });

  it('calls the same bytes in two files unchanged, and says that nothing was compared', async () => {
    const document = await run('a.csv', 'a-copy.csv', 'labels.csv');
    expect(document).toMatchObject({
      outcome: 'unchanged',
      verdict: 'pass',
      metrics: [],
      reason: expect.stringMatching(/same bytes .*nothing was compared/),
    });
  });

  it.each([
    [['accuracy:higher:min=0.999'], 'fail', ['outside']],
    [['accuracy:higher:min=0.5'], 'pass', ['within']],
    [['roc_auc:higher:0.005', 'accuracy:higher:0.01:min=0.999'], 'fail', ['non-inferior', 'outside']],
  ])('holds the same bytes in two files against what the candidate must reach: %s', async (flags, verdict, found) => {
    const document = await run('a.csv', 'a-copy.csv', 'labels.csv', flags);
    expect(document).toMatchObject({ outcome: 'compared', verdict, rows: 1500 });
    expect(document.metrics.map((metric) => metric.verdict)).toEqual(found);
  });

  it.each(['a.csv', './a.csv', 'a-link.csv'])('refuses one file given twice: %s', async (name) => {
    await expect(run('a.csv', name, 'labels.csv')).rejects.toThrow('compared with itself');
  });

  it('tells the task from the metrics, and from the classes where they leave it open', async () => {
    const binary = await run('a.csv', 'b.csv', 'labels.csv', ['accuracy:higher:0.01'], { score: undefined });
    expect(binary.metrics[0]!.method).toBe('Tango score');
    const regression = await run('a.csv', 'b.csv', 'labels.csv', ['mae:lower:0.1'], {
      score: undefined,
      prediction: 's',
    });
    expect(regression.metrics[0]!.verdict).toBe('better');
    await expect(run('a.csv', 'b.csv', 'labels.csv', ['mae:lower:0.1', 'f1:higher:0.1'])).rejects.toThrow(
      'No task has all these metrics: mae, f1.',
    );
  });

  it.each([
    [
      'no labels anywhere',
      'a.csv',
      'b.csv',
      null,
      {},
      /b\.csv of the candidate has no column `y`; --label names it\. Nor has a\.csv of production\. The file has: id, s, p\./,
    ],
    [
      'labels that differ',
      'a-y.csv',
      'b-other.csv',
      null,
      {},
      /^The labels \(`y`\) of a-y\.csv of production and b-other\.csv of the candidate differ in 2 of 1500 rows \(id: 5, 9\)\./,
    ],
    [
      'a key that repeats',
      'a-y.csv',
      'b-twice.csv',
      null,
      {},
      /^b-twice\.csv of the candidate has 1 keys \(`id`\) that more than one row has/,
    ],
    [
      'labels of another kind',
      'a-y.csv',
      'b-words.csv',
      null,
      {},
      /^The labels \(`y`\) of a-y\.csv of production and b-words\.csv of the candidate differ in 1500 of 1500 rows/,
    ],
    [
      'a missing column',
      'a.csv',
      'b.csv',
      'labels.csv',
      { score: 'proba' },
      /a\.csv of production has no column `proba`; --score names it/,
    ],
    [
      'a metric without its column',
      'a.csv',
      'b.csv',
      'labels.csv',
      { score: undefined },
      /The metric roc_auc needs --score, which is not given/,
    ],
    ['a missing file', 'a.csv', 'nowhere.csv', 'labels.csv', {}, /nowhere\.csv/],
  ])('refuses %s', async (_name, production, candidate, dataset, columns, message) => {
    await expect(run(production, candidate, dataset, undefined, columns)).rejects.toThrow(message);
  });

  it('refuses to compare by nothing', async () => {
    await expect(run('a.csv', 'b.csv', 'labels.csv', [])).rejects.toThrow('No metric is given');
  });

  it('fails a gate whose slice column the dataset lacks', async () => {
    const document = await run('a.csv', 'b.csv', 'labels.csv', ['roc_auc:higher:0.005:slice=hub']);
    expect(document).toMatchObject({ verdict: 'fail' });
  });
});
