import { codeSpan } from '@passloop/core';
import type { RecordDocument, RecordedSignature, RecordedTensor } from '@passloop/documents';

/**
 * What callers would notice where one record is replaced by another. `unknown`: one of them doesn't say what its image takes and gives,
 * as records of older versions don't.
 */
export type SignatureChange = { kind: 'same' } | { kind: 'unknown' } | { kind: 'changed'; changes: readonly string[] };

type Signed = { image: Pick<RecordDocument['image'], 'signature'> };

/** Compares what callers send and get, by name and datatype, and the major version of the server that they talk to. */
export function signatureChange(from: Signed, to: Signed): SignatureChange {
  const left = from.image.signature ?? null;
  const right = to.image.signature ?? null;
  if (left === null || right === null) return { kind: 'unknown' };
  const changes = [
    ...tensorChanges('input', left.inputs, right.inputs),
    ...tensorChanges('output', left.outputs, right.outputs),
    ...runtimeChange(left, right),
  ];
  return changes.length === 0 ? { kind: 'same' } : { kind: 'changed', changes };
}

function tensorChanges(what: string, from: readonly RecordedTensor[], to: readonly RecordedTensor[]): string[] {
  const before = new Map(from.map(({ name, datatype }) => [name, datatype]));
  const after = new Map(to.map(({ name, datatype }) => [name, datatype]));
  const gone = [...before].filter(([name]) => !after.has(name)).map(([name]) => `${what} ${codeSpan(name)} goes`);
  const added = [...after].filter(([name]) => !before.has(name)).map(([name]) => `${what} ${codeSpan(name)} comes`);
  const other = [...after].flatMap(([name, datatype]) => {
    const old = before.get(name);
    return old === undefined || old === datatype ? [] : [`${what} ${codeSpan(name)} is ${datatype}, no longer ${old}`];
  });
  return [...gone, ...added, ...other];
}

function runtimeChange(from: RecordedSignature, to: RecordedSignature): string[] {
  const major = ({ runtime }: RecordedSignature) => /^\d+/.exec(runtime)?.[0] ?? runtime;
  return major(from) === major(to)
    ? []
    : [`the server is ${codeSpan(to.runtime)}, no longer ${codeSpan(from.runtime)}`];
}
