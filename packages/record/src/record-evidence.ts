import { canonicalJson } from '@passloop/core';
import type { ImageDocument, KeyDocument, RecordDocument, RunDocument } from '@passloop/documents';

/**
 * What a record says of its run, and the run's own document doesn't; the names of the fields, none where they agree. Names,
 * places and rows of data, and which output is the model, are each commit's to say: digests are what a run has.
 */
export function differsFromRun(record: RecordDocument, run: RunDocument): string[] {
  const fields = ['runKey', 'params', 'seeds', 'environment', 'metrics'] as const;
  const differing: string[] = fields.filter((field) => canonicalJson(record[field]) !== canonicalJson(run[field]));
  const digests = (data: RunDocument['data']) => data.map(({ digest }) => digest);
  if (!sameSet(digests(record.data), digests(run.data))) differing.push('data');
  const outputs = [run.modelDigest, ...run.outputs.map(({ digest }) => digest)];
  if (!outputs.includes(record.modelDigest)) differing.push('modelDigest');
  if (record.predictionsDigest !== null && !outputs.includes(record.predictionsDigest)) {
    differing.push('predictionsDigest');
  }
  return differing;
}

/** The same for the key that the record's commit gives: code, data, params and seeds are what was keyed. */
export function differsFromKey(record: RecordDocument, key: KeyDocument): string[] {
  const inputs = key.stages.map((stage) => stage.inputs);
  const keyed = {
    code: inputs.flatMap(({ code }) => code.map(({ path, digest }) => `${path} ${digest}`)),
    data: inputs.flatMap(({ data }) => data.map(({ name, digest }) => `${name} ${digest}`)),
    params: inputs.flatMap(({ params }) => params.map(({ name, value }) => `${name}=${value}`)),
    seeds: inputs.flatMap(({ seeds }) => seeds.map(({ name, value }) => `${name}=${value}`)),
  };
  const recorded = {
    code: record.code.map(({ path, digest }) => `${path} ${digest}`),
    // A record also names the data that no stage reads, such as what it was evaluated on.
    data: record.data.map(({ name, digest }) => `${name} ${digest}`),
    params: record.params.map(({ name, value }) => `${name}=${value}`),
    seeds: record.seeds.map(({ name, value }) => `${name}=${value}`),
  };
  const differing: string[] = [];
  if (record.runKey !== key.runKey) differing.push('runKey');
  if (!sameSet(recorded.code, keyed.code)) differing.push('code');
  if (keyed.data.some((one) => !recorded.data.includes(one))) differing.push('data');
  if (!sameSet(recorded.params, keyed.params)) differing.push('params');
  if (!sameSet(recorded.seeds, keyed.seeds)) differing.push('seeds');
  return differing;
}

/** The same for the image that its key gives. */
export function differsFromImage(record: RecordDocument, image: ImageDocument): string[] {
  const differing: string[] = [];
  if (image.modelDigest !== record.modelDigest) differing.push('modelDigest');
  if (image.digest !== record.image.digest) differing.push('image.digest');
  return differing;
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const [one, other] = [new Set(left), new Set(right)];
  return one.size === other.size && [...one].every((value) => other.has(value));
}
