import {
  ConfigurationError,
  type Progress,
  plainText,
  toDecimalOrNull,
  type Verdict,
  worstVerdict,
} from '@passloop/core';
import type { ProbeDocument } from '@passloop/documents';
import type { Signature } from '@passloop/model';
import type { Engine } from './engine.ts';
import { inspectImage } from './image-facts.ts';
import { type Latency, measureLatency } from './latency.ts';
import { type GrpcClient, grpcClient } from './oip-grpc.ts';
import { type RestClient, restClient } from './oip-rest.ts';
import { type CheckList, createCheckList, fail, skipped, warn } from './probe-checks.ts';
import {
  checkGrpc,
  checkMetrics,
  checkRestBasics,
  checkRestErrors,
  checkRestInfer,
  madeUpInputs,
  type ProbeSubject,
  sliceRows,
} from './probe-server.ts';
import { inputTensors, plainRows, scoreColumns, selectInputs } from './scoring.ts';
import { compareSkew, type Skew, wholeColumns } from './skew.ts';
import { type StartLimits, startIsolated, startServing } from './start.ts';
import type { Column } from './tensor.ts';

export type ProbeRequest = {
  /** Name of the model, as clients call it. */
  model: string;
  /** Null where only the server's own metadata tell what it takes. */
  signature?: Signature | null | undefined;
  /** Rows to ask with, by the signature's column names; made up from the metadata where absent. */
  columns?: readonly Column[] | undefined;
  /** Columns that must not reach the server. */
  withheld?: readonly string[] | undefined;
  /** The stage's predictions of the same rows in the same order, by output column: train/serve skew. */
  expected?: readonly Column[] | undefined;
  /** Timed requests; 0 measures nothing. */
  requests?: number | undefined;
  progress: Progress;
};

/** Rows that the protocol's checks ask with; the skew check asks with all of them. */
const protocolRows = 8;
const defaultRequests = 100;

/**
 * Probes any server of the Open Inference Protocol.
 * @param target `rest`: `http://host:port`; `grpc`: `host:port`, or null to leave that half out (the document says so)
 * @throws InfrastructureError where nothing answers at the address
 */
export async function probeServer(
  target: { rest: string; grpc: string | null },
  request: ProbeRequest,
): Promise<ProbeDocument> {
  const rows = prepareRows(request);
  const list = createCheckList((id) => request.progress.note(id));
  request.progress.phase('probe the server');
  await expectServer(target.rest);
  const found = await probeEndpoints(list, target, request, rows);
  request.progress.done();
  return probeDocument(target.rest, list, { ...found, readySeconds: null });
}

/**
 * Probes an image: what it declares, a start without any network, and a start on a network without a way out, on which both halves of the
 * protocol are asked. Containers and network are gone afterwards.
 */
export async function probeImage(
  engine: Engine,
  image: string,
  request: ProbeRequest & { limits?: StartLimits | undefined },
): Promise<ProbeDocument> {
  const rows = prepareRows(request);
  const list = createCheckList((id) => request.progress.note(id));
  request.progress.phase('probe the image');
  await checkImage(list, engine, image);
  const isolated = await list.run('container.isolated', async () => {
    const start = await startIsolated(engine, image, request.limits);
    return start.healthy ? start.detail : fail(start.detail);
  });
  let found: Endpoints = { latency: null, predictions: null };
  let readySeconds: number | null = null;
  // An image that didn't serve alone won't serve here: the second start would only wait for its time limit again.
  if (isolated) {
    await list.run('container.serves', async () => {
      // Another user than the image's own: platforms choose one at random.
      await using serving = await startServing(engine, image, { ...request.limits, user: '54321:54321' });
      readySeconds = serving.readySeconds;
      found = await probeEndpoints(list, { rest: serving.restUrl, grpc: serving.grpcAddress }, request, rows);
      await list.run('container.stops', async () => {
        const seconds = await serving.container.stop(10);
        const { exitCode } = await serving.container.state();
        return exitCode === 137
          ? fail('SIGTERM was ignored for 10 s')
          : `ended ${seconds.toFixed(1)} s after SIGTERM with exit code ${exitCode}`;
      });
      return `ready after ${serving.readySeconds.toFixed(2)} s, as user 54321, on a network without a way out`;
    });
  }
  request.progress.done();
  return probeDocument(image, list, { ...found, readySeconds });
}

/** A server that nobody reaches was not judged. @throws InfrastructureError */
async function expectServer(url: string): Promise<void> {
  using rest = restClient(url, { timeoutMs: 10_000 });
  await rest.live();
}

type Endpoints = { latency: Latency | null; predictions: Skew | null };

type PreparedRows = { signature: Signature; inputs: Column[]; subject: ProbeSubject };

/** The rows to ask with, checked before anything starts: what is wrong with them is not the server's failure. */
function prepareRows(request: ProbeRequest): PreparedRows | null {
  const signature = request.signature ?? null;
  if (signature === null && (request.columns !== undefined || request.expected !== undefined)) {
    throw new ConfigurationError('Rows and predictions need a signature, which says which column is which tensor.');
  }
  if (request.columns === undefined && request.expected !== undefined) {
    throw new ConfigurationError('Predictions of the stage need the rows that they are about.');
  }
  if (signature === null || request.columns === undefined) return null;
  const inputs = selectInputs(signature, request.columns, request.withheld ?? []);
  return { signature, inputs, subject: { model: request.model, signature, ...protocolInputs(signature, inputs) } };
}

