import { Signature } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { batchRows, inputTensors, plainRows, scoreColumns, selectInputs } from './scoring.ts';
import { timedRequests } from './side-by-side.ts';

const signature = Signature.parse({
  inputs: [
    { name: 'distance', column: 'miles', datatype: 'FP64' },
    { name: 'origin', datatype: 'BYTES' },
  ],
  outputs: [{ name: 'score', column: 'p', datatype: 'FP64' }],
});
const columns = [
  { name: 'late', values: [0, 1] },
  { name: 'origin', values: ['ATL', 'LAX'] },
  { name: 'miles', values: [1, 2] },
];

describe('rows for REST', () => {
  const asked = (miles: (number | null)[], origin = miles.map(() => 'ATL')) => [
    { name: 'miles', values: miles },
    { name: 'origin', values: origin },
  ];

  it('are those without a missing number', () => {
    expect(plainRows(signature, selectInputs(signature, asked([null, 1, Number.NaN, 2, Infinity]), []))).toEqual([
      1, 3,
    ]);
  });

  it('are timed one by one, from all over the dataset', () => {
    const miles = Array.from({ length: 200 }, (_, row) => (row < 100 ? null : row));
    const { rows } = timedRequests({ model: 'm', signature, columns: asked(miles), withheld: [] });
    const timed = rows.map(([distance]) => distance?.values);
    expect(timed).toHaveLength(64);
    expect([timed[0], timed.at(-1)]).toEqual([[100], [198]]);
  });

  it('are none where each lacks a number', () => {
    const columns = asked([null, Number.NaN]);
    expect(() => timedRequests({ model: 'm', signature, columns, withheld: [] })).toThrow(/by gRPC alone/);
  });
});

describe('selectInputs', () => {
  it("takes the signature's columns in its order, and no other", () => {
    expect(selectInputs(signature, columns, ['late']).map(({ name }) => name)).toEqual(['miles', 'origin']);
  });

  it('refuses a model that wants to see what is withheld', () => {
    expect(() => selectInputs(signature, columns, ['miles'])).toThrow(/reads the column "miles", which is withheld/);
  });

  it('names the missing column and those that are there', () => {
    expect(() => selectInputs(signature, columns.slice(0, 2), [])).toThrow(
      /no column "miles".*The dataset has: late, origin/,
    );
  });

  it('refuses nothing, and columns of different lengths', () => {
    expect(() =>
      selectInputs(
        signature,
        columns.map(({ name }) => ({ name, values: [] })),
        [],
      ),
    ).toThrow(/no rows/);
    expect(() => selectInputs(signature, [{ name: 'miles', values: [1] }, ...columns.slice(1, 2)], [])).toThrow(
      /2 values, not 1/,
    );
  });
});

describe('scoreColumns', () => {
  const rows = batchRows * 2 + 3;
  const inputs = [
    { name: 'miles', values: Array.from({ length: rows }, (_, row) => row) },
    { name: 'origin', values: new Array<string>(rows).fill('ATL') },
  ];

  it('keeps the order of rows, whichever batch is answered first', async () => {
    let inFlight = 0;
    let most = 0;
    const sizes: number[] = [];
    const client = {
      async infer(request: { inputs: readonly { values: unknown[] }[] }) {
        inFlight += 1;
        most = Math.max(most, inFlight);
        const values = (request.inputs[0]?.values ?? []) as number[];
        sizes.push(values.length);
        await new Promise((resolve) => setTimeout(resolve, sizes.length === 1 ? 30 : 1));
        inFlight -= 1;
        const outputs = [{ name: 'score', datatype: 'FP64', values: values.map((value) => value / 2) }];
        return { ok: true as const, value: { modelName: 'm', modelVersion: null, id: null, outputs } };
      },
    };
    const [scored] = await scoreColumns(client, 'm', signature, inputs);
    expect(scored?.name).toBe('p');
    expect(scored?.values).toEqual(inputs[0]?.values.map((value) => (value as number) / 2));
    expect(sizes).toEqual([batchRows, batchRows, 3]);
    expect(most).toBe(2);
  });

  it.each([
    ['a missing output', [], /no output "score"/],
    ['another datatype', [{ name: 'score', datatype: 'FP32', values: [1, 2] }], /is FP32; the signature says FP64/],
    ['too few values', [{ name: 'score', datatype: 'FP64', values: [1] }], /1 values for 2 rows/],
  ])('refuses %s', async (_what, outputs, message) => {
    const client = {
      infer: async () => ({ ok: true as const, value: { modelName: 'm', modelVersion: null, id: null, outputs } }),
    };
    const two = inputs.map(({ name, values }) => ({ name, values: values.slice(0, 2) }));
    await expect(scoreColumns(client, 'm', signature, two)).rejects.toThrow(message);
  });

  it('tells which rows were refused', async () => {
    const refusal = { status: 'INTERNAL', message: 'no', wellFormed: true };
    const client = { infer: async () => ({ ok: false as const, refusal }) };
    await expect(scoreColumns(client, 'm', signature, inputs)).rejects.toThrow(
      /The question about rows 1 to 4096 was answered INTERNAL: no/,
    );
  });
});

it('makes tensors of rows', () => {
  const tensors = inputTensors(signature, selectInputs(signature, columns, []), 1, 2);
  expect(tensors).toEqual([
    { name: 'distance', datatype: 'FP64', values: [2] },
    { name: 'origin', datatype: 'BYTES', values: ['LAX'] },
  ]);
});
