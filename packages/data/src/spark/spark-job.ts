import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigurationError, InfrastructureError, plainText, runProcess } from '@passloop/core';
import { z } from 'zod';

export type SparkOptions = {
  /** `local[4]`, `yarn`, `k8s://...`, `spark://...`, or `sc://...` for Spark Connect; the cluster's own default without one. */
  master?: string | undefined;
  /** The program; `spark-submit` of the PATH by default. */
  submit?: string | undefined;
  /** The Python of Spark Connect's client; `python3` by default. */
  python?: string | undefined;
  /** `spark.executor.memory=8g`, and the like. */
  conf?: readonly string[] | undefined;
  /** The job's whole environment. */
  env: Readonly<Record<string, string>>;
};

/** A running driver: one question after another. */
export type SparkJob = AsyncDisposable & { ask<T>(question: object): Promise<T> };

const Answer = z.union([
  z.object({ error: z.string(), fault: z.enum(['query', 'engine']) }),
  z.looseObject({ error: z.undefined().optional() }),
]);

/** How long the driver may take to call: a cluster may have to make room first. */
const startMs = 10 * 60_000;
const farewellMs = 5_000;

/**
 * Starts the driver by spark-submit, in client mode: it calls back over a Unix socket in a private folder, so nothing
 * listens on a network, and no row passes through a file.
 *
 * @throws ConfigurationError where there is no Spark; InfrastructureError where it ends before it calls
 */
export async function startSparkJob(folder: string, jobFolder: string, options: SparkOptions): Promise<SparkJob> {
  const address = path.join(folder, 'job.sock');
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, resolve));
  const abort = new AbortController();
  const ended = runProcess({
    ...commandOf(jobFolder, address, options),
    signal: abort.signal,
    maxOutputBytes: 256 * 1024,
  }).then(
    (result) => sparkEnded(`${result.stderr}\n${result.stdout}`),
    (error: unknown) => notStarted(error),
  );
  let timer: NodeJS.Timeout | undefined;
  const called = await Promise.race([
    new Promise<Socket>((resolve) => server.once('connection', resolve)),
    ended,
    new Promise<Error>((resolve) => {
      timer = setTimeout(() => resolve(new InfrastructureError('Spark gave no sign within ten minutes.')), startMs);
    }),
  ]);
  clearTimeout(timer);
  server.close();
  if (called instanceof Error) {
    abort.abort();
    await ended;
    throw called;
  }
  const socket = called;
  // As soon as nobody waits for an answer, nobody else hears of a broken line.
  socket.on('error', () => {});
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  let queue: Promise<unknown> = Promise.resolve();

  async function exchange<T>(question: object): Promise<T> {
    socket.write(`${JSON.stringify(question)}\n`);
    // A broken line is told by how the driver ended.
    const line = await answers.next().catch(() => null);
    if (line === null || line.done === true) throw await ended;
    const answer = Answer.parse(JSON.parse(line.value));
    if (answer.error === undefined) return answer as T;
    const text = plainText(answer.error, 600);
    throw answer.fault === 'query' ? new ConfigurationError(text) : new InfrastructureError(`Spark: ${text}`);
  }

  return {
    ask<T>(question: object): Promise<T> {
      const next = queue.then(() => exchange<T>(question));
      queue = next.catch(() => undefined);
      return next;
    },
    async [Symbol.asyncDispose]() {
      socket.end();
      const late = setTimeout(() => abort.abort(), farewellMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function commandOf(
  jobFolder: string,
  address: string,
  { master, submit = 'spark-submit', python = 'python3', conf = [], env }: SparkOptions,
): { argv: [string, ...string[]]; env: Record<string, string> } {
  const job = path.join(jobFolder, 'job.py');
  if (master?.startsWith('sc://') === true) {
    return { argv: [python, job, address], env: { ...env, PASSLOOP_SPARK_REMOTE: master } };
  }
  return {
    argv: [
      submit,
      ...(master === undefined ? [] : ['--master', master]),
      '--deploy-mode',
      'client',
      '--py-files',
      path.join(jobFolder, 'translate.py'),
      '--conf',
      'spark.ui.showConsoleProgress=false',
      ...conf.flatMap((one) => ['--conf', one]),
      job,
      address,
    ],
    env: { ...env },
  };
}

function sparkEnded(output: string): InfrastructureError {
  const lines = output.split(/\r?\n/).filter((line) => /\S/.test(line) && !/^\S+ \S+ (INFO|WARN)\b/.test(line));
  return new InfrastructureError(
    `Spark ended: ${plainText(lines.slice(-3).join(' ').trim() || 'it said nothing', 600)}`,
    {
      hint: "The driver's Python needs pyspark and sqlglot; spark-submit needs Java 17 or newer.",
    },
  );
}

function notStarted(error: unknown): Error {
  if (!(error instanceof ConfigurationError)) return error as Error;
  return new ConfigurationError(`${error.message.replace(/\.$/, '')}: there is no Spark here.`, {
    hint: 'Put spark-submit on the PATH (pip install pyspark sqlglot), or name it with --spark-submit.',
    cause: error,
  });
}
