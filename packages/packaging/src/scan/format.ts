import { extname } from 'node:path';

export type ModelFormat =
  | 'pickle'
  | 'joblib'
  | 'torch-legacy'
  | 'torch'
  | 'zip'
  | 'npy'
  | 'safetensors'
  | 'onnx'
  | 'zlib'
  | 'gzip'
  | 'bzip2'
  | 'xz'
  | 'lzma'
  | 'lz4'
  | 'zstd'
  | 'hdf5'
  | 'gguf'
  | 'empty'
  | 'unknown';

const magics: [ModelFormat, number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['lzma', [0x5d, 0x00, 0x00]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['npy', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['zip', [0x50, 0x4b, 0x05, 0x06]],
  ['hdf5', [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['gguf', [0x47, 0x47, 0x55, 0x46]],
];

/** First bytes that a pickle without PROTO (protocol 0 and 1) may have: every opcode but those that need a stack. */
const openings = new Set(Buffer.from('(FIJKLMNSTUVXGBC)]}cP\x80\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96', 'latin1'));

/** What a file is by its first bytes; its name plays no part. */
export function formatOf(head: Buffer, size: number): ModelFormat {
  if (size === 0) return 'empty';
  if (head[0] === 0x80 && head.length > 1 && head[1]! <= 5) return 'pickle';
  for (const [format, magic] of magics) {
    if (magic.every((byte, at) => head[at] === byte)) return format;
  }
  if (head[0] === 0x78 && head.length > 1 && head.readUInt16BE(0) % 31 === 0) return 'zlib';
  if (head.length >= 9 && head[8] === 0x7b && head.readBigUInt64LE(0) <= BigInt(size)) return 'safetensors';
  if (head[0] === 0x08 && head.length > 2 && head[1]! < 0x40 && [0x12, 0x1a, 0x22, 0x2a, 0x3a, 0x42].includes(head[2]!))
    return 'onnx';
  return openings.has(head[0]!) ? 'pickle' : 'unknown';
}

const pickles: readonly ModelFormat[] = ['pickle', 'joblib', 'zlib', 'gzip', 'bzip2', 'xz', 'lzma', 'lz4'];
const expected: Record<string, readonly ModelFormat[]> = {
  '.pkl': pickles,
  '.pickle': pickles,
  '.joblib': pickles,
  '.pt': ['torch', 'torch-legacy'],
  '.pth': ['torch', 'torch-legacy'],
  '.npy': ['npy'],
  '.npz': ['zip'],
  '.safetensors': ['safetensors'],
  '.onnx': ['onnx'],
  '.h5': ['hdf5'],
  '.hdf5': ['hdf5'],
  '.keras': ['zip'],
  '.gguf': ['gguf'],
};

/** What a file's extension promises, or undefined when it promises nothing. */
export function promisedFormats(path: string): readonly ModelFormat[] | undefined {
  return expected[extname(path).toLowerCase()];
}
