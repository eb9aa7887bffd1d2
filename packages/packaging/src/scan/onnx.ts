import type { ByteSource } from './byte-source.ts';
import { ScanStop } from './finding.ts';
import { addFinding, type PickleScan } from './pickle-policy.ts';

/** Messages of onnx.proto in which another message of interest may stand: field number -> message. */
const messages: Record<string, Record<number, string>> = {
  Model: { 7: 'Graph', 20: 'Training', 25: 'Function' },
  Training: { 1: 'Graph', 2: 'Graph' },
  Graph: { 1: 'Node', 5: 'Tensor', 15: 'SparseTensor' },
  Function: { 7: 'Node', 11: 'Attribute' },
  Node: { 5: 'Attribute', 7: 'Domain' },
  Attribute: { 5: 'Tensor', 6: 'Graph', 10: 'Tensor', 11: 'Graph', 22: 'SparseTensor', 23: 'SparseTensor' },
  SparseTensor: { 1: 'Tensor', 2: 'Tensor' },
  Tensor: { 13: 'Entry' },
  Entry: { 1: 'Key', 2: 'Value' },
};
const domains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'ai.onnx.training', 'ai.onnx.preview.training', 'com.microsoft']);

/** Scans an ONNX model: where external data leads to (CVE-2022-25882, CVE-2024-27318), and operators of a custom library. */
export function scanOnnx(source: ByteSource, scan: PickleScan): void {
  const location = { key: '' };
  walk(source, 'Model', source.size, 0);

  function walk(from: ByteSource, message: string, end: number, depth: number): void {
    if (message === 'Entry') location.key = '';
    if (depth > 100) throw new ScanStop('limit', 'the graphs are nested more than 100 deep.');
    while (from.position < end) {
      scan.opcodes += 1;
      if (scan.opcodes > scan.limits.opcodes)
        throw new ScanStop('limit', `the file has more than ${scan.limits.opcodes} fields.`);
      const tag = varint(from);
      const wire = tag % 8;
      if (wire === 0) varint(from);
      else if (wire === 1) from.skip(8);
      else if (wire === 5) from.skip(4);
      else if (wire === 2) field(from, messages[message]?.[Math.floor(tag / 8)], depth);
      else throw new ScanStop('malformed', `the wire type ${wire} at byte ${from.position} is unknown.`);
    }
    if (from.position !== end)
      throw new ScanStop('malformed', `a message is longer than what holds it at byte ${from.position}.`);
  }

  function field(from: ByteSource, message: string | undefined, depth: number): void {
    const length = varint(from);
    if (message === 'Key' || message === 'Value' || message === 'Domain') {
      if (length > 4096) throw new ScanStop('limit', 'a name has more than 4096 bytes.');
      text(message, from.bytes(length).toString('utf8'));
    } else if (message) walk(from, message, from.position + length, depth + 1);
    else from.skip(length);
  }

  function text(kind: 'Key' | 'Value' | 'Domain', value: string): void {
    const shown = JSON.stringify(value.slice(0, 120));
    if (kind === 'Key') location.key = value;
    else if (kind === 'Domain' && !domains.has(value))
      addFinding(scan, 'custom-code', `an operator is of the domain ${shown}.`);
    else if (kind === 'Value' && (location.key === 'location' || location.key === '')) {
      const escapes = /^([/\\]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)|\0/i.test(value);
      if (escapes) addFinding(scan, 'unsafe-path', `external data leads to ${shown}.`);
      else addFinding(scan, 'unread-format', `external data stands in ${shown}, which is not looked at.`);
    }
  }
}

function varint(source: ByteSource): number {
  let value = 0;
  for (let shift = 0; shift < 10; shift += 1) {
    const byte = source.u8();
    value += (byte & 0x7f) * 2 ** (7 * shift);
    if (byte < 0x80) return value;
  }
  throw new ScanStop('malformed', `a number at byte ${source.position} has no end.`);
}
