import type { Signature } from '@passloop/model';
import type { Answered, InferAnswer, ModelMetadata, TensorMetadata } from './oip.ts';
import { expectAnswer } from './oip.ts';
import type { GrpcClient } from './oip-grpc.ts';
import { modelPath, type RestClient, refusalOf } from './oip-rest.ts';
import { type CheckList, type Finding, fail, skipped, warn } from './probe-checks.ts';
import { samePrediction } from './skew.ts';
import { datatypes, type TensorValues } from './tensor.ts';

/** What the prober asks a server with: a model, and a few rows as tensors. */
export type ProbeSubject = {
  model: string;
  signature: Signature | null;
  /** Row by row the same length in every tensor; null where neither rows nor metadata could give any. */
  inputs: readonly TensorValues[] | null;
  /** True where the rows were made up from the metadata: a model may refuse them in good faith. */
  madeUp: boolean;
};

const hugeBody = 2 ** 40;

/** Health, metadata and the signature, by REST. @returns the model's metadata, where it was given */
export async function checkRestBasics(
  list: CheckList,
  rest: RestClient,
  subject: ProbeSubject,
): Promise<ModelMetadata | null> {
  let metadata: ModelMetadata | null = null;
  await list.run('oip.rest.live', async () => status(await rest.live()));
  await list.run('oip.rest.ready', async () => status(await rest.ready()));
  await list.run('oip.rest.server-metadata', async () => {
    const server = expectAnswer(await rest.serverMetadata(), 'The server metadata');
    return `${server.name} ${server.version} [${server.extensions.join(', ')}]`;
  });
  await list.run('oip.rest.model-ready', async () => status(await rest.modelReady(subject.model)));
  await list.run('oip.rest.model-metadata', async () => {
    metadata = expectAnswer(await rest.modelMetadata(subject.model), 'The model metadata');
    return metadataFinding(metadata, subject.model);
  });
  if (subject.signature !== null) {
    const signature = subject.signature;
    await list.run('oip.rest.signature', async () =>
      metadata === null ? fail('There is no metadata to compare.') : signatureFinding(metadata, signature),
    );
  }
  return metadata;
}

/** Inference by REST: the answer's form, the id, chosen outputs, and n rows at once as n rows apart. */
export async function checkRestInfer(
  list: CheckList,
  rest: RestClient,
  subject: ProbeSubject,
): Promise<InferAnswer | null> {
  const { model, inputs } = subject;
  if (inputs === null) {
    await list.run('oip.rest.infer', async () => fail('There are no rows to ask with.'));
    return null;
  }
  let answer: InferAnswer | null = null;
  const asked = await list.run('oip.rest.infer', async () => {
    const id = 'passloop-7f3a';
    const answered = await rest.infer({ model, id, inputs });
    if (!answered.ok && subject.madeUp)
      return warn(`The made-up rows were refused: ${answered.refusal.status} ${answered.refusal.message}`);
    answer = expectAnswer(answered, 'The inference');
    return answerFinding(answer, subject, id);
  });
  const golden = answer as InferAnswer | null;
  if (!asked || golden === null) return null;
  await list.run('oip.rest.infer.outputs-filter', async () => {
    const wanted = golden.outputs.at(-1)?.name ?? '';
    const chosen = expectAnswer(await rest.infer({ model, inputs, outputs: [wanted] }), 'The request for one output');
    const names = chosen.outputs.map(({ name }) => name).join(', ');
    return names === wanted ? `only ${wanted}` : warn(`asked for ${wanted}, got ${names}`);
  });
  await list.run('oip.rest.infer.versioned', async () => {
    if (golden.modelVersion === null) return skipped('The server names no version.');
    const answered = await rest.infer({ model, version: golden.modelVersion, inputs });
    return answered.ok
      ? `version ${golden.modelVersion}`
      : warn(`the path with /versions/ was answered ${answered.refusal.status}`);
  });
  await list.run('oip.rest.batch', async () => {
    const rows = Math.min(8, inputs[0]?.values.length ?? 0);
    const single: InferAnswer[] = [];
    for (let row = 0; row < rows; row += 1) {
      single.push(
        expectAnswer(await rest.infer({ model, inputs: sliceRows(inputs, row, row + 1) }), `Row ${row + 1} alone`),
      );
    }
    for (const output of golden.outputs) {
      for (const [row, answered] of single.entries()) {
        const alone = answered.outputs.find(({ name }) => name === output.name)?.values[0] ?? null;
        const together = output.values[row] ?? null;
        if (!samePrediction(together, alone))
          return fail(`${output.name} of row ${row + 1} is ${String(alone)} alone and ${String(together)} in a batch`);
      }
    }
    return `${rows} rows at once are ${rows} single rows`;
  });
  return golden;
}

