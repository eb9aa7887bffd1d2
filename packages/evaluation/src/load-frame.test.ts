import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { formatDocument } from '@passloop/documents';
import { createRandom } from '@passloop/statistics';
import { openTables, quoteText, type TableSession, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareModels } from './compare.ts';
import { predictionsOf } from './frame.ts';
import { type FrameQuestion, loadFrame } from './load-frame.ts';
import { createGate, createRequest } from './testing/frames.ts';

let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('evaluation-test');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

let files = 0;
/** A new folder with these files; JSON lines where rows are given. */
async function write(contents: Record<string, string | object[]>): Promise<string> {
  files += 1;
  const root = path.join(folder.path, String(files));
  await mkdir(root);
  for (const [name, content] of Object.entries(contents)) {
    const text = typeof content === 'string' ? content : content.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeFile(path.join(root, name), text);
  }
  return root;
}

const dataset = 'id,y,hub\n1,0,small\n2,1,large\n3,0,\n4,1,large\n';
const production = 'id,s,p\n1,0.1,0\n2,0.8,1\n3,0.4,0\n4,0.6,1\n';
const candidate = 'id,s,p\n4,0.9,1\n3,0.2,0\n2,0.7,0\n1,0.3,1\n';
const columns = { key: ['id'], label: 'y', score: 's', prediction: 'p', positive: 1 };

type Files = { dataset?: string | object[]; production?: string | object[] | null; candidate?: string | object[] };

async function load(contents: Files, question: Partial<FrameQuestion> = {}) {
  const given = { dataset, production, candidate, ...contents };
  const name = (role: keyof typeof given) => `${role}.${typeof given[role] === 'string' ? 'csv' : 'jsonl'}`;
  const root = await write(
    Object.fromEntries(
      (['dataset', 'production', 'candidate'] as const).flatMap((role) => {
        const content = given[role];
        return content === null ? [] : [[name(role), content]];
      }),
    ),
  );
  const source = (role: keyof typeof given) => ({ uri: name(role), root });
  return loadFrame({
    session,
    task: 'binary',
    columns,
    slices: [],
    dataset: source('dataset'),
    production: given.production === null ? null : source('production'),
    candidate: source('candidate'),
    ...question,
  });
}

async function refusal(contents: Files, question: Partial<FrameQuestion> = {}): Promise<string> {
  const error = await load(contents, question).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigurationError)) throw new Error(`it was not refused: ${String(error)}`);
  expect(error.exitCode).toBe(2);
  return error.message;
}

describe('loadFrame', () => {
  it('joins by key in the order of the key; labels and slices come from the dataset', async () => {
    const frame = await load({}, { slices: ['hub'] });

    expect(frame).toEqual({
      task: 'binary',
      rows: 4,
      evaluationDigest: sha256('[1,0]\n[2,1]\n[3,0]\n[4,1]\n'),
      classes: ['0', '1'],
      labels: Float64Array.of(0, 1, 0, 1),
      weights: null,
      units: null,
      declared: {},
      production: predictionsOf({
        score: Float64Array.of(0.1, 0.8, 0.4, 0.6),
        prediction: Float64Array.of(0, 1, 0, 1),
      }),
      candidate: predictionsOf({ score: Float64Array.of(0.3, 0.7, 0.2, 0.9), prediction: Float64Array.of(1, 0, 0, 1) }),
      slices: [{ column: 'hub', codes: Uint32Array.of(1, 0, 2, 0), values: ['large', 'small', '(null)'] }],
    });
  });

  it('does not believe a label, a slice or a score that stands in the wrong file', async () => {
    const honest = await load({}, { slices: ['hub'] });
    const forged = await load(
      {
        dataset: 'id,y,hub,s,p\n1,0,small,1,1\n2,1,large,1,1\n3,0,,1,1\n4,1,large,1,1\n',
        candidate: 'id,s,p,y,hub\n4,0.9,1,1,a\n3,0.2,0,1,b\n2,0.7,0,0,c\n1,0.3,1,1,d\n',
      },
      { slices: ['hub'] },
    );

    expect(forged).toEqual(honest);
  });

  it('loads a first candidate alone, and leaves out a slice that the dataset lacks', async () => {
    const frame = await load({ production: null }, { slices: ['hub', 'country'] });

    expect(frame.production).toBeNull();
    expect(frame.slices.map(({ column }) => column)).toEqual(['hub']);
  });

  it('joins by several key columns', async () => {
    const keyed = (rows: string) => rows.replace('id', 'id,day').replaceAll(/^(\d),/gm, '1,2026-01-0$1,');
    const frame = await load(
      { dataset: keyed(dataset), production: keyed(production), candidate: keyed(candidate) },
      { columns: { ...columns, key: ['id', 'day'] } },
    );

    expect(frame.candidate.score).toEqual(Float64Array.of(0.3, 0.7, 0.2, 0.9));
    expect(frame.evaluationDigest).toBe(
      sha256([0, 1, 0, 1].map((label, i) => `[1,"2026-01-0${i + 1}",${label}]\n`).join('')),
    );
  });
});

