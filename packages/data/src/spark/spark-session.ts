import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, plainText, temporaryFolder } from '@passloop/core';
import {
  columnType,
  findTableFiles,
  isRemote,
  mentions,
  openTables,
  quoteIdentifier,
  type Ranked,
  type RowExport,
  type Scalar,
  type Table,
  type TableFormat,
  type TableSession,
  type TableSource,
  tableFormat,
  writeParquet,
} from '@passloop/tables';
import { type SparkJob, type SparkOptions, startSparkJob } from './spark-job.ts';

/** `master` as Spark has it; null where only a server knows. */
type About = { version: string; master: string | null };
type Opened = { columns: [name: string, type: string][] };

/**
 * Where Spark leaves columns out it doesn't see that a row is broken; a quoted text may hold a line break; and the columns of each
 * file have the names of its own header.
 */
const csv = {
  header: 'true',
  inferSchema: 'true',
  mode: 'FAILFAST',
  escape: '"',
  multiLine: 'true',
  columnPruning: 'false',
  enforceSchema: 'false',
};

/** How Spark is told to read what DuckDB finds out by itself. Broken rows fail the read: none is dropped in silence. */
const readers: Record<TableFormat, { format: string; options: Record<string, string> }> = {
  parquet: { format: 'parquet', options: {} },
  csv: { format: 'csv', options: csv },
  tsv: { format: 'csv', options: { ...csv, sep: '\t' } },
  jsonl: { format: 'json', options: { mode: 'FAILFAST' } },
};

/** Where the driver's Python stands beside this code: in the sources, and in a built bundle that copied it. */
function sparkJobFolder(): string {
  return fileURLToPath(new URL('./job/', import.meta.url));
}

/**
 * A session whose tables lie on a Spark cluster. Queries are the same as on one machine; the job translates them. What
 * reads no row, such as the check of a condition's grammar, is answered by the embedded engine, over empty tables of the
 * same columns.
 *
 * @throws ConfigurationError where Spark isn't there; InfrastructureError where it can't start
 */
