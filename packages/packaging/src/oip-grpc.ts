import type { Client, ServiceDefinition, ServiceError, status } from '@grpc/grpc-js';
import { ConfigurationError, InfrastructureError, plainText } from '@passloop/core';
import { z } from 'zod';
import { type Answered, type InferAnswer, type InferRequest, ModelMetadata, ServerMetadata } from './oip.ts';
import { countOf, decodeRaw, encodeRaw, type TensorValues, type Value } from './tensor.ts';

/**
 * Messages and field numbers of the Open Inference Protocol's gRPC half (package `inference`). Without ModelMetadataResponse's
 * field 6, a map whose values have different types in different servers: a reader that knows it fails on one of them.
 */
const descriptor = {
  nested: {
    inference: {
      nested: {
        GRPCInferenceService: {
          methods: Object.fromEntries(
            ['ServerLive', 'ServerReady', 'ModelReady', 'ServerMetadata', 'ModelMetadata', 'ModelInfer'].map((name) => [
              name,
              { requestType: `${name}Request`, responseType: `${name}Response` },
            ]),
          ),
        },
        ServerLiveRequest: message({}),
        ServerLiveResponse: message({ live: ['bool', 1] }),
        ServerReadyRequest: message({}),
        ServerReadyResponse: message({ ready: ['bool', 1] }),
        ModelReadyRequest: message({ name: ['string', 1], version: ['string', 2] }),
        ModelReadyResponse: message({ ready: ['bool', 1] }),
        ServerMetadataRequest: message({}),
        ServerMetadataResponse: message({
          name: ['string', 1],
          version: ['string', 2],
          extensions: ['repeated string', 3],
        }),
        ModelMetadataRequest: message({ name: ['string', 1], version: ['string', 2] }),
        ModelMetadataResponse: message({
          name: ['string', 1],
          versions: ['repeated string', 2],
          platform: ['string', 3],
          inputs: ['repeated TensorMetadata', 4],
          outputs: ['repeated TensorMetadata', 5],
        }),
        TensorMetadata: message({ name: ['string', 1], datatype: ['string', 2], shape: ['repeated int64', 3] }),
        InferTensorContents: message({
          bool_contents: ['repeated bool', 1],
          int_contents: ['repeated int32', 2],
          int64_contents: ['repeated int64', 3],
          uint_contents: ['repeated uint32', 4],
          uint64_contents: ['repeated uint64', 5],
          fp32_contents: ['repeated float', 6],
          fp64_contents: ['repeated double', 7],
          bytes_contents: ['repeated bytes', 8],
        }),
        InferTensor: message({
          name: ['string', 1],
          datatype: ['string', 2],
          shape: ['repeated int64', 3],
          contents: ['InferTensorContents', 5],
        }),
        InferRequestedOutput: message({ name: ['string', 1] }),
        ModelInferRequest: message({
          model_name: ['string', 1],
          model_version: ['string', 2],
          id: ['string', 3],
          inputs: ['repeated InferTensor', 5],
          outputs: ['repeated InferRequestedOutput', 6],
          raw_input_contents: ['repeated bytes', 7],
        }),
        ModelInferResponse: message({
          model_name: ['string', 1],
          model_version: ['string', 2],
          id: ['string', 3],
          outputs: ['repeated InferTensor', 5],
          raw_output_contents: ['repeated bytes', 6],
        }),
      },
    },
  },
};

function message(fields: Record<string, [string, number]>) {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [type, id]]) => [
        name,
        type.startsWith('repeated ') ? { rule: 'repeated', type: type.slice('repeated '.length), id } : { type, id },
      ]),
    ),
  };
}

type Method = {
  path: string;
  requestSerialize: (value: object) => Buffer;
  responseDeserialize: (bytes: Buffer) => object;
};

/** Where the values of a datatype stand when they don't travel raw. */
const contentFields: Record<string, string> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

export type GrpcOptions = { timeoutMs?: number | undefined; maxBytes?: number | undefined };

export type GrpcClient = Disposable & {
  readonly address: string;
  live(): Promise<boolean>;
  ready(): Promise<boolean>;
  modelReady(model: string): Promise<Answered<boolean>>;
  serverMetadata(): Promise<Answered<ServerMetadata>>;
  modelMetadata(model: string): Promise<Answered<ModelMetadata>>;
  /** @param contents how the input values travel: raw bytes (every datatype, NaN too), or typed fields */
  infer(request: InferRequest, contents?: 'raw' | 'typed'): Promise<Answered<InferAnswer>>;
  /** A request as given, whether it makes sense or not. */
  inferMessage(message: object): Promise<Answered<object>>;
};

const Shape = z.array(z.string().transform(Number));
const AnswerTensor = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: Shape,
  contents: z.record(z.string(), z.array(z.unknown())).nullish(),
});
const Answer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string(),
  outputs: z.array(AnswerTensor).max(4096),
  raw_output_contents: z.array(z.instanceof(Uint8Array)),
});
const WireMetadata = z.looseObject({
  inputs: z.array(z.looseObject({ shape: Shape })),
  outputs: z.array(z.looseObject({ shape: Shape })),
});

