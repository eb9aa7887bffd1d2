import { ScanStop } from './finding.ts';

/** Names of a model file's tensors and layers; those of the largest models known have less than 2 MiB. */
const maxBytes = 32 * 1024 ** 2;

/**
 * Parses JSON that a file brings, once it is known to be neither long nor deep: a deep one costs a hundred times its length.
 * Throws ScanStop `limit` or `malformed`.
 */
export function parseJsonHeader(text: string, depthLimit: number): unknown {
  if (text.length > maxBytes) throw new ScanStop('limit', `a JSON header has more than ${maxBytes} bytes.`);
  let depth = 0;
  for (const [part] of jsonParts(text)) {
    if (part === '{' || part === '[') depth += 1;
    else if (part === '}' || part === ']') depth -= 1;
    if (depth > depthLimit) throw new ScanStop('limit', `a JSON header is nested more than ${depthLimit} deep.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ScanStop('malformed', 'a header is no JSON.');
  }
}

/** Brackets and texts of JSON, a text with the colon behind it where it is a key. */
export function jsonParts(text: string): Iterable<RegExpExecArray> {
  return text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g);
}
