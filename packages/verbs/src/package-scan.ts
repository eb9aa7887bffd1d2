import path from 'node:path';
import type { ScanDocument, ScannedFile } from '@passloop/documents';
import { scanModelFile } from '@passloop/packaging';
import type { Context } from './context.ts';

/** Scans model files without loading them. */
export async function packageScan(
  context: Context,
  request: { files: readonly string[]; allow?: readonly string[] | undefined },
): Promise<ScanDocument> {
  context.progress.phase('scan');
  return scanFiles(
    request.files.map((file) => ({ path: file, file: path.resolve(context.cwd, file) })),
    request.allow ?? [],
  );
}

/** Scans files without loading them. */
export async function scanFiles(
  files: readonly { path: string; file: string }[],
  allow: readonly string[],
): Promise<ScanDocument> {
  const scanned: ScannedFile[] = [];
  for (const one of files) scanned.push({ ...(await scanModelFile(one.file, { allow: [...allow] })), path: one.path });
  const worst = (['fail', 'inconclusive'] as const).find((verdict) => scanned.some((file) => file.verdict === verdict));
  return {
    schema: 'passloop/scan/v1',
    verdict: scanned.length === 0 ? 'inconclusive' : (worst ?? 'pass'),
    files: scanned,
  };
}
