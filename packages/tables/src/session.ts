import path from 'node:path';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import {
  ConfigurationError,
  InfrastructureError,
  PassloopError,
  type TemporaryFolder,
  temporaryFolder,
} from '@passloop/core';
import { columnType, type TableColumn } from './column-types.ts';
import { brokenLine } from './csv.ts';
import { type Engine, engineName, type Scalar, startEngine } from './engine.ts';
import { isLargeText, parquetCopy } from './parquet-copy.ts';
import { quoteIdentifier, quoteText } from './quote.ts';
import { floatNames, type ShownTable, shownQuery } from './shown-query.ts';
import { findTableFiles, refusePointers, shownFile, type TableFiles } from './source.ts';
import { refuseRenamed, type TableQuery, tableQuery } from './table-query.ts';
import { refuseCut } from './text-file.ts';

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
  /** Its files, where they were found already: those of a remote table are only known to who fetched it. */
  found?: TableFiles | undefined;
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

/** Writes rows as Parquet from where they lie. */
export type RowExport = {
  /** @throws ConfigurationError for a place that they can't be written to */
  require(target: string): void;
  /** @param order what a file is sorted by; on a cluster's storage nothing is */
  write(query: string, order: string, target: string, mark: string): Promise<void>;
};

export type HeldColumns = AsyncDisposable & { table: Table };

export type Ranked = { points: number[]; distinct: number };

/** What a file may note of a column: its smallest and largest value, or that no row lacks one. */
export type Note = { column: TableColumn; about: 'extremes' | 'presence' };
/** An aggregate that nothing but the note is needed for: over min and max of the column, or its count. */
export type NotedQuestion = Note & { aggregate: string };

/** `written`: the query without what hides from the engine what it knows of floats, and the only file that it reads. */
type View = {
  relation: string;
  query: string;
  written: { query: string; footer: string; notes?: Notes } | null;
};