/** The first rows that REST can carry; where there are none, some are made up from the server's metadata. */
function protocolInputs(signature: Signature, inputs: readonly Column[]): Pick<ProbeSubject, 'inputs' | 'madeUp'> {
  const rows = plainRows(signature, inputs).slice(0, protocolRows);
  if (rows.length === 0) return { inputs: null, madeUp: true };
  const picked = inputs.map(({ name, values }) => ({ name, values: rows.map((row) => values[row] ?? null) }));
  return { inputs: inputTensors(signature, picked, 0, rows.length), madeUp: false };
}

async function probeEndpoints(
  list: CheckList,
  target: { rest: string; grpc: string | null },
  request: ProbeRequest,
  rows: PreparedRows | null,
): Promise<Endpoints> {
  using rest = restClient(target.rest);
  using grpc = target.grpc === null ? null : grpcClient(target.grpc);
  const subject = rows?.subject ?? {
    model: request.model,
    signature: request.signature ?? null,
    inputs: null,
    madeUp: true,
  };
  const metadata = await checkRestBasics(list, rest, subject);
  if (subject.inputs === null && metadata !== null) subject.inputs = madeUpInputs(metadata.inputs, 3);
  const golden = await checkRestInfer(list, rest, subject);
  await checkRestErrors(list, rest, subject);
  if (grpc === null) await list.run('oip.grpc', async () => skipped('No gRPC address was given.'));
  else await checkGrpc(list, grpc, subject, golden);
  await checkMetrics(list, rest);
  const latency = golden === null ? null : await timeRequests(list, rest, subject, request.requests ?? defaultRequests);
  const predictions =
    request.expected === undefined || rows === null
      ? null
      : await checkPredictions(list, grpc, request, rows.signature, rows.inputs);
  return { latency, predictions };
}

async function timeRequests(
  list: CheckList,
  rest: RestClient,
  subject: ProbeSubject,
  requests: number,
): Promise<Latency | null> {
  if (requests === 0 || subject.inputs === null) return null;
  const inputs = sliceRows(subject.inputs, 0, 1);
  let latency: Latency | null = null;
  await list.run('latency', async () => {
    latency = await measureLatency(rest, { model: subject.model, rows: [inputs] }, requests);
    return `p50 ${Number(latency.p50Ms).toFixed(1)} ms, p95 ${Number(latency.p95Ms).toFixed(1)} ms over ${requests} requests of one row`;
  });
  return latency;
}

async function checkPredictions(
  list: CheckList,
  grpc: GrpcClient | null,
  request: ProbeRequest,
  signature: Signature,
  inputs: readonly Column[],
): Promise<Skew | null> {
  let skew: Skew | null = null;
  await list.run('predictions', async () => {
    if (grpc === null) return fail("The stage's predictions are compared by gRPC, and no gRPC address was given.");
    const columns = await scoreColumns(grpc, request.model, signature, inputs);
    skew = compareSkew(request.expected ?? [], columns, wholeColumns(signature));
    return { verdict: skew.verdict, detail: `${skew.equal} of ${skew.rows} rows agree. ${skew.detail}` };
  });
  return skew;
}

async function checkImage(list: CheckList, engine: Engine, image: string): Promise<void> {
  const facts = await inspectImage(engine, image);
  if (facts === null)
    throw new ConfigurationError(`The engine has no image ${plainText(image)}.`, {
      hint: 'Build it, or pull it first.',
    });
  await list.run('image.user', async () => {
    const [uid = ''] = facts.user.split(':');
    if (!/^\d+$/.test(uid))
      return fail(`USER is ${JSON.stringify(facts.user)}; Kubernetes' runAsNonRoot needs a number`);
    return Number(uid) === 0 ? fail('USER is 0, which is root') : `USER ${facts.user}`;
  });
  await list.run('image.healthcheck', async () => {
    const [kind] = facts.healthcheck;
    return kind === undefined || kind === 'NONE'
      ? fail('The image has no HEALTHCHECK.')
      : facts.healthcheck.slice(1).join(' ');
  });
  await list.run('image.entrypoint', async () => {
    const [program = ''] = [...facts.entrypoint, ...facts.command];
    return /(^|\/)(sh|bash|dash|ash)$/.test(program)
      ? warn('A shell is process 1, and may keep signals from the server.')
      : program;
  });
}

/** Nothing executed is a failure; a check that was skipped is no pass either, but doesn't fail the others. */
function probeDocument(
  target: string,
  list: CheckList,
  found: { readySeconds: number | null; latency: Latency | null; predictions: Skew | null },
): ProbeDocument {
  const executed = list.checks.filter(({ verdict }) => verdict !== 'skipped');
  const verdict: Verdict = worstVerdict(executed.map((check) => check.verdict));
  return {
    schema: 'passloop/probe/v1',
    target: plainText(target, 1000),
    verdict,
    executed: executed.length,
    checks: list.checks,
    readySeconds: toDecimalOrNull(found.readySeconds),
    latency: found.latency,
    predictions: found.predictions,
  };
}
