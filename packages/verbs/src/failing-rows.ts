import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, plainText } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { isMarkedParquet, isRemote, quoteIdentifier, type TableSession, writeRows } from '@passloop/tables';

export type FailingRequest = {
  /** Columns that name a row; without any, no row is named. */
  key: readonly string[];
  /** Show what stands in the failing column, and not only which row it is. */
  showValues: boolean;
  /** Where all failing rows go, as Parquet, a file a check: a folder, or an address of a cluster's storage; null: nowhere. */
  folder: string | null;
  dataset: string;
};

/** What is said of a broken check beside its document: a few of its rows, and the file of all of them. */
export type FailingRows = { check: string; examples: readonly string[]; file: string | null };

const mostExamples = 5;

/**
 * Looks at the rows that break a check, while its table is open. Rows are data of people: they go where somebody asked for them, and into no document.
 * @param query gives the rows whole
 */
export async function failingRowsOf(
  session: TableSession,
  { id, column }: CheckResult,
  query: string,
  request: FailingRequest,
): Promise<FailingRows> {
  const order = request.key.map(quoteIdentifier).join(', ');
  const file = request.folder === null ? null : placeIn(request.folder, fileName(request.dataset, id));
  if (file !== null) await writeRows(session, query, order === '' ? 'ALL' : order, file, markOf(request.dataset));
  if (request.key.length === 0) return { check: id, examples: [], file };
  const shown = column === null || request.key.includes(column) ? [] : [column];
  const rows = await session.rows(
    `SELECT ${[...request.key, ...shown].map((name, at) => `${quoteIdentifier(name)}::VARCHAR AS ${quoteIdentifier(`shown_${at}`)}`).join(', ')} FROM (${query}) ORDER BY ${order} LIMIT ${mostExamples}`,
  );
  const text = (name: string, value: unknown) => {
    const isHidden = !request.key.includes(name) && !request.showValues;
    return `${plainText(name, 60)}=${isHidden ? '…' : value === null ? 'NULL' : plainText(String(value), 60)}`;
  };
  const examples = rows.map((row) =>
    [...request.key, ...shown].map((name, at) => text(name, row[at] ?? null)).join(' '),
  );
  return { check: id, examples, file };
}

function placeIn(folder: string, name: string): string {
  return isRemote(folder) ? `${folder.replace(/\/+$/, '')}/${name}` : path.join(folder, name);
}

/** Removes what an earlier run wrote of a dataset's failing rows, so that a file there is of this run. Nothing else is touched. */
export async function removeFailingRows(folder: string, dataset: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names.filter((one) => /-[0-9a-f]{8}\.parquet$/.test(one))) {
    const file = path.join(folder, name);
    if (await isMarkedParquet(file, markOf(dataset))) await rm(file);
  }
}

/** What the metadata of these files holds: they are of this dataset, and Passloop's. */
function markOf(dataset: string): string {
  return `passloop_failing_rows_${createHash('sha256').update(dataset).digest('hex').slice(0, 32)}`;
}

/** A name that stays in its folder whatever the check is called, and is another one for each check. */
function fileName(dataset: string, id: string): string {
  const mark = createHash('sha256').update(`${dataset}\0${id}`).digest('hex').slice(0, 8);
  const plain = `${dataset}-${id}`.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '');
  return `${plain.slice(0, 80)}-${mark}.parquet`;
}