describe('classes', () => {
  const rows = (label: unknown[], prediction: unknown[]) => ({
    dataset: label.map((y, id) => ({ id, y })),
    production: null,
    candidate: prediction.map((p, id) => ({ id, p })),
  });
  const question = (positive?: string | number | boolean): Partial<FrameQuestion> => ({
    columns: { key: ['id'], label: 'y', prediction: 'p', positive },
  });

  it.each([
    ['integers by text', [0, 1, 1], ['0', '1', '0'], 1],
    ['text by integers', ['0', '1', '1'], [0, 1, 0], '1'],
    ['integers by floats', [0, 1, 1], [0.0, 1.5 - 0.5, 0], 1],
    ['integers by booleans', [0, 1, 1], [false, true, false], true],
    ['booleans by integers', [false, true, true], [0, 1, 0], 1],
    ['booleans by text', [false, true, true], ['False', 'True', 'False'], 'true'],
    ['integers, the positive class from a flag', [0, 1, 1], [0, 1, 0], '1'],
    ['text', ['no', 'yes', 'yes'], ['no', 'yes', 'no'], 'yes'],
    ['no positive class given', [0, 1, 1], [0, 1, 0], undefined],
    ['-1 and 1', [-1, 1, 1], [-1, 1, -1], undefined],
  ])('matches %s', async (_name, label, prediction, positive) => {
    const frame = await load(rows(label, prediction), question(positive));

    expect(frame.labels).toEqual(Float64Array.of(0, 1, 1));
    expect(frame.candidate.prediction).toEqual(Float64Array.of(0, 1, 0));
  });

  it('codes the positive class 1, whichever it is', async () => {
    const frame = await load(rows([0, 1, 1], [0, 1, 0]), question(0));

    expect(frame.classes).toEqual(['1', '0']);
    expect(frame.labels).toEqual(Float64Array.of(1, 0, 0));
  });

  it('tells classes and slices apart by what is written after a NUL, and by quotes', async () => {
    const texts = ['a', 'a\0', "a\0'); --", "a''"];
    const rows = texts.map((y, id) => ({ id, y, hub: texts[3 - id] }));
    const said = texts.map((p, id) => ({ id, p }));
    const frame = await load(
      { dataset: rows, production: said, candidate: said.map(({ id }) => ({ id, p: texts[(id + 1) % 4] })) },
      { task: 'multiclass', slices: ['hub'], columns: { key: ['id'], label: 'y', prediction: 'p' } },
    );

    const written = (codes: Iterable<number>, values: readonly string[]) => Array.from(codes, (code) => values[code]);
    expect(written(frame.labels, frame.classes)).toEqual(texts);
    expect(written(frame.candidate.prediction!, frame.classes)).toEqual([...texts.slice(1), texts[0]]);
    expect(written(frame.slices[0]!.codes, frame.slices[0]!.values)).toEqual(texts.toReversed());
  });

  it('counts a class that only a multiclass model predicts as a mistake', async () => {
    const frame = await load(rows(['a', 'b', 'c'], ['a', 'x', 'c']), { task: 'multiclass', ...question() });

    expect(frame.classes).toEqual(['a', 'b', 'c', 'x']);
    expect(frame.candidate.prediction).toEqual(Float64Array.of(0, 3, 2));
  });

  const where = 'candidate.jsonl of the candidate: `p` holds';
  it.each([
    [
      'other words',
      [0, 1, 1],
      ['no', 'yes', 'no'],
      1,
      `${where} no, yes; columns.prediction names it, and the labels in \`y\` of dataset.jsonl are 0, 1.`,
    ],
    ['a score as prediction', [0, 1, 1], [0.25, 0.75, 1], 1, `${where} 0.25, 0.75; columns.prediction names it`],
    ['a third class', ['n', 'y', 'y'], ['n', 'y', 'z'], 'y', `${where} z;`],
    ['a constant label', [1, 1, 1], [0, 1, 0], 1, 'The label `y` of dataset.jsonl is 1 in every row'],
    [
      'three classes',
      [0, 1, 2],
      [0, 1, 2],
      1,
      'The label `y` of dataset.jsonl has 3 classes (0, 1, 2); a binary task has two.',
    ],
    [
      'a positive class that no row has',
      [0, 1, 1],
      [0, 1, 0],
      'yes',
      'No label in `y` of dataset.jsonl is "yes", which columns.positive names the positive class. Its values are 0, 1.',
    ],
    [
      'no word for the positive class',
      ['no', 'yes', 'yes'],
      ['no', 'yes', 'no'],
      undefined,
      'The label `y` of dataset.jsonl is no or yes: which of them is the positive class?',
    ],
    ['one class in two writings', ['1', '01', '0'], [0, 1, 0], 1, 'one class in several writings: "0", "01", "1"'],
    ['an empty label', [null, null, null], [0, 1, 0], 1, 'The label `y` of dataset.jsonl is empty in every row.'],
    [
      'a missing label',
      [0, 1, null],
      [0, 1, 0],
      1,
      'dataset.jsonl: `y` is NULL, NaN or infinite in 1 of 3 rows (id: 2); columns.label names it.',
    ],
    [
      'a missing prediction',
      [0, 1, 1],
      [0, null, 1],
      1,
      'candidate.jsonl of the candidate: `p` is NULL, NaN or infinite in 1 of 3 rows (id: 1); columns.prediction names it.',
    ],
    [
      'lists',
      [0, 1, 1],
      [[0], [1], [0]],
      1,
      '`p` is BIGINT[]; columns.prediction names it, and one plain value a row is needed.',
    ],
  ])('refuses %s', async (_name, label, prediction, positive, message) => {
    expect(await refusal(rows(label, prediction), question(positive))).toContain(message);
  });

  it('refuses multiclass predictions that have no class in common with the labels', async () => {
    const contents = rows(['a', 'b', 'c'], ['A', 'B', 'C']);

    expect(await refusal(contents, { task: 'multiclass', ...question() })).toContain(`${where} A, B, C;`);
  });

  it('refuses an id as a label', async () => {
    const ids = Array.from({ length: 1002 }, (_, id) => id);

    expect(await refusal(rows(ids, ids), { task: 'multiclass', ...question() })).toContain(
      'dataset.jsonl: `y` has more than 1000 values; columns.label names it, and its values are classes.',
    );
  });
});