/** An embedded DuckDB and the tables that were opened in it. Queries run one after another. */
export type TableSession = AsyncDisposable & {
  /** `duckdb 1.5.4` */
  engine: string;
  open(source: TableSource): Promise<Table>;
  /** A table from a query over open tables; nothing is copied. `printed` is the query as documents show it. */
  derive(query: string, name: string): Promise<Table>;
  /**
   * Some columns of an open table, copied so that many queries on them are cheap: a query on a wide table pays for all
   * of its columns. What does not fit into memory is spilled. The copy is gone when it is disposed. Null where there is
   * no room for it, or nothing is gained by it.
   */
  hold(table: Table, columns: readonly TableColumn[]): Promise<HeldColumns | null>;
  /**
   * What is noted of a table beside its rows, as in a Parquet file's footer: no row is read for it. Undefined for what is not
   * noted. NaN is in no note of extremes: whoever asks about floats has to look for it among the rows.
   */
  noted(table: Table, asked: readonly NotedQuestion[]): Promise<(Scalar | undefined)[]>;
  rows(sql: string): Promise<Scalar[][]>;
  /** Calls `visit` for each chunk in order. `visit` must not query. */
  scan(sql: string, visit: (chunk: DuckDBDataChunk) => void): Promise<void>;
  run(sql: string): Promise<void>;
  /** The columns of a query that gives doubles, at least one row; null for more rows than come here from where they lie. */
  doubles(sql: string): Promise<number[][] | null>;
  /** Where rows lie elsewhere: how they are written. Null where the engine writes them itself. */
  exports: RowExport | null;
  /**
   * The values at some ranks, from 1, of a query's column `v` in order, and how many values differ.
   * @param values gives finite doubles
   */
  ranked(values: string, ranks: readonly number[]): Promise<Ranked>;
  /**
   * How many values differ of a query's column `v`, which gives no NULL and no number outside of these bounds. Cheap where
   * the bounds are near each other: a bit for each number between them.
   * @param values gives integers
   */
  distinctBetween(values: string, low: bigint, high: bigint): Promise<number>;
  /** A query over tables' `printed` as a person would paste it into this engine. */
  shown(sql: string): Promise<string>;
  /** How often a query reads a relation. A description reads no row. */
  passes(sql: string, relation: string): number;
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
  const views: View[] = [];
  const shown: ShownTable[] = [];
  let named = 0;
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
  /**
   * How a table is read: its files, or the copy of a large table of text, made by an engine that is gone afterwards; and the
   * Parquet file that is all it is read from.
   */
  async function parsed(found: TableFiles): Promise<TableQuery & { footer: string | null }> {
    if (found.format === 'parquet' || !(await isLargeText(found.files))) {
      const [only] = found.format === 'parquet' && found.files.length === 1 ? found.files : [];
      return { ...(await tableQuery(await running(), found)), footer: only ?? null };
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
      const { query, printed } = await tableQuery(parser, found);
      const copy = await parquetCopy(parser, `(${query})`, { files: found.files, scratch: folder.path });
      if (copy === null) return { query, printed, footer: null };
      return { query: `SELECT * FROM ${copy.relation}`, printed, footer: copy.file };
    } finally {
      parser.close();
    }
  }
  function nextRelation(): string {
    named++;
    return quoteIdentifier(`passloop_${named}`);
  }
  /** @param footer of the file that alone is read by the query as it was written */
  async function addView(given: string, { hasExtremes, footer }: { hasExtremes: boolean; footer: string | null }) {
    const current = await running();
    const relation = nextRelation();
    const described = await current.rows(`SELECT column_name, column_type FROM (DESCRIBE (${given}))`);
    const columns = described.map(
      ([name, type]): TableColumn => ({
        name: String(name),
        type: columnType(String(type)),
        engineType: String(type),
      }),
    );
    const query = hasExtremes ? withoutExtremes(given, columns) : given;
    await current.run(`CREATE TEMP VIEW ${relation} AS ${query}`);
    views.push({ relation, query, written: footer === null ? null : { query: given, footer } });
    const [[rows] = []] = await current.rows(`SELECT count(*) FROM ${relation}`);
    return { relation, columns, rows: Number(rows) };
  }

  function scan(sql: string, visit: (chunk: DuckDBDataChunk) => void): Promise<void> {
    return inTurn(async () => {
      for await (const chunk of (await running()).stream(sql)) visit(chunk);
    });
  }

  async function hold(table: Table, columns: readonly TableColumn[]): Promise<HeldColumns | null> {
    const holder = await running();
    const query = `SELECT ${columns.map((column) => quoteIdentifier(column.name)).join(', ')} FROM ${table.relation}`;
    const relation = nextRelation();
    try {
      await holder.run(`CREATE TEMP TABLE ${relation} AS ${query}`);
    } catch (error) {
      // What is wrong with the table is told by whoever reads it as it is.
      if (error instanceof PassloopError) return null;
      throw error;
    }
    // An engine that is started meanwhile has a view in its place.
    const view = { relation, query, written: null };
    views.push(view);
    return {
      table: { ...table, columns: [...columns], relation },
      [Symbol.asyncDispose]: () =>
        inTurn(async () => {
          views.splice(views.indexOf(view), 1);
          if (engine !== null) await engine.run(`DROP ${engine === holder ? 'TABLE' : 'VIEW'} IF EXISTS ${relation}`);
        }),
    };
  }

  async function noted(table: Table, asked: readonly NotedQuestion[]): Promise<(Scalar | undefined)[]> {
    const written = views.find(({ relation }) => relation === table.relation)?.written ?? null;
    if (written === null || asked.length === 0) return asked.map(() => undefined);
    const current = await running();
    written.notes ??= await footerNotes(current, written.footer);
    const { notes, query } = written;
    const answers = new Map<NotedQuestion, Scalar>();
    async function answer(questions: readonly NotedQuestion[]): Promise<boolean> {
      const sql = `SELECT ${questions.map(({ aggregate }) => aggregate).join(', ')} FROM (${query})`;
      if (questions.length === 0 || (await readsRows(current, sql))) return false;
      const [row] = await current.rows(sql);
      for (const [at, question] of questions.entries()) answers.set(question, row?.[at] ?? null);
      return true;
    }
    const known = asked.filter(({ column, about }) => notes[about].has(column.name));
    // One that the engine can't answer spoils it for the others, and it is the types that it knows, or doesn't.
    if (!(await answer(known))) for (const alike of Map.groupBy(known, kindOfNote).values()) await answer(alike);
    return asked.map((question) => answers.get(question));
  }

  return {
    engine: name,
    scratch: folder.path,
    open: (source) =>
      inTurn(async () => {
        const found = source.found ?? (await findTableFiles(source.uri, source.root));
        await refusePointers(found);
        const name = source.name ?? (path.basename(source.uri) || source.uri);
        if (found.files.some((file) => !files.has(file))) {
          for (const file of found.files) files.set(file, shownFile(found, file));
          engine?.close();
          engine = null;
        }
        try {
          await refuseCut(found.files);
          const { query, printed, footer } = await parsed(found);
          const hasExtremes = found.format === 'parquet';
          const { relation, columns, rows } = await addView(query, { hasExtremes, footer });
          if (found.format === 'parquet') {
            await refuseRenamed(await running(), found, columns);
            if (shown.every((one) => one.printed !== printed)) shown.push({ printed, floats: floatNames(columns) });
          }
          return { name, source: found, columns, rows, relation, printed };
        } catch (error) {
          throw inTable(error, name, source.uri);
        }
      }),
    derive: (query, name) =>
      inTurn(async () => ({
        name,
        source: null,
        ...(await addView(query, { hasExtremes: false, footer: null })),
        printed: `(${query})`,
      })),
    noted: (table, asked) => inTurn(() => noted(table, asked)),
    hold: (table, columns) => inTurn(() => hold(table, columns)),
    rows: (sql) => inTurn(async () => (await running()).rows(sql)),
    run: (sql) => inTurn(async () => (await running()).run(sql)),
    ranked: (values, ranks) =>
      inTurn(async () => {
        const [row] = await (await running()).rows(
          `SELECT count_if(fresh), to_json(list(v ORDER BY rank) FILTER (WHERE rank IN (${ranks.join(', ')})))::VARCHAR
           FROM (SELECT v, row_number() OVER w AS rank, (lag(v) OVER w) IS DISTINCT FROM v AS fresh
                 FROM (${values}) WINDOW w AS (ORDER BY v))`,
        );
        return { points: JSON.parse(String(row?.[1])) as number[], distinct: Number(row?.[0]) };
      }),
    distinctBetween: (values, low, high) =>
      inTurn(async () => {
        const [row] = await (await running()).rows(
          `SELECT bit_count(bitstring_agg(v, ${low}, ${high})) FROM (${values})`,
        );
        return Number(row?.[0] ?? 0);
      }),
    shown: async (sql) => shownQuery(sql, shown),
    passes: mentions,
    scan,
    async doubles(sql) {
      const columns: number[][] = [];
      await scan(sql, (chunk) => {
        for (const [at, values] of (chunk.getColumns() as number[][]).entries()) {
          columns[at] ??= [];
          for (const value of values) columns[at].push(value);
        }
      });
      return columns;
    },
    exports: null,
    async [Symbol.asyncDispose]() {
      await queue;
      engine?.close();
      engine = null;
      await folder[Symbol.asyncDispose]();
    },
  };
}

