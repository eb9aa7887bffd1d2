import { readFile, stat } from 'node:fs/promises';
import { ConfigurationError, InfrastructureError, isMissing, plainText, writeFileAtomic } from '@passloop/core';
import { z } from 'zod';
import { ComparisonDocument } from './comparison.ts';
import { DataReport } from './data-report.ts';
import { DeployChainDocument, DeployCheckDocument } from './deploy.ts';
import { DiagnosisDocument } from './diagnosis.ts';
import { ErrorDocument } from './error.ts';
import { ImageDocument, ProbeDocument, ScanDocument } from './image.ts';
import { KeyDocument } from './key.ts';
import { ManifestLintDocument } from './manifest-lint.ts';
import { PlanDocument } from './plan.ts';
import { PromotionDocument, RollbackDocument } from './promotion.ts';
import { PromotionPlanDocument } from './promotion-plan.ts';
import { ProofDocument } from './proof.ts';
import { HoldDocument, ProductionPointer, RecordDocument } from './record.ts';
import { ReportDocument } from './report.ts';
import { RunDocument } from './run.ts';
import { StatusDocument } from './status.ts';

/** Every kind of document, by the name in its `schema` field. */
export const documentSchemas = {
  plan: PlanDocument,
  key: KeyDocument,
  'data-report': DataReport,
  run: RunDocument,
  image: ImageDocument,
  probe: ProbeDocument,
  scan: ScanDocument,
  comparison: ComparisonDocument,
  report: ReportDocument,
  promotion: PromotionDocument,
  rollback: RollbackDocument,
  proof: ProofDocument,
  'promotion-plan': PromotionPlanDocument,
  'deploy-check': DeployCheckDocument,
  'deploy-chain': DeployChainDocument,
  hold: HoldDocument,
  record: RecordDocument,
  pointer: ProductionPointer,
  status: StatusDocument,
  'manifest-lint': ManifestLintDocument,
  diagnosis: DiagnosisDocument,
  error: ErrorDocument,
} as const;

export type DocumentKind = keyof typeof documentSchemas;
export type DocumentOf<K extends DocumentKind> = z.infer<(typeof documentSchemas)[K]>;

export const documentKinds = Object.keys(documentSchemas) as DocumentKind[];

const maxDocumentBytes = 32 * 1024 * 1024;
const maxDepth = 64;

/**
 * Parses and checks a document. Unknown fields of the same major version are dropped, never echoed.
 * @param source where it came from, for messages
 * @throws ConfigurationError with the first field that is wrong
 */
export function parseDocument<K extends DocumentKind>(kind: K, text: string, source: string): DocumentOf<K> {
  if (Buffer.byteLength(text) > maxDocumentBytes) {
    throw new ConfigurationError(`${source} is larger than ${maxDocumentBytes} bytes.`, { file: source });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${source} is not JSON: ${plainText((error as Error).message)}`, { file: source });
  }
  if (depthOf(value, maxDepth) > maxDepth)
    throw new ConfigurationError(`${source} is nested too deeply.`, { file: source });
  const found = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  const wanted = `passloop/${kind}/v1`;
  if (found !== wanted) {
    throw new ConfigurationError(
      `${source} is ${JSON.stringify(found)?.slice(0, 80) ?? 'no document'}; expected ${wanted}.`,
      {
        file: source,
        hint: /^passloop\/[a-z-]+\/v\d+$/.test(String(found)) ? 'A newer Passloop may have written it.' : undefined,
      },
    );
  }
  const result = documentSchemas[kind].safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new ConfigurationError(`${source}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}`, {
      file: source,
    });
  }
  return result.data as DocumentOf<K>;
}

/** The document's bytes: the schema's field order, two spaces, one newline at the end. The same value gives the same bytes. */
export function formatDocument<K extends DocumentKind>(kind: K, value: DocumentOf<K>): string {
  const result = documentSchemas[kind].safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new InfrastructureError(
      `A ${kind} document could not be written: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    );
  }
  return `${JSON.stringify(result.data, null, 2)}\n`;
}

export async function writeDocument<K extends DocumentKind>(
  kind: K,
  file: string,
  value: DocumentOf<K>,
): Promise<void> {
  await writeFileAtomic(file, formatDocument(kind, value));
}

/** @throws ConfigurationError where the file is missing or wrong. */
export async function readDocument<K extends DocumentKind>(kind: K, file: string): Promise<DocumentOf<K>> {
  try {
    if ((await stat(file)).size > maxDocumentBytes) {
      throw new ConfigurationError(`${file} is larger than ${maxDocumentBytes} bytes.`, { file });
    }
    return parseDocument(kind, await readFile(file, 'utf8'), file);
  } catch (error) {
    if (isMissing(error)) throw new ConfigurationError(`There is no ${kind} document at ${file}.`, { file });
    throw error;
  }
}

export function documentJsonSchema(kind: DocumentKind): Record<string, unknown> {
  return z.toJSONSchema(documentSchemas[kind], { target: 'draft-2020-12' }) as Record<string, unknown>;
}

function depthOf(value: unknown, limit: number): number {
  if (limit < 0 || typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const child of Object.values(value)) deepest = Math.max(deepest, depthOf(child, limit - 1));
  return deepest + 1;
}