describe('what loadFrame refuses', () => {
  const cases: [string, Files, Partial<FrameQuestion>, string][] = [
    [
      'a missing score',
      { candidate: 'id,p,proba\n1,0,0\n' },
      {},
      'candidate.csv of the candidate has no column `s`; columns.score names it. The file has: id, p, proba.',
    ],
    [
      'a missing prediction',
      { production: 'id,s\n1,0\n' },
      {},
      'production.csv of production has no column `p`; columns.prediction names it. The file has: id, s.',
    ],
    [
      'a missing label',
      { dataset: 'id,late\n1,0\n' },
      {},
      'dataset.csv has no column `y`; columns.label names it. The file has: id, late.',
    ],
    [
      'a missing key',
      { candidate: 'row,s,p\n1,0,0\n' },
      {},
      'candidate.csv of the candidate has no column `id`; columns.key names it. The file has: row, s, p.',
    ],
    ['a column in other letters', { candidate: 'ID,s,p\n1,0,0\n' }, {}, 'has no column `id`'],
    [
      'repeated keys',
      { candidate: `${candidate}4,0.1,0\n2,0.5,1\n` },
      {},
      'candidate.csv of the candidate has 2 keys (`id`) that more than one row has, in 4 rows. The first: 2, 4.',
    ],
    ['repeated keys of the dataset', { dataset: `${dataset}1,1,small\n` }, {}, 'dataset.csv has 1 keys'],
    [
      'a row without key',
      { production: `${production},0.5,1\n` },
      {},
      'production.csv of production has 1 rows without a key',
    ],
    ['an empty dataset', { dataset: 'id,y\n' }, {}, 'dataset.csv has no rows.'],
    ['empty predictions', { candidate: 'id,s,p\n' }, {}, 'candidate.csv of the candidate has no rows.'],
    [
      'missing rows',
      { candidate: 'id,s,p\n1,0.1,0\n2,0.5,1\n' },
      {},
      'candidate.csv of the candidate has other rows than dataset.csv: 2 rows are missing (id: 3, 4).',
    ],
    [
      'extra rows',
      { production: `${production}7,0.1,0\n` },
      {},
      'production.csv of production has other rows than dataset.csv: 1 rows are not in the dataset (id: 7).',
    ],
    [
      'as many, but other rows',
      { candidate: candidate.replace('\n4', '\n9') },
      {},
      'has other rows than dataset.csv: 1 rows are missing (id: 4), 1 rows are not in the dataset (id: 9).',
    ],
    [
      'a key of another type',
      { candidate: candidate.replace('\n1,', '\none,') },
      {},
      'The key `id` is integer in dataset.csv and string in candidate.csv of the candidate',
    ],
    [
      'a NaN score',
      { candidate: candidate.replace('0.9', 'nan') },
      {},
      'candidate.csv of the candidate: `s` is NULL, NaN or infinite in 1 of 4 rows (id: 4); columns.score names it.',
    ],
    [
      'an infinite score',
      { production: production.replace('0.8', 'inf') },
      {},
      '`s` is NULL, NaN or infinite in 1 of 4 rows (id: 2)',
    ],
    [
      'an absent score',
      { production: production.replace('0.8', '').replace('0.1', '') },
      {},
      '`s` is NULL, NaN or infinite in 2 of 4 rows (id: 1, 2)',
    ],
    [
      'text as score',
      { candidate: candidate.replace('0.9', 'high') },
      {},
      'candidate.csv of the candidate: `s` is NaN, infinite or no number in 1 of 4 rows (id: 4); columns.score names it.',
    ],
    [
      'a missing score as R writes it',
      { production: production.replace('0.8', 'NA').replace('0.1', 'Inf') },
      {},
      '`s` is NaN, infinite or no number in 2 of 4 rows (id: 1, 2)',
    ],
    [
      'a score that is no probability',
      { candidate: candidate.replace('0.9', '1.5') },
      { metrics: ['roc_auc', 'log_loss', 'brier'] },
      '`s` is outside 0..1 (log_loss, brier: probabilities are needed) in 1 of 4 rows (id: 4); columns.score names it.',
    ],
    [
      'a score that is the same in every row',
      { candidate: 'id,s,p\n4,0.5,1\n3,0.5,0\n2,0.5,0\n1,0.5,1\n' },
      { metrics: ['roc_auc'] },
      'candidate.csv of the candidate: `s` is 0.5 in every row; columns.score names it, and a constant score tells no rows apart.',
    ],
    [
      'the same of production',
      { production: 'id,s,p\n1,1,0\n2,1,1\n3,1,0\n4,1,1\n' },
      { metrics: ['accuracy'] },
      'production.csv of production: `s` is 1 in every row',
    ],
    [
      'a metric without its column',
      {},
      { metrics: ['roc_auc'], columns: { ...columns, score: undefined } },
      'The metric roc_auc needs columns.score, which is not given.',
    ],
    [
      'neither score nor prediction',
      {},
      { columns: { key: ['id'], label: 'y' } },
      'Neither columns.score nor columns.prediction is given',
    ],
    [
      'a ranking without queries',
      {},
      { task: 'ranking' },
      'columns.query is not given: a ranking is measured query by query.',
    ],
    [
      'a constant label of a regression',
      { dataset: 'id,y\n1,5\n2,5\n3,5\n4,5\n' },
      { task: 'regression' },
      'The label `y` of dataset.csv is 5 in every row.',
    ],
    [
      'text as label of a regression',
      { dataset: 'id,y\n1,a\n2,b\n3,c\n4,d\n' },
      { task: 'regression' },
      'dataset.csv: `y` is NaN, infinite or no number in 4 of 4 rows (id: 1, 2, 3, 4); columns.label names it.',
    ],
  ];

  it.each(cases)('%s', async (_name, contents, question, message) => {
    expect(await refusal(contents, question)).toContain(message);
  });

  it('names a field as the caller does', async () => {
    const message = await refusal({ candidate: 'id,p\n1,0\n' }, { fieldName: (field) => `--${field}` });

    expect(message).toContain('has no column `s`; --score names it.');
  });

  it('more than 200 values of a slice, or a value that is no name', async () => {
    const many = Array.from({ length: 201 }, (_, id) => id);
    const wide = {
      dataset: many.map((id) => ({ id, y: id % 2, hub: `h${id}`, note: id === 3 ? 'x'.repeat(300) : 'y' })),
      production: null,
      candidate: many.map((id) => ({ id, s: id / 201, p: 0 })),
    };

    expect(await refusal(wide, { slices: ['hub'] })).toBe(
      'dataset.jsonl: `hub` has more than 200 values: too many to slice by.',
    );
    expect(await refusal(wide, { slices: ['note'] })).toContain('`note` has values of more than 256 characters');
    wide.dataset.pop();
    wide.candidate.pop();
    expect((await load(wide, { slices: ['hub'] })).slices[0]?.values).toHaveLength(200);
  });
});

