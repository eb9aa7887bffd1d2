import http from 'node:http';
import https from 'node:https';
import { gunzipSync, inflateSync } from 'node:zlib';
import { ConfigurationError, endAtStop, InfrastructureError, plainText } from '@passloop/core';
import { z } from 'zod';
import { type Answered, type InferAnswer, type InferRequest, ModelMetadata, ServerMetadata } from './oip.ts';
import { countOf, datatypes, fromJsonData, parseExact, toJsonData } from './tensor.ts';

export type RestOptions = { timeoutMs?: number | undefined; maxBytes?: number | undefined };

export type RawAnswer = { status: number; text: string };

export type RestClient = Disposable & {
  readonly url: string;
  live(): Promise<number>;
  ready(): Promise<number>;
  serverMetadata(): Promise<Answered<ServerMetadata>>;
  modelReady(model: string): Promise<number>;
  modelMetadata(model: string): Promise<Answered<ModelMetadata>>;
  infer(request: InferRequest): Promise<Answered<InferAnswer>>;
  /** Any request, answered as it is: what the prober asks wrongly on purpose. */
  send(method: string, path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<RawAnswer>;
  /** Announces a body of `bytes` and sends none. @returns the status that came, or null where none came in time */
  announce(path: string, bytes: number, timeoutMs: number): Promise<number | null>;
};

const Output = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()), data: z.unknown() });
const Answer = z.object({
  model_name: z.string(),
  model_version: z.string().nullish(),
  id: z.string().nullish(),
  outputs: z.array(Output).max(4096),
});
const ErrorBody = z.object({ error: z.string() });

/**
 * A client of the protocol's REST half, on connections that stay open. Tolerant where servers differ: bodies of the health
 * routes, `/v2` or `/v2/`, compressed answers, nested or flat data.
 * @param url `http://host:port`, with a path in front of `/v2` where a gateway has one
 */
