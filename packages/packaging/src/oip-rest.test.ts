import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { silentProgress } from '@passloop/core';
import { Signature } from '@passloop/model';
import { afterEach, describe, expect, it } from 'vitest';
import { measureLatency, type Turns, timeInTurns } from './latency.ts';
import { refusalOf, restClient } from './oip-rest.ts';
import { probeServer } from './probe.ts';

/** Servers of the protocol differ; these answer as KServe, MLServer and broken ones do. */
let server: Server | null = null;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

const request = { model: 'm', inputs: [{ name: 'x', datatype: 'FP64', values: [1] }] };

describe('restClient', () => {
  it('reads health from the status alone', async () => {
    const url = await serve((asked, response) => response.writeHead(asked.url === '/v2/health/live' ? 200 : 503).end());
    using client = restClient(url);
    expect([await client.live(), await client.ready()]).toEqual([200, 503]);
  });

  it('falls back to /v2/ and reads a compressed answer', async () => {
    const url = await serve((asked, response) => {
      if (asked.url !== '/v2/') return response.writeHead(404).end('{"error":"not here"}');
      response.writeHead(200, { 'content-encoding': 'gzip' });
      return response.end(gzipSync(JSON.stringify({ name: 's', version: '1', extensions: [] })));
    });
    using client = restClient(url);
    expect(await client.serverMetadata()).toEqual({ ok: true, value: { name: 's', version: '1', extensions: [] } });
  });

  it('keeps a prefix of a gateway, and drops /v2 behind it', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((incoming, response) => {
      asked.push(incoming.url);
      response.end('{}');
    });
    using client = restClient(`${url}/seldon/ns/flight/v2/models/x`);
    await client.live();
    expect(asked).toEqual(['/seldon/ns/flight/v2/health/live']);
  });

  it('reads nested data, and keeps a large whole number', async () => {
    const url = await serve((_asked, response) =>
      response.end(
        '{"model_name":"m","outputs":[{"name":"y","datatype":"INT64","shape":[2,1],"data":[[9007199254740993],[1]]}]}',
      ),
    );
    using client = restClient(url);
    const answered = await client.infer(request);
    expect(answered).toEqual({
      ok: true,
      value: {
        modelName: 'm',
        modelVersion: null,
        id: null,
        outputs: [{ name: 'y', datatype: 'INT64', values: [9007199254740993n, 1] }],
      },
    });
  });

  it.each([
    ['no JSON', '{"model_name": NaN}', /no JSON/],
    ['another form', '{"outputs":[]}', /another form: model_name/],
    [
      'a false count',
      '{"model_name":"m","outputs":[{"name":"y","datatype":"FP64","shape":[3],"data":[1]}]}',
      /shape says 3/,
    ],
    [
      'an unknown datatype',
      '{"model_name":"m","outputs":[{"name":"y","datatype":"FP80","shape":[1],"data":[1]}]}',
      /no datatype/,
    ],
  ])('refuses an answer of %s', async (_what, body, message) => {
    const url = await serve((_asked, response) => response.end(body));
    using client = restClient(url);
    await expect(client.infer(request)).rejects.toThrow(message);
  });

  it('bounds the answer and the wait', async () => {
    const url = await serve((asked, response) => {
      if (asked.url === '/v2/health/live') response.write('x'.repeat(100));
      else response.end('x'.repeat(100_000));
    });
    using client = restClient(url, { timeoutMs: 200, maxBytes: 1000 });
    await expect(client.live()).rejects.toThrow(/no whole answer|no answer/);
    await expect(client.ready()).rejects.toThrow(/more than 1000 bytes/);
  });

  it('a compressed bomb is no answer', async () => {
    const bomb = gzipSync(Buffer.alloc(4_000_000));
    const url = await serve((_asked, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    using client = restClient(url, { maxBytes: 100_000 });
    await expect(client.live()).rejects.toThrow(/was not answered/);
  });

  it.each(['', 'ftp://x', 'file:///etc/passwd', 'localhost', '--x'])('refuses the URL %j', (url) => {
    expect(() => restClient(url)).toThrow(/is not the URL/);
  });

  it('takes no password in a URL', () => {
    expect(() => restClient('http://user:hunter2@host')).toThrow(/must not hold/);
  });
});

it.each([
  ['{"error":"x"}', true, 'x'],
  ['{"detail":[{"msg":"no"}]}', false, '{"detail":[{"msg":"no"}]}'],
  ['<html>', false, '<html>'],
])('a refusal %s is well-formed: %s', (text, wellFormed, message) => {
  expect(refusalOf({ status: 422, text })).toEqual({ status: '422', wellFormed, message });
});

describe('probeServer', () => {
  it('asks by REST with rows that REST can carry', async () => {
    const asked: unknown[] = [];
    const url = await serve((question, response) => {
      // Not at its end: one that is announced has none.
      question.on('data', (chunk: Buffer) => {
        const body = chunk.toString();
        if (body.includes('passloop-7f3a')) asked.push(JSON.parse(body));
      });
      response.end('{}');
    });
    const signature = Signature.parse({
      inputs: [{ name: 'x', datatype: 'FP64' }],
      outputs: [{ name: 'y', datatype: 'FP64' }],
    });
    const columns = [{ name: 'x', values: [null, Number.NaN, 3, 4] }];

    await probeServer({ rest: url, grpc: null }, { model: 'm', signature, columns, progress: silentProgress });

    expect(asked).toMatchObject([{ inputs: [{ data: [3, 4] }] }]);
  });

  it('fails a server that answers 200 to everything', async () => {
    const url = await serve((_asked, response) => response.end('{}'));
    const document = await probeServer({ rest: url, grpc: null }, { model: 'm', progress: silentProgress });
    const failed = document.checks.filter((check) => check.verdict === 'fail').map((check) => check.id);
    expect(document.verdict).toBe('fail');
    expect(failed).toContain('oip.rest.model-metadata');
    expect(failed).toContain('oip.rest.infer.bad-json');
    expect(failed).toContain('oip.rest.unknown-model');
    expect(document.checks.find((check) => check.id === 'oip.grpc')).toMatchObject({ verdict: 'skipped' });
    expect(document.executed).toBe(document.checks.length - 1);
  });

  it('judges no server that nobody reaches', async () => {
    const target = { rest: 'http://127.0.0.1:9', grpc: '127.0.0.1:9' };
    await expect(probeServer(target, { model: 'm', progress: silentProgress })).rejects.toMatchObject({
      code: 'infrastructure',
      message: expect.stringContaining('was not answered'),
    });
  });

  it('refuses rows without a signature, before it asks anything', async () => {
    const request = { model: 'm', columns: [{ name: 'x', values: [1] }], progress: silentProgress };
    await expect(probeServer({ rest: 'http://127.0.0.1:9', grpc: null }, request)).rejects.toThrow(/need a signature/);
  });
});

describe('latency', () => {
  it('asks servers the same rows in turns, in an order that changes, on connections that stay open', async () => {
    const asked: string[] = [];
    const sockets = new Set<unknown>();
    const listen = (name: string) =>
      serve((question, response) => {
        sockets.add(question.socket);
        let body = '';
        question.on('data', (chunk) => {
          body += chunk;
        });
        question.on('end', () => {
          asked.push(`${name}${(JSON.parse(body) as { inputs: { data: number[] }[] }).inputs[0]?.data[0]}`);
          response.end('{}');
        });
      });
    using first = restClient(await listen('a'));
    using second = restClient(await listen('b'));
    const servers = [first, second].map((client) => ({ name: client.url, client }));
    const rows = [1, 2].map((value) => [{ name: 'x', datatype: 'FP64' as const, values: [value] }]);
    const times = await timeInTurns(servers, { model: 'm', rows }, { most: 40 });
    expect(times.map((one) => one.length)).toEqual([40, 40]);
    const turns = Array.from({ length: 40 }, (_, turn) => asked.slice(2 * turn, 2 * turn + 2));
    expect(turns.map((turn) => turn.toSorted())).toEqual(
      turns.map((_, turn) => [`a${(turn % 2) + 1}`, `b${(turn % 2) + 1}`]),
    );
    const leads = turns.filter(([lead]) => lead?.startsWith('a')).length;
    expect(leads).toBeGreaterThan(10);
    expect(leads).toBeLessThan(30);
    expect(sockets.size).toBe(2);
  });

  it('asks a slow server less often, and one that is slower yet not at all', async () => {
    const url = await serve((asked, response) => {
      asked.resume().on('end', () => response.end('{}'));
    });
    using client = restClient(url);
    const ask = (turns: Turns) => timeInTurns([{ name: url, client }], { model: 'm', rows: [request.inputs] }, turns);

    expect(await ask({ most: 9, fewest: 4, budgetMs: 0 })).toEqual([Array(4).fill(expect.any(Number))]);
    await expect(ask({ most: 9, fewest: 4, budgetMs: 0, limitMs: 0 })).rejects.toThrow(
      '1 of 4 turns of timed requests took 0 s and more.',
    );
  });

  it('times no refusal', async () => {
    const url = await serve((asked, response) => {
      asked.resume().on('end', () => response.writeHead(500).end());
    });
    using client = restClient(url);
    await expect(measureLatency(client, { model: 'a', rows: [request.inputs] }, 5)).rejects.toThrow(
      'The server answered a timed request with 500.',
    );
  });
});