export async function openSparkTables(options: SparkOptions): Promise<TableSession> {
  const stack = new AsyncDisposableStack();
  try {
    const grammar = stack.use(await openTables());
    const folder = stack.use(await temporaryFolder('spark'));
    const job = stack.use(await startSparkJob(folder.path, sparkJobFolder(), options));
    const about = await job.ask<About>({ do: 'version' });
    return session(stack, grammar, job, about);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function session(stack: AsyncDisposableStack, grammar: TableSession, job: SparkJob, about: About): TableSession {
  /** How a query for people names each source. */
  const sources = new Map<string, string>();
  const relations: string[] = [];

  /** The table's columns without its rows, in the embedded engine, which also gives the relation its name. */
  async function emptyTable(columns: Opened['columns'], name: string): Promise<Table> {
    const list = columns.map(([column, type]) => {
      const known = columnType(type) === 'nested' ? 'VARCHAR[]' : type;
      return `CAST(NULL AS ${known}) AS ${quoteIdentifier(column)}`;
    });
    return grammar.derive(`SELECT ${list.join(', ')} WHERE false`, name);
  }

  async function rows(sql: string): Promise<Scalar[][]> {
    if (sql.includes('(DESCRIBE ') || !relations.some((relation) => sql.includes(relation))) return grammar.rows(sql);
    return (await job.ask<{ rows: Scalar[][] }>({ do: 'rows', sql })).rows;
  }

  /** Gives what the job has just read a name, and the embedded engine its columns. */
  async function named(columns: Opened['columns'], name: string): Promise<Table> {
    const table = await emptyTable(columns, name);
    const { rows } = await job.ask<{ rows: number }>({ do: 'name', relation: bare(table.relation) });
    relations.push(table.relation);
    return { ...table, rows };
  }

  async function open(source: TableSource): Promise<Table> {
    const found = await sparkFiles(source);
    const { format, options } = readers[found.format];
    const name = source.name ?? (path.posix.basename(source.uri) || source.uri);
    try {
      const { columns } = await job.ask<Opened>({ do: 'read', ...found, format, options });
      const table = await named(columns, name);
      const mark = `spark_${bare(table.relation)}`;
      const given = Object.entries(options).map(([key, value]) => `${key} = '${value.replaceAll('\\', '\\\\')}'`);
      const how = given.length === 0 ? '' : ` WITH (${given.join(', ')})`;
      sources.set(`\`${mark}\``, `${format}.\`${source.uri.replaceAll('`', '``')}\`${how}`);
      return { ...table, printed: quoteIdentifier(mark) };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ConfigurationError(`${name} cannot be read as a table: ${error.message}`, {
        file: source.uri,
        cause: error,
      });
    }
  }

  return {
    engine: `spark ${about.version}`,
    scratch: grammar.scratch,
    open,
    rows,
    async derive(query, name) {
      const { columns } = await job.ask<Opened>({ do: 'read', sql: query });
      return { ...(await named(columns, name)), printed: `(${query})` };
    },
    async distinctBetween(values) {
      const [row] = await rows(`SELECT count(DISTINCT v) FROM (${values})`);
      return Number(row?.[0] ?? 0);
    },
    // What files note is known to the cluster, and it doesn't say where it goes by that.
    noted: async (_, asked) => asked.map(() => undefined),
    // The cluster reads only the columns that it is asked for.
    hold: async () => null,
    ranked: (values, ranks) => job.ask<Ranked>({ do: 'ranks', sql: values, ranks }),
    async shown(sql) {
      const { sql: translated } = await job.ask<{ sql: string }>({ do: 'translate', sql });
      let text = translated;
      for (const [mark, source] of sources) text = text.replaceAll(mark, source);
      return text;
    },
    // Cells are counted in a pass of their own.
    passes: (sql, relation) => mentions(sql, relation) * (/\bhistogram(_exact)?\(/.test(sql) ? 2 : 1),
    async doubles(sql) {
      const { columns } = await job.ask<{ columns: number[][] | null }>({ do: 'doubles', sql, most: mostDoubles });
      return columns;
    },
    exports: rowExport(grammar, job, about),
    async scan() {
      throw notThere();
    },
    async run() {
      throw notThere();
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Rows of doubles that come here in one answer. */
const mostDoubles = 1_000_000;

/**
 * Rows go where the cluster writes. To a folder of this machine they only get where Spark runs on it: through a private folder,
 * from which the embedded engine makes the file that it makes of its own tables.
 */
function rowExport(grammar: TableSession, job: SparkJob, { master }: About): RowExport {
  function require(target: string): void {
    if (isRemote(target) || /^local(\[|-cluster|$)/.test(master ?? '')) return;
    throw new ConfigurationError(`${plainText(target)} lies on this machine, and the rows on a cluster.`, {
      hint: 'Name an address that the cluster writes to, such as hdfs:///checks/failing or s3a://bucket/failing.',
    });
  }
  return {
    require,
    async write(query, order, target, mark) {
      require(target);
      if (isRemote(target)) {
        await job.ask({ do: 'write', sql: query, to: target });
        return;
      }
      const folder = path.join(grammar.scratch, randomBytes(8).toString('hex'));
      try {
        await job.ask({ do: 'write', sql: query, to: `file://${folder}` });
        const { relation } = await grammar.open({ uri: folder, root: '/' });
        await writeParquet(grammar, `SELECT * FROM ${relation} ORDER BY ${order}`, target, mark);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function bare(relation: string): string {
  return relation.slice(1, -1);
}

function notThere(): ConfigurationError {
  return new ConfigurationError('This needs rows on this machine, and on Spark they stay where they are.', {
    hint: 'Without --engine spark it works on files that this machine can hold.',
  });
}

/** `partitions`: types of the columns that folders below `base` name. */
type SparkFiles = { uris: string[]; format: TableFormat; base: string | null; partitions: Record<string, string> };

/** What Spark is to read: an address as it is, or the files of a local table by absolute paths. */
async function sparkFiles({ uri, root }: TableSource): Promise<SparkFiles> {
  if (isRemote(uri)) return { uris: [uri], format: tableFormat(uri) ?? 'parquet', base: null, partitions: {} };
  const { files, format, delta, iceberg, folder, partitions } = await findTableFiles(uri, root);
  if (delta !== null || iceberg !== null) {
    throw new ConfigurationError(
      `${uri} is ${delta === null ? 'an Iceberg' : 'a Delta'} table; by Spark only plain files are read.`,
      { file: uri, hint: 'Leave --engine spark out: the engine of this machine reads it.' },
    );
  }
  const odd = files.find((file) => /[*?[\]{}\\]/.test(file));
  const types = Object.fromEntries(partitions.map(({ name, type }) => [name, type]));
  if (odd === undefined) return { uris: files, format, base: folder, partitions: types };
  throw new ConfigurationError(`Spark would take ${plainText(odd)} for a pattern.`, {
    file: uri,
    hint: 'Name it without *, ?, brackets and backslashes.',
  });
}