export function restClient(url: string, options: RestOptions = {}): RestClient {
  const base = parseUrl(url);
  const secure = base.protocol === 'https:';
  const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: 4 });
  let isStopped = false;
  // Whoever waits for an answer at Ctrl-C gets an error, and the containers of its blocks are removed in time.
  const forget = endAtStop(`The server at ${url}`, () => {
    isStopped = true;
    agent.destroy();
  });
  const timeoutMs = options.timeoutMs ?? 30_000;
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  const prefix = base.pathname.replace(/\/+$/, '').replace(/\/v2(\/.*)?$/, '');

  function open(method: string, path: string, headers: Record<string, string | number>, limitMs: number) {
    return (secure ? https : http).request({
      agent,
      method,
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port || (secure ? 443 : 80),
      path: `${prefix}${path}`,
      headers: { host: base.host, 'accept-encoding': 'identity', ...headers },
      timeout: limitMs,
    });
  }

  function send(method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}) {
    const content = body === undefined ? null : Buffer.from(body);
    const sized =
      content === null ? headers : { 'content-type': 'application/json', ...headers, 'content-length': content.length };
    return new Promise<RawAnswer>((resolve, reject) => {
      if (isStopped) return reject(unanswered(url, path, 'interrupted'));
      const request = open(method, path, sized as Record<string, string>, timeoutMs);
      // The socket's own time limit is for silence; this one is for the whole answer.
      const timer = setTimeout(
        () => request.destroy(new Error(`no whole answer within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      request.on('close', () => clearTimeout(timer));
      request.on('error', (error) => reject(unanswered(url, path, error.message)));
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) request.destroy(new Error(`an answer of more than ${maxBytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', (error) => reject(unanswered(url, path, error.message)));
        response.on('end', () => {
          try {
            const encoding = response.headers['content-encoding'] ?? 'identity';
            const text = decompress(Buffer.concat(chunks), encoding, maxBytes).toString('utf8');
            resolve({ status: response.statusCode ?? 0, text });
          } catch (error) {
            reject(unanswered(url, path, (error as Error).message));
          }
        });
      });
      request.end(content ?? undefined);
    });
  }

  async function ask<T>(path: string, schema: z.ZodType<T>, body?: string): Promise<Answered<T>> {
    const answer = await send(body === undefined ? 'GET' : 'POST', path, body);
    if (answer.status !== 200) return { ok: false, refusal: refusalOf(answer) };
    return { ok: true, value: parseBody(answer.text, schema, path) };
  }

  return {
    url,
    send,
    live: async () => (await send('GET', '/v2/health/live')).status,
    ready: async () => (await send('GET', '/v2/health/ready')).status,
    async serverMetadata() {
      const answered = await ask('/v2', ServerMetadata);
      return answered.ok || answered.refusal.status !== '404' ? answered : ask('/v2/', ServerMetadata);
    },
    modelReady: async (model) => (await send('GET', `${modelPath(model)}/ready`)).status,
    modelMetadata: (model) => ask(modelPath(model), ModelMetadata),
    async infer(request) {
      const path = `${modelPath(request.model, request.version)}/infer`;
      const answered = await ask(path, Answer, inferBody(request));
      return answered.ok ? { ok: true, value: toInferAnswer(answered.value) } : answered;
    },
    announce(path, bytes, limitMs) {
      return new Promise((resolve) => {
        const request = open('POST', path, { 'content-type': 'application/json', 'content-length': bytes }, limitMs);
        const timer = setTimeout(() => finish(null), limitMs);
        function finish(status: number | null) {
          clearTimeout(timer);
          resolve(status);
          request.destroy();
        }
        request.on('response', (response) => finish(response.statusCode ?? null));
        request.on('error', () => finish(null));
        request.flushHeaders();
      });
    },
    [Symbol.dispose]() {
      forget();
      agent.destroy();
    },
  };
}

export function modelPath(model: string, version?: string): string {
  const name = `/v2/models/${encodeURIComponent(model)}`;
  return version === undefined ? name : `${name}/versions/${encodeURIComponent(version)}`;
}

/** The JSON body of an inference request. */
export function inferBody(request: InferRequest): string {
  return JSON.stringify({
    ...(request.id === undefined ? {} : { id: request.id }),
    inputs: request.inputs.map(({ name, datatype, values }) => ({
      name,
      shape: [values.length, 1],
      datatype,
      data: toJsonData(name, values),
    })),
    ...(request.outputs === undefined ? {} : { outputs: request.outputs.map((name) => ({ name })) }),
  });
}

/** `{"error": "..."}` is the protocol's form of a refusal; other bodies are kept, and told apart. */
export function refusalOf(answer: RawAnswer): { status: string; message: string; wellFormed: boolean } {
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    body = undefined;
  }
  const parsed = ErrorBody.safeParse(body);
  const message = parsed.success ? parsed.data.error : answer.text;
  return { status: String(answer.status), message: plainText(message, 300), wellFormed: parsed.success };
}

function toInferAnswer(answer: z.infer<typeof Answer>): InferAnswer {
  return {
    modelName: answer.model_name,
    modelVersion: answer.model_version ?? null,
    id: answer.id ?? null,
    outputs: answer.outputs.map(({ name, datatype, shape, data }) => {
      if (!datatypes.includes(datatype))
        throw new InfrastructureError(
          `Output ${plainText(name, 60)} is ${plainText(datatype, 40)}, no datatype of the protocol.`,
        );
      return { name, datatype, values: fromJsonData(datatype, data, countOf(shape)) };
    }),
  };
}

function parseBody<T>(text: string, schema: z.ZodType<T>, path: string): T {
  let body: unknown;
  try {
    body = parseExact(text);
  } catch (error) {
    throw new InfrastructureError(
      `${path} was answered with what is no JSON: ${plainText((error as Error).message, 120)}`,
    );
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InfrastructureError(
    `${path} was answered in another form: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

function parseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new ConfigurationError(`${JSON.stringify(url.slice(0, 200))} is not the URL of a server.`, {
      hint: 'Write it as http://host:8080.',
    });
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new ConfigurationError(
      'The URL of a server must not hold a user name or password: it is printed and stored.',
    );
  }
  return parsed;
}

function decompress(bytes: Buffer, encoding: string, maxBytes: number): Buffer {
  if (encoding === 'gzip') return gunzipSync(bytes, { maxOutputLength: maxBytes });
  if (encoding === 'deflate') return inflateSync(bytes, { maxOutputLength: maxBytes });
  return bytes;
}

function unanswered(url: string, path: string, reason: string): InfrastructureError {
  return new InfrastructureError(`${url}${path} was not answered: ${plainText(reason, 200)}`);
}