/** Requests that a server must refuse, and that must leave it alive. */
export async function checkRestErrors(list: CheckList, rest: RestClient, subject: ProbeSubject): Promise<void> {
  const { model } = subject;
  const path = `${modelPath(model)}/infer`;
  const inputs = (subject.inputs ?? []).map((tensor) => sliceRows([tensor], 0, 1)[0] as TensorValues);
  const [first] = inputs;

  async function refused(id: string, body: string | null, where = path, allowed = /^4\d\d$/): Promise<void> {
    await list.run(id, async () => {
      const answer = body === null ? await rest.send('GET', where) : await rest.send('POST', where, body);
      const refusal = refusalOf(answer);
      if (!allowed.test(refusal.status)) return fail(`answered ${refusal.status}, not 4xx`);
      return refusal.wellFormed
        ? `${refusal.status} ${refusal.message}`
        : warn(`${refusal.status}, without {"error": …}`);
    });
  }

  await refused('oip.rest.unknown-model', null, modelPath(`${model}-that-is-not-here`));
  await refused('oip.rest.infer.bad-json', '{"inputs": [');
  await refused('oip.rest.infer.no-inputs', '{"inputs": []}');
  if (first !== undefined) {
    const tensor = { name: first.name, shape: [1, 1], datatype: first.datatype, data: plainValues(first) };
    const others = inputs
      .slice(1)
      .map((input) => ({ name: input.name, shape: [1, 1], datatype: input.datatype, data: plainValues(input) }));
    const wrong = (changes: object) => JSON.stringify({ inputs: [{ ...tensor, ...changes }, ...others] });
    await refused('oip.rest.infer.bad-shape', wrong({ shape: [3, 1] }));
    await refused('oip.rest.infer.bad-datatype', wrong({ datatype: first.datatype === 'BYTES' ? 'FP64' : 'BYTES' }));
    await refused('oip.rest.infer.unknown-input', wrong({ name: `${first.name}-that-is-not-here` }));
    if (first.datatype !== 'BOOL') await refused('oip.rest.infer.bad-value', wrong({ data: [{ not: 'a value' }] }));
  }
  await list.run('oip.rest.infer.oversized', async () => {
    const answered = await rest.announce(path, hugeBody, 5000);
    if (answered === null) return warn('a body of a terabyte was not refused within 5 s');
    return answered >= 400 && answered < 500
      ? `a body of a terabyte is refused with ${answered}`
      : fail(`answered ${answered}`);
  });
  await list.run('oip.rest.alive-after-errors', async () => status(await rest.live()));
}

