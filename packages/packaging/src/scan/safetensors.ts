import { z } from 'zod';
import type { ByteSource } from './byte-source.ts';
import { ScanStop } from './finding.ts';
import { jsonParts, parseJsonHeader } from './json-header.ts';
import { addFinding, type PickleScan } from './pickle-policy.ts';

const bits: Record<string, number> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  U16: 16,
  I16: 16,
  F16: 16,
  BF16: 16,
  U32: 32,
  I32: 32,
  F32: 32,
  U64: 64,
  I64: 64,
  F64: 64,
  C64: 64,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
};
const tensor = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/**
 * Scans a .safetensors file: an 8-byte length, a JSON header, and tensors that fill the rest without a gap or an overlap,
 * each as long as its shape says. Nothing in it can run; what doesn't fit may hide something for another reader.
 */
export function scanSafetensors(source: ByteSource, scan: PickleScan): void {
  const length = source.u64();
  if (length > scan.limits.headerBytes) throw new ScanStop('limit', `the header has ${length} bytes.`);
  if (length > source.left)
    throw new ScanStop('malformed', `the header has ${length} bytes, the file has ${source.left} for it.`);
  const text = utf8(source.bytes(length));
  const header = parseHeader(text);
  const spans: [number, number, string][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!z.record(z.string(), z.string()).safeParse(entry).success)
        throw new ScanStop('malformed', '__metadata__ holds more than texts.');
      continue;
    }
    const { data, success } = tensor.safeParse(entry);
    if (!success)
      throw new ScanStop('malformed', `the tensor ${JSON.stringify(name.slice(0, 80))} is not described as a tensor.`);
    const [start, end] = data.data_offsets;
    const size = data.shape.reduce((product, count) => product * count, bits[data.dtype] ?? Number.NaN) / 8;
    if (end - start !== size)
      addFinding(
        scan,
        'header-mismatch',
        `the tensor ${JSON.stringify(name.slice(0, 80))} has ${end - start} bytes, its shape says ${size}.`,
      );
    spans.push([start, end, name]);
  }
  spans.sort(([a], [b]) => a - b);
  let at = 0;
  for (const [start, end, name] of spans) {
    if (start !== at)
      addFinding(scan, 'header-mismatch', `there is a gap or an overlap before ${JSON.stringify(name.slice(0, 80))}.`);
    at = Math.max(at, end);
  }
  if (at > source.left)
    throw new ScanStop('malformed', `the tensors have ${at} bytes, the file has ${source.left} for them.`);
  if (at < source.left) addFinding(scan, 'trailing-bytes', `${source.left - at} bytes belong to no tensor.`);
}

/** A lenient reader would take for text what another reads as something else. */
function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ScanStop('malformed', 'the header is no UTF-8.');
  }
}

function parseHeader(text: string): Record<string, unknown> {
  const header = parseJsonHeader(text, 4);
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new ScanStop('malformed', 'the header is no JSON object.');
  const names = new Set<string>();
  // A parser keeps a key once: keys of the outermost level are counted in the text that it has accepted.
  for (const name of outerKeys(text)) {
    if (names.has(name))
      throw new ScanStop('header-mismatch', `the header names ${JSON.stringify(name.slice(0, 80))} twice.`);
    names.add(name);
  }
  return header as Record<string, unknown>;
}

/** The keys of the outermost object of a valid JSON text, with repetitions. */
function* outerKeys(text: string): Generator<string> {
  let depth = 0;
  for (const [part] of jsonParts(text)) {
    if (part === '{' || part === '[') depth += 1;
    else if (part === '}' || part === ']') depth -= 1;
    else if (depth === 1 && part.endsWith(':')) yield JSON.parse(part.slice(0, part.lastIndexOf('"') + 1)) as string;
  }
}
