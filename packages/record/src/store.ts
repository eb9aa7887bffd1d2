import type { Digest } from '@passloop/core';
import type {
  DataReport,
  ImageDocument,
  ProbeDocument,
  ProductionPointer,
  RunDocument,
  ScanDocument,
} from '@passloop/documents';
import type { StoredFile } from './entry.ts';
import type { ProofKey } from './stored-proof.ts';

/** How an image answered once. */
export type ImageProof = { image: ImageDocument; scan: ScanDocument; probe: ProbeDocument };

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
  /** The key of the hand-over between jobs; null where the store has none yet. */
  handOverKey(): Promise<{ identity: string; recipient: string } | null>;
  /** Makes the key where there is none. @returns the one that the store has, whoever made it */
  createHandOverKey(): Promise<{ identity: string; recipient: string }>;
  findProof(key: ProofKey): Promise<ImageProof | null>;
  /** `predictions` is the file that the image's answers were written to. The first proof of a key stays. */
  saveProof(key: ProofKey, proof: ImageProof, predictions: StoredFile): Promise<Saved>;
  /** Writes the image's predictions below `folder`, verified; null where there is no such proof. */
  restoreProof(key: ProofKey, folder: string): Promise<(ImageProof & { predictions: string }) | null>;
};