/** The same by gRPC, raw and typed contents, and that both halves predict the same. */
export async function checkGrpc(
  list: CheckList,
  grpc: GrpcClient,
  subject: ProbeSubject,
  golden: InferAnswer | null,
): Promise<void> {
  const { model, inputs } = subject;
  await list.run('oip.grpc.live', async () => ((await grpc.live()) ? 'live' : fail('not live')));
  await list.run('oip.grpc.ready', async () => ((await grpc.ready()) ? 'ready' : fail('not ready')));
  await list.run('oip.grpc.server-metadata', async () => {
    const server = expectAnswer(await grpc.serverMetadata(), 'The server metadata');
    return `${server.name} ${server.version} [${server.extensions.join(', ')}]`;
  });
  await list.run('oip.grpc.model-ready', async () => {
    const ready = expectAnswer(await grpc.modelReady(model), 'ModelReady');
    return ready ? 'ready' : fail('not ready');
  });
  await list.run('oip.grpc.model-metadata', async () => {
    const metadata = expectAnswer(await grpc.modelMetadata(model), 'The model metadata');
    const finding = metadataFinding(metadata, model);
    return typeof finding === 'string' && subject.signature !== null
      ? signatureFinding(metadata, subject.signature)
      : finding;
  });
  await list.run('oip.grpc.unknown-model', async () =>
    refusedByGrpc(await grpc.modelMetadata(`${model}-that-is-not-here`)),
  );
  if (inputs === null) return;

  let answer: InferAnswer | null = null;
  for (const contents of ['raw', 'typed'] as const) {
    if (contents === 'typed' && inputs.some(({ datatype }) => datatype === 'FP16')) continue;
    await list.run(contents === 'raw' ? 'oip.grpc.infer.raw' : 'oip.grpc.infer', async () => {
      const id = `passloop-${contents}`;
      const answered = await grpc.infer({ model, id, inputs }, contents);
      if (!answered.ok && subject.madeUp)
        return warn(`The made-up rows were refused: ${answered.refusal.status} ${answered.refusal.message}`);
      const found = expectAnswer(answered, 'The inference');
      answer ??= found;
      return answerFinding(found, subject, id);
    });
  }
  await list.run('oip.parity', async () => {
    const found = answer as InferAnswer | null;
    if (golden === null || found === null) return skipped('One of both halves gave no predictions.');
    return parityFinding(golden, found);
  });
  const [first, ...others] = sliceRows(inputs, 0, 1);
  if (first === undefined) return;
  await list.run('oip.grpc.infer.bad-shape', async () => {
    const message = {
      model_name: model,
      inputs: [first, ...others].map(({ name, datatype }, index) => ({
        name,
        datatype,
        shape: [index === 0 ? 3 : 1, 1],
      })),
      raw_input_contents: [first, ...others].map(() => Buffer.alloc(1)),
    };
    return refusedByGrpc(await grpc.inferMessage(message));
  });
  await list.run('oip.grpc.alive-after-errors', async () => ((await grpc.live()) ? 'live' : fail('not live')));
}

/** The metrics page is text of Prometheus' exposition format. */
export async function checkMetrics(list: CheckList, rest: RestClient): Promise<void> {
  await list.run('metrics', async () => {
    const answer = await rest.send('GET', '/metrics');
    const families = [...answer.text.matchAll(/^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) /gm)].length;
    return answer.status === 200 && families > 0
      ? `${families} metrics`
      : warn(`/metrics was answered ${answer.status} with ${families} metrics`);
  });
}

/** Rows [from, to) of every tensor. */
export function sliceRows(inputs: readonly TensorValues[], from: number, to: number): TensorValues[] {
  return inputs.map(({ name, datatype, values }) => ({ name, datatype, values: values.slice(from, to) }));
}

/** Rows of zeros and of a text, by the metadata's inputs: what can be asked of a server about which nothing else is known. */
export function madeUpInputs(metadata: readonly TensorMetadata[], rows: number): TensorValues[] {
  return metadata.map(({ name, datatype }) => {
    const value = datatype === 'BYTES' ? 'a' : datatype !== 'BOOL' ? 0 : false;
    return { name, datatype, values: new Array<typeof value>(rows).fill(value) };
  });
}

function status(code: number): Finding {
  return code === 200 ? '200' : fail(`answered ${code}`);
}

