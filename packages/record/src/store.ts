import type { Digest } from '@passloop/core';
import type { DataReport, ImageDocument, ProductionPointer, RunDocument } from '@passloop/documents';
import type { StoredFile } from './entry.ts';

/**
 * What a save came to. `stored`: it is there now. `present`: the same result was there already. `other-result`: another
 * result holds the key and keeps it; this one is kept beside it, as evidence that the key doesn't determine the result.
 */
export type Saved = 'stored' | 'present' | 'other-result';

/**
 * Where results live: runs by run key, images by image key, one pointer per model and environment to what production is.
 * Every method throws InfrastructureError (exit 3) where the store doesn't answer or an entry is damaged, and
 * ConfigurationError for a key that is none.
 */
export type Store = {
  /** For messages. */
  description: string;
  findRun(runKey: string): Promise<{ run: RunDocument } | null>;
  /** `files` are the run's outputs, each exactly as the document names it. */
  saveRun(result: { run: RunDocument; files: readonly StoredFile[] }): Promise<Saved>;
  /** Tags of further results of one key (`rk1-<key>.<digest8>`): evidence of nondeterminism. */
  otherResults(runKey: string): Promise<string[]>;
  /**
   * Writes every output below `folder`, all or none: each is verified by sha256 before the first one appears under its name.
   * @returns the run's document
   */
  restoreRun(runKey: string, folder: string): Promise<RunDocument>;
  findImage(imageKey: string): Promise<ImageDocument | null>;
  /** An image that was stored before it had a digest in a registry is replaced by the same image with one. */
  saveImage(image: ImageDocument): Promise<Saved>;
  readPointer(model: string, environment: string): Promise<ProductionPointer | null>;
  /** Replaces the pointer. `predictions` is a file with production's predictions, or null. */
  writePointer(pointer: ProductionPointer, predictions: StoredFile | null): Promise<void>;
  /** Production's predictions, written below `folder` under the name they were stored with; null where there are none. */
  restorePredictions(model: string, environment: string, folder: string): Promise<{ file: string } | null>;
  /** A data report by the digest of all that determines it (dataset, checks, engine): unchanged data needs no scan. */
  findReport(inputs: Digest): Promise<DataReport | null>;
  saveReport(inputs: Digest, report: DataReport): Promise<Saved>;
};
