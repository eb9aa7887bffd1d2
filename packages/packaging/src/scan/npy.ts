import type { ByteSource } from './byte-source.ts';
import { ScanStop } from './finding.ts';
import { scanPickle } from './pickle.ts';
import { addFinding, type PickleScan } from './pickle-policy.ts';
import { type PythonLiteral, parsePythonLiteral } from './python-literal.ts';

/** numpy itself refuses more than 10,000 characters, unless it is told to trust the file. */
const headerBytes = 1024 ** 2;

/** Scans a .npy file: raw items must fill the file exactly, objects are a pickle. Format: numpy.lib.format. */
export function scanNpy(source: ByteSource, scan: PickleScan): void {
  source.skip(6);
  const major = source.u8();
  source.skip(1);
  if (major < 1 || major > 3) throw new ScanStop('malformed', `version ${major} of npy is unknown.`);
  const length = major === 1 ? source.u16() : source.u32();
  if (length > Math.min(scan.limits.headerBytes, headerBytes))
    throw new ScanStop('limit', `the header has ${length} bytes.`);
  const header = parsePythonLiteral(source.bytes(length).toString(major === 3 ? 'utf8' : 'latin1'));
  if (!(header instanceof Map) || [...header.keys()].sort().join() !== 'descr,fortran_order,shape')
    throw new ScanStop('malformed', 'the header is no dictionary of descr, fortran_order and shape.');
  const shape = header.get('shape');
  if (!Array.isArray(shape)) throw new ScanStop('malformed', 'the header has no shape.');
  const itemsize = itemSize(header.get('descr') ?? null);
  if (itemsize === 'objects') {
    scanPickle(source, scan, 'plain', 1);
  } else {
    const bytes = shape.reduce<number>(
      (product, size) => product * (typeof size === 'number' ? size : Number.NaN),
      itemsize,
    );
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new ScanStop('malformed', 'the shape is no list of sizes.');
    source.skip(bytes);
  }
  if (source.left > 0) addFinding(scan, 'trailing-bytes', `${source.left} bytes follow the array.`);
}

function itemSize(descr: PythonLiteral): number | 'objects' {
  if (typeof descr === 'string') {
    const [, kind, digits] = /^[<>|=]?([biufcmMOSUVa])(\d{0,9})(?:\[\w+\])?$/.exec(descr) ?? [];
    if (kind === 'O') return 'objects';
    if (!kind || !digits)
      throw new ScanStop('malformed', `the dtype ${JSON.stringify(descr.slice(0, 40))} is unknown.`);
    return Number(digits) * (kind === 'U' ? 4 : 1);
  }
  if (!Array.isArray(descr)) throw new ScanStop('malformed', 'the header has no dtype.');
  let total = 0;
  for (const field of descr) {
    if (!Array.isArray(field) || field.length < 2 || field.length > 3)
      throw new ScanStop('malformed', 'a field of the dtype is unknown.');
    const size = itemSize(field[1]!);
    if (size === 'objects') return 'objects';
    const shape = field[2] === undefined ? [] : Array.isArray(field[2]) ? field[2] : [field[2]];
    total += shape.reduce<number>((product, count) => product * Number(count), size);
  }
  return total;
}