function metadataFinding(metadata: ModelMetadata, model: string): Finding {
  if (metadata.name !== model) return fail(`the model calls itself ${metadata.name}`);
  for (const tensor of [...metadata.inputs, ...metadata.outputs]) {
    if (!datatypes.includes(tensor.datatype))
      return fail(`${tensor.name} is ${tensor.datatype}, no datatype of the protocol`);
    if (tensor.name === '' || !tensor.shape.every(Number.isSafeInteger))
      return fail('a tensor has no name, or no whole shape');
  }
  if (metadata.inputs.length === 0 || metadata.outputs.length === 0)
    return warn('the metadata name no inputs or no outputs');
  if (metadata.platform === null || metadata.platform === undefined || metadata.platform === '')
    return warn('the metadata name no platform');
  return `${metadata.platform}, ${metadata.inputs.length} inputs, ${metadata.outputs.length} outputs`;
}

function signatureFinding(metadata: ModelMetadata, signature: Signature): Finding {
  for (const side of ['inputs', 'outputs'] as const) {
    const served = new Map(metadata[side].map((tensor) => [tensor.name, tensor.datatype]));
    for (const { name, datatype } of signature[side]) {
      const found = served.get(name);
      if (found !== datatype)
        return fail(`${side}: ${name} is ${datatype} in the signature and ${found ?? 'absent'} in the server`);
    }
    if (served.size !== signature[side].length)
      return fail(`${side}: the server has ${served.size}, the signature ${signature[side].length}`);
  }
  return `${signature.inputs.length} inputs and ${signature.outputs.length} outputs as in the signature`;
}

function answerFinding(answer: InferAnswer, subject: ProbeSubject, id: string): Finding {
  const rows = subject.inputs?.[0]?.values.length ?? 0;
  if (answer.modelName !== subject.model) return fail(`the answer names the model ${answer.modelName}`);
  if (answer.id !== id) return fail(`the id ${id} came back as ${answer.id ?? 'nothing'}`);
  if (answer.outputs.length === 0) return fail('the answer has no outputs');
  for (const { name, datatype, values } of answer.outputs) {
    const declared = subject.signature?.outputs.find((output) => output.name === name);
    if (declared !== undefined && declared.datatype !== datatype)
      return fail(`${name} is ${datatype}, not ${declared.datatype}`);
    if (subject.signature !== null && (declared === undefined || values.length !== rows)) {
      return fail(
        `${name} has ${values.length} values for ${rows} rows${declared === undefined ? ', and is not in the signature' : ''}`,
      );
    }
    if (values.some((value) => typeof value === 'number' && !Number.isFinite(value)))
      return warn(`${name} has NaN or infinite values`);
  }
  const missing = subject.signature?.outputs.find(({ name }) => !answer.outputs.some((output) => output.name === name));
  if (missing !== undefined) return fail(`${missing.name} is missing`);
  return `${rows} rows: ${answer.outputs.map(({ name }) => name).join(', ')}`;
}

function parityFinding(rest: InferAnswer, grpc: InferAnswer): Finding {
  let values = 0;
  for (const output of rest.outputs) {
    const other = grpc.outputs.find(({ name }) => name === output.name);
    if (other === undefined || other.values.length !== output.values.length)
      return fail(`${output.name} is not the same by gRPC`);
    for (const [row, value] of output.values.entries()) {
      const found = other.values[row] ?? null;
      if (!samePrediction(value, found))
        return fail(`${output.name} of row ${row + 1} is ${String(value)} by REST and ${String(found)} by gRPC`);
      values += 1;
    }
  }
  return `${values} values are the same by REST and by gRPC`;
}

function refusedByGrpc(answered: Answered<unknown>): Finding {
  if (answered.ok) return fail('answered OK');
  const { status: code, message } = answered.refusal;
  return ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION', 'OUT_OF_RANGE', 'UNIMPLEMENTED'].includes(code)
    ? `${code} ${message}`
    : warn(`${code} ${message}`);
}

/** Values for JSON in a request that is wrong on purpose elsewhere. */
function plainValues(tensor: TensorValues): unknown[] {
  return tensor.values.map((value) =>
    typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? 0 : value,
  );
}
