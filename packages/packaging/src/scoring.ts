import { ConfigurationError, InfrastructureError, type Progress, plainText } from '@passloop/core';
import { type Signature, tensorColumn } from '@passloop/model';
import type { Engine } from './engine.ts';
import { expectAnswer, type InferRequest } from './oip.ts';
import { grpcClient } from './oip-grpc.ts';
import { type StartLimits, startServing } from './start.ts';
import { type Column, type TensorValues, toTensor, type Value } from './tensor.ts';

/** Rows of one request: fixed, since the size of a batch may change the last digit of a sum. */
export const batchRows = 4096;

export type ScoreRequest = {
  engine: Engine;
  /** Image id or `name@sha256:…`. */
  image: string;
  model: string;
  signature: Signature;
  /** The rows of the dataset, as columns. Only the signature's input columns are read and sent. */
  columns: readonly Column[];
  /** Columns that must not reach the image: the label, and what is derived from it. */
  withheld: readonly string[];
  limits?: StartLimits | undefined;
  progress: Progress;
};

export type Scores = { columns: Column[]; rows: number; readySeconds: number; seconds: number };

/**
 * Predictions of an image for the rows of a dataset, in the rows' order: the signature's output columns. The image runs on a
 * network without a way out, and sees no label.
 * @throws ConfigurationError where a column is missing, withheld, or doesn't fit its datatype
 * @throws InfrastructureError where the image doesn't start or refuses rows
 */
export async function scoreByImage(request: ScoreRequest): Promise<Scores> {
  const inputs = selectInputs(request.signature, request.columns, request.withheld);
  request.progress.phase('start the image without network');
  await using serving = await startServing(request.engine, request.image, request.limits);
  request.progress.phase('score by the image');
  const started = performance.now();
  using client = grpcClient(serving.grpcAddress, { timeoutMs: 300_000 });
  const columns = await scoreColumns(client, request.model, request.signature, inputs, (done, total) =>
    request.progress.tick(done, total, 'rows'),
  );
  request.progress.done();
  const rows = inputs[0]?.values.length ?? 0;
  return { columns, rows, readySeconds: serving.readySeconds, seconds: (performance.now() - started) / 1000 };
}

/**
 * The signature's input columns, in its order.
 * @throws ConfigurationError for a missing column, a withheld one, no rows, or columns of different lengths
 */
export function selectInputs(signature: Signature, columns: readonly Column[], withheld: readonly string[]): Column[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const inputs = signature.inputs.map((tensor) => {
    const name = tensorColumn(tensor);
    if (withheld.includes(name)) {
      throw new ConfigurationError(
        `The signature's input ${JSON.stringify(tensor.name)} reads the column ${JSON.stringify(name)}, which is withheld from the model.`,
        { hint: 'A model that reads the label knows the answer. Remove the input from the signature.' },
      );
    }
    const column = byName.get(name);
    if (column === undefined) {
      throw new ConfigurationError(
        `The dataset has no column ${JSON.stringify(name)}; the signature's input ${JSON.stringify(tensor.name)} names it. The dataset has: ${plainText([...byName.keys()].join(', '), 400)}.`,
      );
    }
    return column;
  });
  const rows = inputs[0]?.values.length ?? 0;
  if (rows === 0) throw new ConfigurationError('The dataset has no rows to score.');
  const ragged = inputs.find((column) => column.values.length !== rows);
  if (ragged !== undefined)
    throw new ConfigurationError(
      `Column ${JSON.stringify(ragged.name)} has ${ragged.values.length} values, not ${rows}.`,
    );
  return inputs;
}

type Inferring = { infer(request: InferRequest, contents?: 'raw'): ReturnType<ReturnType<typeof grpcClient>['infer']> };

/** Sends the rows in batches of a fixed size, two at a time, and gathers the output columns in order. */
export async function scoreColumns(
  client: Inferring,
  model: string,
  signature: Signature,
  inputs: readonly Column[],
  onRows: (done: number, total: number) => void = () => {},
): Promise<Column[]> {
  const rows = inputs[0]?.values.length ?? 0;
  const gathered = signature.outputs.map((tensor) => ({ tensor, values: new Array<Value>(rows) }));

  async function scoreFrom(from: number): Promise<void> {
    const to = Math.min(rows, from + batchRows);
    const outputs = await inferRows(client, model, signature, inputs, from, to);
    for (const [index, { values }] of gathered.entries()) {
      for (let row = from; row < to; row += 1) values[row] = outputs[index]?.values[row - from] ?? null;
    }
    onRows(to, rows);
  }

  let next = 0;
  async function worker(): Promise<void> {
    while (next < rows) {
      const from = next;
      next += batchRows;
      await scoreFrom(from);
    }
  }
  await Promise.all([worker(), worker()]);
  return gathered.map(({ tensor, values }) => ({ name: tensorColumn(tensor), values }));
}

/** One request for the rows [from, to): the outputs of the signature, in its order, each with a value for every row. */
async function inferRows(
  client: Inferring,
  model: string,
  signature: Signature,
  inputs: readonly Column[],
  from: number,
  to: number,
): Promise<TensorValues[]> {
  const answered = await client.infer({ model, inputs: inputTensors(signature, inputs, from, to) });
  const answer = expectAnswer(answered, `The question about rows ${from + 1} to ${to}`);
  return signature.outputs.map((tensor) => {
    const output = answer.outputs.find(({ name }) => name === tensor.name);
    if (output === undefined)
      throw new InfrastructureError(`The image gives no output ${JSON.stringify(tensor.name)}.`);
    if (output.datatype !== tensor.datatype) {
      throw new InfrastructureError(
        `Output ${JSON.stringify(tensor.name)} is ${output.datatype}; the signature says ${tensor.datatype}.`,
      );
    }
    if (output.values.length !== to - from) {
      throw new InfrastructureError(
        `Output ${JSON.stringify(tensor.name)} has ${output.values.length} values for ${to - from} rows.`,
      );
    }
    return output;
  });
}

/** The rows that JSON can carry: a number that is missing travels as NaN, by gRPC alone. */
export function plainRows(signature: Signature, inputs: readonly Column[]): number[] {
  const floats = inputs.filter((_, index) => signature.inputs[index]?.datatype.startsWith('FP'));
  const isPlain = (value: Value | undefined) => value !== null && (typeof value !== 'number' || Number.isFinite(value));
  const rows = Array.from({ length: inputs[0]?.values.length ?? 0 }, (_, row) => row);
  return rows.filter((row) => floats.every(({ values }) => isPlain(values[row])));
}

/** The rows [from, to) as tensors of the signature. */
export function inputTensors(
  signature: Signature,
  inputs: readonly Column[],
  from: number,
  to: number,
): TensorValues[] {
  return signature.inputs.map((tensor, index) => ({
    name: tensor.name,
    datatype: tensor.datatype,
    values: toTensor(tensor.datatype, inputs[index] ?? { name: tensorColumn(tensor), values: [] }, from, to),
  }));
}
