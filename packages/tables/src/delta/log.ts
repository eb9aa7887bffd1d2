import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, temporaryFolder } from '@passloop/core';
import { startEngine } from '../engine.ts';
import { quoteText } from '../quote.ts';
import { Action, type DeltaSnapshot, damaged, parsedJson, type Replay, replay } from './actions.ts';

export const logFolder = '_delta_log';

/** A version of a table, and the files of the log that tell it, by their names. */
export type DeltaLog = DeltaSnapshot & { logFiles: string[] };

const longestCommit = 64 << 20;
const mostCommits = 20_000;

type LogFiles = {
  commits: Map<number, string>;
  /** Whole checkpoints only, by version: the names of their parts. */
  checkpoints: Map<number, string[]>;
};

/**
 * Reads the log of a Delta table: the newest checkpoint, and the commits after it.
 *
 * @param folder the table's
 * @param version null for the newest
 * @param table what messages call it
 * @throws ConfigurationError for a version that isn't there, a log with a gap, and whatever would be read wrongly
 */
export async function readDeltaLog(folder: string, version: number | null, table: string): Promise<DeltaLog> {
  const log = path.join(folder, logFolder);
  const { commits, checkpoints } = await logFilesOf(log, table);
  const known = [...commits.keys(), ...checkpoints.keys()];
  if (known.length === 0) throw damaged(table, 'its log is empty');
  const newest = Math.max(...known);
  const asked = version ?? newest;
  if (asked > newest) {
    throw new ConfigurationError(`${table} has no version ${asked}; the newest is ${newest}.`, { file: table });
  }
  const begin = Math.max(-1, ...[...checkpoints.keys()].filter((one) => one <= asked));
  const parts = checkpoints.get(begin) ?? [];
  const after: string[] = [];
  for (let one = begin + 1; one <= asked; one++) {
    const commit = commits.get(one);
    if (commit === undefined) throw damaged(table, `its log lacks version ${one}, and has no checkpoint after it`);
    after.push(commit);
  }
  const state = replay(table);
  if (parts.length > 0) await applyCheckpoint(state, log, parts, table);
  for (const name of after) await applyCommit(state, path.join(log, name), table);
  return { ...state.snapshot(asked), logFiles: [...parts, ...after] };
}

async function logFilesOf(log: string, table: string): Promise<LogFiles> {
  const commits = new Map<number, string>();
  const parts = new Map<string, { version: number; of: number; names: string[] }>();
  for (const name of (await readdir(log)).sort()) {
    const commit = /^(\d{20})\.json$/.exec(name);
    const checkpoint = /^(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet$/.exec(name);
    if (commit === null && checkpoint === null) continue;
    if (!(await lstat(path.join(log, name))).isFile()) throw damaged(table, `${name} in its log is no regular file`);
    if (commit !== null) commits.set(Number(commit[1]), name);
    if (checkpoint === null) continue;
    const of = Number(checkpoint[2] ?? 1);
    const key = `${checkpoint[1]} ${checkpoint[2] ?? ''}`;
    const known = parts.get(key) ?? { version: Number(checkpoint[1]), of, names: [] };
    parts.set(key, { ...known, names: [...known.names, name] });
  }
  if (commits.size > mostCommits)
    throw damaged(table, `its log has more than ${mostCommits} commits; write a checkpoint`);
  const checkpoints = new Map<number, string[]>();
  // Somebody who writes a checkpoint in parts may have been stopped half-way.
  for (const { version, of, names } of parts.values()) if (names.length === of) checkpoints.set(version, names);
  return { commits, checkpoints };
}

async function applyCommit(state: Replay, file: string, table: string): Promise<void> {
  const name = path.basename(file);
  if ((await lstat(file)).size > longestCommit) throw damaged(table, `${name} in its log is longer than 64 MiB`);
  const lines = (await readFile(file, 'utf8')).split('\n');
  // Within a commit a file may be taken away and given again; what is added stands.
  const actions = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [actionOf(line, `line ${index + 1} of ${name}`, table)],
  );
  for (const action of actions) if (action.remove) state.apply({ remove: action.remove });
  for (const action of actions) state.apply({ ...action, remove: null });
}

function actionOf(text: string, where: string, table: string): Action {
  const parsed = Action.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw damaged(table, `${where} in its log is no action`);
}

/** A checkpoint is a Parquet table with a row an action, and a column a kind of it. */
async function applyCheckpoint(state: Replay, log: string, names: readonly string[], table: string): Promise<void> {
  const files = names.map((name) => path.join(log, name));
  await using scratch = await temporaryFolder('delta');
  const engine = await startEngine({ memoryLimit: '1GB', threads: null, scratch: scratch.path, files });
  try {
    const from = `read_parquet([${files.map(quoteText).join(', ')}], hive_partitioning = false, union_by_name = true)`;
    const described = await engine.rows(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${from})`);
    const types = new Map(described.map(([name, type]) => [String(name), String(type)]));
    if (types.has('sidecar')) {
      const [[sidecars] = []] = await engine.rows(`SELECT count(sidecar) FROM ${from}`);
      if (Number(sidecars) > 0) state.apply({ sidecar: {} });
    }
    const add = types.get('add') ?? '';
    // Statistics are left where they are: of a large table they are most of the checkpoint.
    const fields = ['path', 'size', 'partitionValues', 'deletionVector'].filter((name) => hasField(add, name));
    const added = `CASE WHEN add IS NOT NULL THEN to_json({${fields.map((name) => `'${name}': add.${name}`).join(', ')}})::VARCHAR END`;
    const whole = (name: string) => (types.has(name) ? `to_json(${name})::VARCHAR` : 'NULL');
    const rows = await engine.rows(
      `SELECT ${whole('protocol')}, ${whole('metaData')}, ${fields.length === 0 ? 'NULL' : added} FROM ${from}`,
    );
    for (const [protocol, metaData, file] of rows) {
      if (protocol === null && metaData === null && file === null) continue;
      const parsed = Action.safeParse({
        protocol: typeof protocol === 'string' ? parsedJson(protocol) : null,
        metaData: typeof metaData === 'string' ? parsedJson(metaData) : null,
        add: typeof file === 'string' ? parsedJson(file) : null,
      });
      if (!parsed.success) throw damaged(table, `a row of ${names[0]} is no action`);
      state.apply(parsed.data);
    }
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.file !== null) throw error;
    throw damaged(table, `${names.join(', ')}: ${error.message}`);
  } finally {
    engine.close();
  }
}

function hasField(type: string, name: string): boolean {
  return new RegExp(`[( ]"?${name}"? [A-Z]`).test(type);
}
