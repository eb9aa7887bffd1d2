import type { DuckDBDataChunk } from '@duckdb/node-api';
import { ConfigurationError, endAtStop, InfrastructureError, type PassloopError, plainText } from '@passloop/core';

export type EngineOptions = {
  /** Such as `1GB`; what does not fit is spilled to the temporary folder. */
  memoryLimit: string;
  threads: number | null;
  /** Where the engine may spill, and the only folder where it may write. */
  scratch: string;
  /** The only files outside `scratch` that it may open. */
  files: readonly string[];
};

export type Scalar = string | number | bigint | boolean | null;

/** One hardened DuckDB in memory, with one connection. */
export type Engine = {
  rows(sql: string): Promise<Scalar[][]>;
  /** Chunks of at most 2048 rows, in the query's order, while the engine still works. */
  stream(sql: string): AsyncIterable<DuckDBDataChunk>;
  run(sql: string): Promise<void>;
  close(): void;
};

/** What documents say: `duckdb 1.5.4`. */
export async function engineName(): Promise<string> {
  const { version } = await duckdb();
  return `duckdb ${version().replace(/^v/, '')}`;
}

/** The native binding: loaded when a table is opened, since no other command should wait for it. It is not in the bundle. */
async function duckdb() {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new InfrastructureError(`DuckDB, which reads tables, could not be loaded: ${plainText(String(error), 300)}`, {
      hint: 'Run `npm ci` in the clone that the command is in. It needs Linux or macOS on x64 or arm64, with glibc.',
      cause: error,
    });
  }
}

/**
 * Starts DuckDB so that even a statement of ours gone wrong could do little: no extension is installed or loaded, no
 * file is opened but `files` and those in `scratch`, no address is reached, and no setting can be changed afterwards.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { DuckDBConnection, DuckDBInstance } = await duckdb();
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    memory_limit: options.memoryLimit,
    temp_directory: options.scratch,
    preserve_insertion_order: 'false',
    ...(options.threads === null ? {} : { threads: String(options.threads) }),
  });
  const connection = await DuckDBConnection.create(instance);
  const list = (paths: readonly string[]) => `[${paths.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')}]`;
  await connection.run(`SET TimeZone = 'UTC'`);
  await connection.run(`SET allowed_paths = ${list(options.files)}`);
  await connection.run(`SET allowed_directories = ${list([options.scratch])}`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');

  /** Node itself can't end while a thread of the engine works. */
  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    const over = endAtStop('A query', () => connection.interrupt());
    try {
      return await work();
    } catch (error) {
      throw engineError(error);
    } finally {
      over();
    }
  }

  return {
    async rows(sql) {
      const reader = await attempt(() => connection.runAndReadAll(sql));
      return reader.getRowsJS() as Scalar[][];
    },
    async *stream(sql) {
      const result = await attempt(() => connection.stream(sql));
      for (;;) {
        const chunk = await attempt(() => result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        yield chunk;
      }
    },
    async run(sql) {
      await attempt(() => connection.run(sql));
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** An engine's message as an error of ours: what is in the data or the query is the user's to mend. */
function engineError(error: unknown): PassloopError {
  const message = withoutValues(error instanceof Error ? error.message : String(error));
  const text = plainText(message.split('\n\n')[0] ?? message, 600);
  const line = /Line: (\d+)/.exec(message)?.[1];
  const ours =
    /^(Invalid Input|Conversion|Binder|Catalog|Parser|Out of Range|IO|Permission|Mismatch Type|Invalid|Serialization|CSV|Syntax)/;
  if (/^Out of Memory/.test(message)) {
    return new InfrastructureError(`DuckDB: ${text}`, {
      hint: 'What it may take is bounded, and what can be is spilled to disk. Fewer columns or checks at once need less.',
      cause: error,
    });
  }
  if (!ours.test(message)) return new InfrastructureError(`DuckDB: ${text}`, { cause: error });
  return new ConfigurationError(text, { line: line === undefined ? undefined : Number(line), cause: error });
}

/** The engine's names of types that a value is turned into. */
const targetType =
  /\b(BOOL|U?INT(?:8|16|32|64|128)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|date|time|timestamp|INTERVAL|BIT)\b/g;

/**
 * The message without what it repeats of a row. It goes into documents and comments, and whoever writes an expression
 * would choose by it which cell stands there (`CASE WHEN id = 5 THEN name END::DOUBLE`).
 */
function withoutValues(message: string): string {
  // A broken line of a file, of which its number says enough.
  const ofColumn =
    /^Conversion Error: CSV Error on Line: (\d+)\n[\s\S]*\nColumn ([\s\S]{1,300}) is being converted as type (\S+)/.exec(
      message,
    );
  if (ofColumn !== null)
    return `Conversion Error: CSV Error on Line: ${ofColumn[1]}: the value of column ${JSON.stringify(ofColumn[2])} is no ${ofColumn[3]}`;
  if (/^(Conversion|Invalid Input) Error: CSV Error/.test(message)) {
    return message
      .replace(/( with value )\S+/, '$1…')
      .replace(/(\nOriginal Line: )[\s\S]*?(?=\n(?:Maximum|Expected|Possible|Value|Invalid)|$)/, '$1…');
  }
  if (/^(Conversion|Mismatch Type) Error:/.test(message)) {
    const type = message.match(targetType)?.at(-1);
    return `Conversion Error: the value of a row can't be converted${type === undefined ? '' : ` to ${type}`}`;
  }
  if (/^Out of Range Error:/.test(message))
    return 'Out of Range Error: the result of a row is too large, or not defined';
  if (/^Invalid Input Error: Could not parse string/.test(message))
    return 'Invalid Input Error: the text of a row has another format than strptime is given';
  const ofJson = /^Invalid Input Error: JSON transform error in file "[^"]*", in line \d+: /.exec(message);
  if (ofJson !== null)
    return `${ofJson[0]}${/ has duplicate key /.test(message) ? 'an object has a key twice' : 'a value has another form'}`;
  return message.replace(/( with value )\S+/, '$1…');
}
