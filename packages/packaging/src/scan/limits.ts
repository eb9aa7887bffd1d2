/** Bounds of a scan, so that a small file can't cost much memory or time ("billion laughs"). */
export interface ScanLimits {
  /** Opcodes of all pickles in a file. */
  opcodes: number;
  stack: number;
  memo: number;
  /** Reads of memo entries for one entry stored: fan-out makes an exponential object from a few bytes. */
  memoReads: number;
  /** Bytes of memory for the symbols that stand for a pickle's objects. */
  heldBytes: number;
  /** Names that are imported. */
  globals: number;
  /** Pickles inside one another (object arrays of joblib and npy). */
  depth: number;
  /** Bytes that a compressed file, or all members of a zip, may become. */
  decompressedBytes: number;
  /** Entries of a zip. */
  members: number;
  /** Bytes of a header (npy, safetensors) or of one line of a text opcode. */
  headerBytes: number;
}

/** Well above what a gradient-boosted forest of 100,000 trees needs. */
export const defaultLimits: ScanLimits = {
  opcodes: 200_000_000,
  stack: 100_000,
  memo: 50_000_000,
  memoReads: 200,
  heldBytes: 1024 ** 3,
  globals: 10_000,
  depth: 3,
  decompressedBytes: 4 * 1024 ** 3,
  members: 100_000,
  headerBytes: 100 * 1024 ** 2,
};
