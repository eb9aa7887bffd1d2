import path from 'node:path';
import {
  ConfigurationError,
  type Digest,
  jsonDigest,
  PassloopError,
  readTextIfExists,
  writeFileAtomic,
} from '@passloop/core';
import type { Profile } from '@passloop/data';
import { type DataReport, formatDocument, parseDocument } from '@passloop/documents';
import { type Check, checkKinds, type Model } from '@passloop/model';
import { cacheFolder } from './cache-folder.ts';
import type { Context } from './context.ts';

/** All that a report follows from. */
export type ReportSubject = {
  dataset: { name: string; uri: string; digest: Digest | null };
  checks: readonly Check[];
  profile: Profile | null;
  /** The model's key and the roles of its columns; null for a plain file. */
  columns: Model['columns'] | null;
  /** Datasets whose values the report may name. */
  shown: ReadonlySet<string>;
  engine: string;
  /** Of Passloop: another one may judge otherwise. */
  version: string;
  /** The digest of another dataset that a check looks into. */
  digestOf(name: string): Promise<Digest | null>;
};

/**
 * The key of a report: the same key, the same bytes. Null where there is none: a check asks for the time, or a dataset has no digest.
 */
export async function reportKey({
  dataset,
  checks,
  profile,
  columns,
  shown,
  engine,
  version,
  digestOf,
}: ReportSubject): Promise<Digest | null> {
  if (dataset.digest === null || checks.some(({ kind }) => checkKinds[kind].isTimed === true || kind === 'history'))
    return null;
  const others: [string, Digest][] = [];
  for (const name of new Set(checks.flatMap((check) => ('dataset' in check ? (check.dataset ?? []) : [])))) {
    const digest = await digestOf(name);
    if (digest === null) return null;
    others.push([name, digest]);
  }
  const { name, uri, digest } = dataset;
  // Numbers of checks and profiles are not all of the kind that canonical JSON takes: as text they are.
  const [written, against] = [JSON.stringify(checks), profile === null ? null : JSON.stringify(profile)];
  return jsonDigest({
    schema: 'data-report/1',
    name,
    uri,
    digest,
    checks: written,
    profile: against,
    columns: JSON.stringify(columns),
    shown: [...shown].sort(),
    engine,
    version,
    others,
  });
}

/** The report of that key in which everything held, or null. Others aren't kept, warnings included: whoever asks again wants to see the rows. */
export async function storedReport(context: Context, key: Digest): Promise<DataReport | null> {
  const file = fileOf(context, key);
  const text = file === null ? null : await readTextIfExists(file);
  if (file === null || text === null) return null;
  try {
    const report = parseDocument('data-report', text, file);
    return report.verdict === 'pass' ? report : null;
  } catch (error) {
    // Cut off by a full disk, or written by a later version: it is made anew.
    if (error instanceof PassloopError) return null;
    throw error;
  }
}

export async function storeReport(context: Context, key: Digest, report: DataReport): Promise<void> {
  const file = fileOf(context, key);
  if (file !== null && report.verdict === 'pass') await writeFileAtomic(file, formatDocument('data-report', report));
}

function fileOf(context: Context, key: Digest): string | null {
  try {
    return path.join(cacheFolder(context), 'data-reports', `${key.replace('sha256:', '')}.json`);
  } catch (error) {
    if (error instanceof ConfigurationError) return null;
    throw error;
  }
}
