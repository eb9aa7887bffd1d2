import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { foldedPath, insidePath, PassloopError, plainText } from '@passloop/core';
import { type ModelReport, type ReportDocument, readDocument } from '@passloop/documents';
import { decryptFile, encryptedEnding } from '@passloop/record';
import { imagePredictions } from './candidate-part.ts';
import { candidateFiles, candidateReport } from './train-candidate.ts';

/** What the job with the pull request's code handed over isn't the candidate of this commit: why, as a phrase. */
export class WrongCandidate extends Error {}

/** A candidate as it was handed over, its files plain. Nothing of it is believed yet. */
export type HandedOver = {
  report: ReportDocument;
  model: ModelReport;
  /** Folder with the run's outputs, each under its path; null where no file was handed over. */
  outputs: string | null;
  /** The image's predictions; null where there are none. */
  predictions: string | null;
};

/** Bytes of one decrypted file at most, and of all of them. */
const maxFileBytes = 20_000_000_000;

/**
 * Lays a candidate's files out plain. The folder holds what anybody may have written: names are judged before anything is decrypted.
 * @param folder as it was unpacked: plain files, no links
 * @param target an empty folder outside of the workspace; made where it isn't there
 * @param identity the private half of the store's hand-over key; null where the store has none or can't be read
 * @throws WrongCandidate for a folder that is none, or that this key doesn't open
 */
export async function openCandidate(folder: string, target: string, identity: string | null): Promise<HandedOver> {
  const names = await filesOf(folder);
  if (!names.includes(candidateReport)) throw new WrongCandidate(`it has no ${candidateReport}`);
  const report = await asCandidate(readDocument('report', path.join(folder, candidateReport)));
  const [model] = report.models;
  if (model === undefined || report.models.length > 1)
    throw new WrongCandidate(`its report is about ${report.models.length} models`);
  const files = names.filter((name) => name !== candidateReport);
  const isEncrypted = files.length > 0 && files.every((name) => name.endsWith(encryptedEnding));
  const plain = files.map((name) => ({ from: name, to: isEncrypted ? name.slice(0, -encryptedEnding.length) : name }));
  refuseNames(plain.map(({ to }) => to));
  if (isEncrypted && identity === null) {
    throw new WrongCandidate("it is encrypted, and this job can't read the key of the store");
  }
  await mkdir(target, { recursive: true });
  for (const { from, to } of plain) {
    const place = await insidePath(target, to, 'a file of the candidate');
    await mkdir(path.dirname(place), { recursive: true });
    const source = path.join(folder, ...from.split('/'));
    const name = plainText(from, 200);
    if (isEncrypted && identity !== null) {
      await asCandidate(decryptFile(source, place, { identity, maxBytes: maxFileBytes, name }));
    } else await copyFile(source, place);
  }
  const outputs = plain.some(({ to }) => to.startsWith(`${candidateFiles}/`));
  return {
    report,
    model,
    outputs: outputs ? path.join(target, candidateFiles) : null,
    predictions: plain.some(({ to }) => to === imagePredictions) ? path.join(target, imagePredictions) : null,
  };
}

/** What the candidate's own content makes go wrong is said of the candidate; a disk that is full stays an error. */
export async function asCandidate<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof PassloopError) || error.code !== 'configuration') throw error;
    const hint = error.hint === null ? '' : ` ${error.hint}`;
    throw new WrongCandidate(plainText(`${error.message}${hint}`, 2000).replace(/\.$/, ''));
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const name = path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    if (!entry.isFile()) throw new WrongCandidate(`${plainText(name, 200)} is no regular file`);
    files.push(name);
  }
  return files.sort();
}

/** Once the endings are off, two names may have become one, or one a folder of another. */
function refuseNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (name !== imagePredictions && !name.startsWith(`${candidateFiles}/`))
      throw new WrongCandidate(`${JSON.stringify(plainText(name, 200))} is no file of a candidate`);
    if (seen.has(foldedPath(name))) throw new WrongCandidate(`${plainText(name, 200)} is in it twice`);
    seen.add(foldedPath(name));
  }
  for (const name of seen) {
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
      if (seen.has(name.slice(0, slash)))
        throw new WrongCandidate(`${plainText(name.slice(0, slash), 200)} is both file and folder`);
    }
  }
}