/**
 * A query whose floats the engine knows no extremes of. Writers of Parquet leave NaN out of those that they note, and the
 * engine would skip what lies beyond them, NaN too, though to it NaN is above every number. A union of one member is the
 * column itself, with nothing computed or copied, and the engine carries no statistics through it.
 */
function withoutExtremes(query: string, columns: readonly TableColumn[]): string {
  if (columns.every(({ type }) => type !== 'float')) return query;
  // Each column by its name: a star with hundreds of replacements takes the engine longer to read than the rows.
  const list = columns.map((column) => {
    const name = quoteIdentifier(column.name);
    return column.type === 'float' ? `union_value(v := ${name}).v AS ${name}` : name;
  });
  return `SELECT ${list.join(', ')} FROM (${query})`;
}

type Notes = Record<Note['about'], ReadonlySet<string>>;

function kindOfNote({ about, column }: Note): string {
  return `${about} ${column.engineType}`;
}

/**
 * The columns of which a Parquet file notes something for all of its rows. Only a hint what to ask the engine for: the names
 * are those in the file.
 */
async function footerNotes(engine: Engine, footer: string): Promise<Notes> {
  const rows = await engine.rows(
    `SELECT path_in_schema,
       bool_and(coalesce(stats_min_value, stats_min) IS NOT NULL AND coalesce(stats_max_value, stats_max) IS NOT NULL),
       bool_and(coalesce(stats_null_count = 0, false))
     FROM parquet_metadata(${quoteText(footer)}) GROUP BY path_in_schema`,
  );
  const named = (at: 1 | 2) => new Set(rows.filter((row) => row[at] === true).map(([name]) => String(name)));
  return { extremes: named(1), presence: named(2) };
}

/** Whether the engine, by its own plan, has more to do for a query than to give what it knows. */
async function readsRows(engine: Engine, sql: string): Promise<boolean> {
  const [[, plan] = []] = await engine.rows(`EXPLAIN (FORMAT json) ${sql}`);
  const steps = (JSON.parse(String(plan)) as PlanStep[]).flatMap(stepNames);
  return !steps.every((name) => name === 'PROJECTION' || name === 'COLUMN_DATA_SCAN');
}

type PlanStep = { name: string; children?: PlanStep[] };

function stepNames({ name, children = [] }: PlanStep): string[] {
  return [name, ...children.flatMap(stepNames)];
}

/** Each mention of a relation in a query is a pass over it; what stands in a text is no table. */
export function mentions(sql: string, relation: string): number {
  return sql.includes('(DESCRIBE ') ? 0 : sql.replace(/'(?:[^']|'')*'/g, "''").split(relation).length - 1;
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

function inTable(error: unknown, name: string, uri: string): unknown {
  if (!(error instanceof ConfigurationError) || error.file !== null) return error;
  const broken = brokenLine(error, name, uri);
  if (broken !== null) return broken;
  const isCut = /magic bytes|too small to be a Parquet file|Footer length error|TProtocolException/.test(error.message);
  return new ConfigurationError(`${name} cannot be read as a table: ${error.message}`, {
    file: uri,
    line: error.line ?? undefined,
    hint: isCut
      ? 'A Parquet file ends with its own description: this one is cut short, or is something else. Write it or fetch it again.'
      : undefined,
    cause: error,
  });
}