/** A client of the protocol's gRPC half, without TLS (the prober's own network, or a port of this machine). */
export function grpcClient(address: string, options: GrpcOptions = {}): GrpcClient {
  if (!/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):\d{1,5}$/.test(address)) {
    throw new ConfigurationError(`${JSON.stringify(address.slice(0, 200))} is not the address of a gRPC server.`, {
      hint: 'Write it as host:8081.',
    });
  }
  let opened: Promise<Opened> | null = null;
  const timeoutMs = options.timeoutMs ?? 30_000;

  async function call(name: string, request: object): Promise<Answered<object>> {
    opened ??= openClient(address, options);
    const { client, service, status } = await opened;
    const method = service[name] as unknown as Method;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, value?: object) => {
          if (error === null) resolve({ ok: true, value: value ?? {} });
          else if (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED) {
            reject(new InfrastructureError(`${address} ${name} was not answered: ${plainText(error.details, 200)}`));
          } else {
            const refusal = {
              status: status[error.code] ?? 'UNKNOWN',
              message: plainText(error.details, 300),
              wellFormed: true,
            };
            resolve({ ok: false, refusal });
          }
        },
      );
    });
  }

  async function ask<T>(name: string, request: object, schema: z.ZodType<T>): Promise<Answered<T>> {
    const answered = await call(name, request);
    if (!answered.ok) return answered;
    const parsed = schema.safeParse(answered.value);
    if (parsed.success) return { ok: true, value: parsed.data };
    throw new InfrastructureError(`${name} was answered in another form: ${parsed.error.issues[0]?.message ?? ''}`);
  }

  return {
    address,
    live: async () => flag(await ask('ServerLive', {}, z.object({ live: z.boolean() })), (value) => value.live),
    ready: async () => flag(await ask('ServerReady', {}, z.object({ ready: z.boolean() })), (value) => value.ready),
    async modelReady(model) {
      const answered = await ask('ModelReady', { name: model }, z.object({ ready: z.boolean() }));
      return answered.ok ? { ok: true, value: answered.value.ready } : answered;
    },
    serverMetadata: () => ask('ServerMetadata', {}, ServerMetadata),
    async modelMetadata(model) {
      const answered = await ask('ModelMetadata', { name: model }, WireMetadata);
      return answered.ok ? { ok: true, value: ModelMetadata.parse(answered.value) } : answered;
    },
    inferMessage: (request) => call('ModelInfer', request),
    async infer(request, contents = 'raw') {
      const answered = await ask('ModelInfer', inferMessage(request, contents), Answer);
      return answered.ok ? { ok: true, value: toInferAnswer(answered.value) } : answered;
    },
    [Symbol.dispose]: () => void opened?.then(({ client }) => client.close()),
  };
}

type Opened = { client: Client; service: ServiceDefinition; status: typeof status };

/** gRPC is loaded with the first call. */
async function openClient(address: string, options: GrpcOptions): Promise<Opened> {
  const { Client, credentials, status } = await import('@grpc/grpc-js');
  const { fromJSON } = await import('@grpc/proto-loader');
  const definition = fromJSON(descriptor as never, { keepCase: true, longs: String, defaults: true, bytes: Buffer });
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxBytes,
    'grpc.max_send_message_length': maxBytes,
    // A proxy of the environment has no business between us and a container.
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
  });
  return { client, service: definition['inference.GRPCInferenceService'] as ServiceDefinition, status };
}

/** The message of an inference request, as the loader of messages takes it. */
function inferMessage(request: InferRequest, contents: 'raw' | 'typed'): object {
  const raw = contents === 'raw';
  return {
    model_name: request.model,
    model_version: request.version ?? '',
    id: request.id ?? '',
    inputs: request.inputs.map(({ name, datatype, values }) => ({
      name,
      datatype,
      shape: [values.length, 1],
      ...(raw ? {} : { contents: typedContents(datatype, values) }),
    })),
    outputs: (request.outputs ?? []).map((name) => ({ name })),
    raw_input_contents: raw ? request.inputs.map(({ datatype, values }) => encodeRaw(datatype, values)) : [],
  };
}

function typedContents(datatype: string, values: readonly Value[]): object {
  const field = contentFields[datatype];
  if (field === undefined) throw new ConfigurationError(`${datatype} travels as raw bytes only.`);
  const convert = (value: Value) =>
    typeof value === 'bigint' ? value.toString() : datatype === 'BYTES' ? Buffer.from(String(value)) : value;
  return { [field]: values.map(convert) };
}

function toInferAnswer(answer: z.infer<typeof Answer>): InferAnswer {
  const raw = answer.raw_output_contents;
  if (raw.length > 0 && raw.length !== answer.outputs.length) {
    throw new InfrastructureError(`The answer has ${raw.length} raw contents for ${answer.outputs.length} outputs.`);
  }
  return {
    modelName: answer.model_name,
    modelVersion: answer.model_version === '' ? null : answer.model_version,
    id: answer.id === '' ? null : answer.id,
    outputs: answer.outputs.map(({ name, datatype, shape, contents }, index): TensorValues => {
      const count = countOf(shape);
      const bytes = raw[index];
      const values =
        bytes === undefined
          ? fromTyped(datatype, contents?.[contentFields[datatype] ?? ''] ?? [])
          : decodeRaw(datatype, bytes, count);
      if (values.length !== count) {
        throw new InfrastructureError(
          `Output ${plainText(name, 60)} has ${values.length} values where its shape says ${count}.`,
        );
      }
      return { name, datatype, values };
    }),
  };
}

function fromTyped(datatype: string, values: readonly unknown[]): Value[] {
  return values.map((value) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
    if (typeof value === 'string' && datatype !== 'BYTES') {
      const small = Number(value);
      return Number.isSafeInteger(small) ? small : BigInt(value);
    }
    return value as Value;
  });
}

function flag<T>(answered: Answered<T>, read: (value: T) => boolean): boolean {
  return answered.ok && read(answered.value);
}
