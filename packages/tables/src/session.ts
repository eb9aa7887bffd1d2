import path from 'node:path';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { ConfigurationError, InfrastructureError, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { columnType, type TableColumn } from './column-types.ts';
import { brokenLine, readDelimited, refuseEqualNames } from './csv.ts';
import { type Engine, engineName, type Scalar, startEngine } from './engine.ts';
import { readJsonLines } from './json-lines.ts';
import { isLargeText, parquetCopy } from './parquet-copy.ts';
import { quoteIdentifier, quoteText } from './quote.ts';
import { findTableFiles, refusePointers, shownFile, type TableFiles, type TableFormat } from './source.ts';

export type SessionOptions = {
  /** Memory that the engine may take before it spills; `1GB` by default. */
  memoryLimit?: string | undefined;
  /** All processors by default. No result depends on it. */
  threads?: number | undefined;
  /** Where the engine spills and where files are made before they are moved into place; the system's by default. */
  temporaryFolder?: string | undefined;
};

export type TableSource = {
  /** A file, folder or glob; relative to `root`. */
  uri: string;
  root: string;
  /** What messages call it; the last part of `uri` by default. */
  name?: string | undefined;
};

/** An open table: a name that queries of the same session may use, and what is known about it. */
export type Table = {
  /** What messages call it: `predictions.parquet`. */
  name: string;
  /** Where it lies; null for a table that was derived from others. */
  source: TableFiles | null;
  columns: TableColumn[];
  rows: number;
  /** The quoted relation for FROM, in this session. */
  relation: string;
  /** The expression for FROM that anybody can paste, with the path as the user wrote it. */
  printed: string;
};

/** An embedded DuckDB and the tables that were opened in it. Queries run one after another. */
export type TableSession = AsyncDisposable & {
  /** `duckdb 1.5.4` */
  engine: string;
  open(source: TableSource): Promise<Table>;
  /** A table from a query over open tables; nothing is copied. `printed` is the query as documents show it. */
  derive(query: string, name: string): Promise<Table>;
  rows(sql: string): Promise<Scalar[][]>;
  /** Calls `visit` for each chunk in order. `visit` must not query. */
  scan(sql: string, visit: (chunk: DuckDBDataChunk) => void): Promise<void>;
  run(sql: string): Promise<void>;
  /** A private folder in which the engine may write. */
  scratch: string;
};

/**
 * Opens a session. The engine sees the files of the tables that were opened and a scratch folder, nothing else: no
 * extension, no address, no other file. Since its list of files is fixed once external access is off, it is started
 * again (some 20 ms) when another table is opened; open tables are views, so nothing is lost.
 */
export async function openTables(options: SessionOptions = {}): Promise<TableSession> {
  const name = await engineName();
  const folder: TemporaryFolder = await temporaryFolder('tables', options.temporaryFolder);
  /** The files that the engine may see, and how the user wrote them: messages name no folder of this machine. */
  const files = new Map<string, string>();
  const views: { relation: string; query: string }[] = [];
  let engine: Engine | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = queue.then(work, work).catch((error: unknown) => {
      throw asWritten(error, files);
    });
    queue = next.catch(() => undefined);
    return next;
  }
  async function running(): Promise<Engine> {
    if (engine !== null) return engine;
    engine = await startEngine({
      memoryLimit: options.memoryLimit ?? '1GB',
      threads: options.threads ?? null,
      scratch: folder.path,
      files: [...files.keys()],
    });
    for (const view of views) {
      // A table whose file is gone meanwhile is gone too, and must not take the others along.
      await engine.run(`CREATE TEMP VIEW ${view.relation} AS ${view.query}`).catch((error: unknown) => {
        if (!(error instanceof ConfigurationError)) throw error;
      });
    }
    return engine;
  }
  /** How a table is read, and what is read then: the files, or the copy of a large table of text, made by an engine that is gone afterwards. */
  async function parsed(found: TableFiles): Promise<{ reader: (files: string) => string; relation: string }> {
    const list = `[${found.files.map(quoteText).join(', ')}]`;
    if (found.format === 'parquet' || !(await isLargeText(found.files))) {
      const reader = await readerOf(await running(), found);
      return { reader, relation: reader(list) };
    }
    engine?.close();
    engine = null;
    const parser = await startEngine({
      memoryLimit: options.memoryLimit ?? '400MB',
      threads: options.threads ?? null,
      scratch: folder.path,
      files: found.files,
    });
    try {
      const reader = await readerOf(parser, found);
      const copy = await parquetCopy(parser, reader(list), { files: found.files, scratch: folder.path });
      return { reader, relation: copy ?? reader(list) };
    } finally {
      parser.close();
    }
  }
  async function addView(query: string): Promise<{ relation: string; columns: TableColumn[]; rows: number }> {
    const current = await running();
    const relation = quoteIdentifier(`passloop_${views.length + 1}`);
    await current.run(`CREATE TEMP VIEW ${relation} AS ${query}`);
    views.push({ relation, query });
    const described = await current.rows(`SELECT column_name, column_type FROM (DESCRIBE ${relation})`);
    const columns = described.map(([name, type]) => ({
      name: String(name),
      type: columnType(String(type)),
      engineType: String(type),
    }));
    const [[rows] = []] = await current.rows(`SELECT count(*) FROM ${relation}`);
    return { relation, columns, rows: Number(rows) };
  }

  return {
    engine: name,
    scratch: folder.path,
    open: (source) =>
      inTurn(async () => {
        const found = await findTableFiles(source.uri, source.root);
        await refusePointers(found);
        const name = source.name ?? (path.basename(source.uri) || source.uri);
        if (found.files.some((file) => !files.has(file))) {
          for (const file of found.files) files.set(file, shownFile(found, file));
          engine?.close();
          engine = null;
        }
        try {
          const { reader, relation: from } = await parsed(found);
          const { relation, columns, rows } = await addView(`SELECT * FROM ${from}`);
          if (found.format === 'parquet') await refuseRenamed(await running(), found, columns);
          return { name, source: found, columns, rows, relation, printed: printedReader(reader, found) };
        } catch (error) {
          throw inTable(error, name, source.uri);
        }
      }),
    derive: (query, name) =>
      inTurn(async () => ({ name, source: null, ...(await addView(query)), printed: `(${query})` })),
    rows: (sql) => inTurn(async () => (await running()).rows(sql)),
    run: (sql) => inTurn(async () => (await running()).run(sql)),
    scan: (sql, visit) =>
      inTurn(async () => {
        for await (const chunk of (await running()).stream(sql)) visit(chunk);
      }),
    async [Symbol.asyncDispose]() {
      await queue;
      engine?.close();
      engine = null;
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The table function of a format, with every option that decides how bytes become values. */
async function readerOf(engine: Engine, found: TableFiles): Promise<(files: string) => string> {
  if (found.format === 'parquet') return (files) => `read_parquet(${files}, hive_partitioning = false)`;
  if (found.format === 'jsonl') {
    const options = await readJsonLines(engine, found.files);
    return (files) => `read_json(${files}, ${options})`;
  }
  const delimited = await readDelimited(engine, found.files, found.format === 'tsv');
  return (files) => `read_csv(${files}, ${delimited.options}, hive_partitioning = false)`;
}

/** An error whose file and message name files as the user wrote them. */
function asWritten(error: unknown, files: ReadonlyMap<string, string>): unknown {
  if (!(error instanceof ConfigurationError || error instanceof InfrastructureError)) return error;
  let { message, file } = error;
  for (const [absolute, shown] of files) {
    message = message.replaceAll(absolute, shown);
    if (file === absolute) file = shown;
  }
  if (message === error.message && file === error.file) return error;
  const details = {
    file: file ?? undefined,
    line: error.line ?? undefined,
    hint: error.hint ?? undefined,
    cause: error,
  };
  return error instanceof ConfigurationError
    ? new ConfigurationError(message, details)
    : new InfrastructureError(message, details);
}

async function refuseRenamed(engine: Engine, found: TableFiles, columns: readonly TableColumn[]): Promise<void> {
  const lower = new Set(columns.map((column) => column.name.toLowerCase()));
  const suspects = columns.filter((column) => lower.has(column.name.toLowerCase().replace(/_\d+$/, '')));
  if (!suspects.some((column) => /_\d+$/.test(column.name))) return;
  const file = found.files[0] as string;
  const rows = await engine.rows(`SELECT name FROM parquet_schema(${quoteText(file)})`);
  const stored = new Set(rows.map(([name]) => String(name)));
  if (columns.some((column) => !stored.has(column.name))) {
    refuseEqualNames(
      [...stored].filter((name) => lower.has(name.toLowerCase())),
      file,
    );
  }
}

const endingOf: Record<TableFormat, string> = { parquet: 'parquet', csv: 'csv', tsv: 'tsv', jsonl: 'jsonl' };

/** Hive partitions matter for paths with `=` only; elsewhere the option would be noise in a query for people. */
function printedReader(reader: (files: string) => string, found: TableFiles): string {
  const printed = reader(quoteText(pasteable(found)));
  return found.uri.includes('=') ? printed : printed.replace(/, hive_partitioning = false(?=[,)])/, '');
}

function pasteable(found: TableFiles): string {
  const isFolder = found.folder !== null && !/[*?[\]{}]/.test(found.uri);
  if (!isFolder) return found.uri;
  return `${found.uri.replace(/\/$/, '')}/**/*.${endingOf[found.format]}`;
}

function inTable(error: unknown, name: string, uri: string): unknown {
  if (!(error instanceof ConfigurationError) || error.file !== null) return error;
  const broken = brokenLine(error, name, uri);
  if (broken !== null) return broken;
  return new ConfigurationError(`${name} cannot be read as a table: ${error.message}`, {
    file: uri,
    line: error.line ?? undefined,
    cause: error,
  });
}