describe('the same rows', () => {
  const random = createRandom(3);
  const rows = Array.from({ length: 7000 }, (_, i) => {
    const label = random.uniform() < 0.3 ? 1 : 0;
    return {
      id: i * 7 + 11,
      y: label,
      hub: ['large', 'o\'small, "x"', null, 'ü'][random.integer(4)] as string | null,
      tier: random.integer(12),
      old: Math.min(1, Math.max(0, 0.3 * label + 0.7 * random.uniform())),
      fresh: Math.min(1, Math.max(0, 0.35 * label + 0.65 * random.uniform())),
    };
  });
  const parts = {
    dataset: (row: (typeof rows)[0]) => ({ id: row.id, y: row.y, hub: row.hub, tier: row.tier }),
    production: (row: (typeof rows)[0]) => ({ id: row.id, s: row.old, p: row.old > 0.5 ? 1 : 0 }),
    candidate: (row: (typeof rows)[0]) => ({ id: row.id, s: row.fresh, p: row.fresh > 0.5 ? 1 : 0 }),
  };
  type Part = keyof typeof parts;

  function shuffled<T>(values: readonly T[], seed: number): T[] {
    const draw = createRandom(seed);
    const result = [...values];
    for (let i = result.length - 1; i > 0; i -= 1) {
      const j = draw.integer(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  const csvCell = (value: unknown) =>
    value === null ? '' : typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : String(value);
  function text(part: Part, seed: number, format: 'csv' | 'jsonl'): string {
    const records = shuffled(rows, seed).map((row): object => parts[part](row));
    if (format === 'jsonl') return records.map((record) => `${JSON.stringify(record)}\n`).join('');
    return `${Object.keys(records[0]!).join(',')}\n${records.map((record) => `${Object.values(record).map(csvCell).join(',')}\n`).join('')}`;
  }

  async function documentOf(root: string, ending: string, threads: number): Promise<string> {
    await using own = await openTables({ threads });
    const metrics = ['log_loss', 'roc_auc', 'accuracy', 'f1', 'balanced_accuracy'];
    const frame = await loadFrame({
      session: own,
      task: 'binary',
      columns,
      slices: ['hub', 'tier'],
      metrics,
      dataset: { uri: `dataset.${ending}`, root },
      production: { uri: `production.${ending}`, root },
      candidate: { uri: `candidate.${ending}`, root },
    });
    const gates = metrics.map((metric) =>
      createGate({
        metric,
        direction: metric === 'log_loss' ? 'lower' : 'higher',
        margin: 0.01,
        slices: metric === 'log_loss' ? ['hub'] : metric === 'roc_auc' ? ['hub', 'tier'] : [],
      }),
    );
    return formatDocument(
      'comparison',
      compareModels(createRequest({ gates, frame, resampling: { resamples: 200, seed: 7, level: 0.95 } })),
    );
  }

  it('give the same bytes, shuffled, in CSV, JSON lines and Parquet, ten times on two threads', async () => {
    const root = await write(
      Object.fromEntries(
        Object.keys(parts).flatMap((part, i) => [
          [`${part}.csv`, text(part as Part, 10 + i, 'csv')],
          [`${part}.jsonl`, text(part as Part, 20 + i, 'jsonl')],
        ]),
      ),
    );
    for (const part of Object.keys(parts)) {
      const { relation } = await session.open({ uri: `${part}.jsonl`, root });
      // Narrow types, in one more order.
      const narrow = part === 'dataset' ? 'y::TINYINT AS y, tier::SMALLINT AS tier' : 'p::UTINYINT AS p';
      await writeParquet(
        session,
        `SELECT * REPLACE (id::INTEGER AS id, ${narrow}) FROM ${relation} ORDER BY hash(id::VARCHAR || ${quoteText(part)})`,
        path.join(root, `${part}.parquet`),
      );
    }

    const documents = new Set<string>();
    for (const ending of ['csv', 'jsonl', 'parquet']) documents.add(await documentOf(root, ending, 2));
    for (let run = 0; run < 10; run += 1) documents.add(await documentOf(root, 'parquet', 1 + (run % 2)));

    expect(documents.size).toBe(1);
    const [document] = [...documents].map((one) => JSON.parse(one));
    expect(document.rows).toBe(7000);
    expect(document.slices).toHaveLength(4 + 4 + 12);
    expect(document.slices.map((one: { slice: { value: string } }) => one.slice.value).slice(8)).toEqual(
      Array.from({ length: 12 }, (_, tier) => String(tier)),
    );
  });
});
