import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ConfigurationError, isMissing } from '@passloop/core';
import { ByteSource } from './byte-source.ts';
import { decompressed } from './compression.ts';
import { Findings, type ScanFinding, ScanStop, type ScanVerdict } from './finding.ts';
import { formatOf, type ModelFormat, promisedFormats } from './format.ts';
import { defaultLimits, type ScanLimits } from './limits.ts';
import { scanNpy } from './npy.ts';
import { scanOnnx } from './onnx.ts';
import { scanPickle } from './pickle.ts';
import { addFinding, type PickleScan } from './pickle-policy.ts';
import { scanSafetensors } from './safetensors.ts';
import { scanZip } from './zip.ts';

/** One file's part of the scan document. */
export interface ScannedFile {
  path: string;
  /** By its bytes; `gzip:joblib` for what is inside a compressed one. */
  format: string;
  verdict: ScanVerdict;
  /** What loading the file would import, sorted. */
  globals: string[];
  findings: ScanFinding[];
}

export interface ScanOptions {
  /** Names to allow beside the built-in profiles: `package.module.name`, or `package.module.*` for all of a module. */
  allow?: readonly string[];
  limits?: Partial<ScanLimits>;
  /** Said of bytes, which have no path. */
  name?: string;
}

/**
 * Says what loading a model file would do, without loading it: every pickle in it is interpreted with symbols, every import
 * is compared with an allowlist. `pass` means that the file was read to its end and nothing was found; what could not be
 * read is `inconclusive`. The file is read in windows of 256 KiB; arrays are skipped.
 * @throws ConfigurationError where there is no regular file; else only what reading it throws
 */
export async function scanModelFile(file: string | Uint8Array, options: ScanOptions = {}): Promise<ScannedFile> {
  if (typeof file !== 'string') {
    return scanSource(
      new ByteSource(Buffer.from(file.buffer, file.byteOffset, file.byteLength)),
      options.name ?? '',
      options,
    );
  }
  // Without waiting: what a training stage left there may be a pipe that no one writes to.
  await using handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => {
    if (isMissing(error)) throw new ConfigurationError(`There is no file ${file} to scan.`, { file });
    throw error;
  });
  const found = await handle.stat();
  if (!found.isFile()) {
    throw new ConfigurationError(
      `${file} is ${found.isDirectory() ? 'a folder' : 'no regular file'}: it cannot be scanned.`,
      {
        file,
        hint: 'A model file is scanned by itself; give each file of a folder.',
      },
    );
  }
  return await scanSource(new ByteSource({ file: handle.fd, size: found.size }), options.name ?? file, options);
}

async function scanSource(source: ByteSource, path: string, options: ScanOptions): Promise<ScannedFile> {
  const scan: PickleScan = {
    limits: { ...defaultLimits, ...options.limits },
    allow: allowed(options.allow ?? []),
    persistentIds: false,
    globals: new Set(),
    findings: new Findings(),
    opcodes: 0,
    held: 0,
    decompressed: 0,
    arrays: 0,
    rawArray: undefined,
  };
  let format: string = formatOf(source.peek(64), source.size);
  try {
    if (format === 'zlib' || format === 'gzip') {
      await using content = await decompressed(source, format, scan);
      if (content.trailing > 0)
        addFinding(scan, 'trailing-bytes', `${content.trailing} bytes follow the compressed data.`);
      format = `${format}:${await scanContent(content.source, scan)}`;
    } else format = await scanContent(source, scan);
  } catch (error) {
    if (!(error instanceof ScanStop)) throw error;
    addFinding(scan, error.rule, error.message);
  }
  checkPromise(path, format, scan);
  return {
    path,
    format,
    verdict: scan.findings.verdict,
    globals: [...scan.globals].sort(),
    findings: scan.findings.list,
  };
}

async function scanContent(source: ByteSource, scan: PickleScan): Promise<ModelFormat> {
  const format = formatOf(source.peek(64), source.size);
  try {
    if (format === 'pickle') return scanPickles(source, scan);
    if (format === 'npy') scanNpy(source, scan);
    else if (format === 'safetensors') scanSafetensors(source, scan);
    else if (format === 'onnx') scanOnnx(source, scan);
    else if (format === 'zip') return await scanZip(source, scan);
    else addFinding(scan, 'unread-format', unread(format));
  } catch (error) {
    if (!(error instanceof ScanStop)) throw error;
    addFinding(scan, error.rule, error.message);
  }
  return format;
}

/** The pickles of a file: one, the five of an old PyTorch file, or more than a model file should have. */
function scanPickles(source: ByteSource, scan: PickleScan): ModelFormat {
  // A magic number of 10 bytes opens the files that torch.save wrote before 1.6.
  const legacy = source.peek(14).subarray(2, 13).equals(Buffer.from('8a0a6cfc9c46f9206aa850', 'hex').subarray(0, 11));
  const marked = source.peek(1)[0] === 0x80;
  const before = { globals: scan.globals.size, findings: scan.findings.list.length };
  let streams = 0;
  try {
    scan.persistentIds = legacy;
    do {
      scanPickle(source, scan, 'joblib');
      streams += 1;
    } while (source.left > 0 && (legacy ? streams < 5 : streams < 100 && startsPickle(source)));
  } catch (error) {
    if (!(error instanceof ScanStop)) throw error;
    const silent = scan.globals.size === before.globals && scan.findings.list.length === before.findings;
    if (!marked && streams === 0 && silent && error.rule !== 'limit') {
      addFinding(scan, 'unread-format', unread('unknown'));
      return 'unknown';
    }
    addFinding(scan, error.rule, error.message);
  }
  if (scan.arrays > 0) scanForPickleLoad(source, scan);
  if (legacy) return 'torch-legacy';
  if (streams > 1)
    addFinding(scan, 'several-streams', `${streams} pickles stand one behind another; a loader reads the first.`);
  if (streams > 0 && source.left > 0) addFinding(scan, 'trailing-bytes', `${source.left} bytes follow the pickle.`);
  return scan.arrays > 0 ? 'joblib' : 'pickle';
}

/**
 * What a file of joblib would do if pickle.load read it, which takes the bytes of its arrays for opcodes. Honest bytes soon are no
 * opcode. Where an array of objects stands, pickle.load goes on with its pickle and another memo, and the names of honest
 * imports become nonsense: there, only what is known to be dangerous counts.
 */
function scanForPickleLoad(source: ByteSource, scan: PickleScan): void {
  const plain: PickleScan = { ...scan, globals: new Set(), findings: new Findings() };
  try {
    scanPickle(source.slice(0, source.size), plain, 'plain');
  } catch (error) {
    if (!(error instanceof ScanStop)) throw error;
  }
  const known = new Set(scan.findings.list.map(({ detail }) => detail));
  for (const { rule, detail } of plain.findings.list) {
    const at = Number(/ at byte (\d+)/.exec(detail)?.[1]);
    const inArray = scan.rawArray !== undefined && at > scan.rawArray.start && at <= scan.rawArray.end;
    const meant = inArray && (/^[A-Za-z_][\w.]* is (imported|called) /.test(detail) || rule === 'dunder-state');
    if ((meant || rule === 'forbidden-import') && !known.has(detail))
      addFinding(scan, rule, `${detail.slice(0, -1)}, if pickle.load reads it in the place of joblib.load.`);
  }
}

function startsPickle(source: ByteSource): boolean {
  const head = source.peek(2);
  return head[0] === 0x80 && head.length > 1 && head[1]! <= 5;
}

function checkPromise(path: string, format: string, scan: PickleScan): void {
  const promised = promisedFormats(path);
  const outer = (format.split(':', 1)[0] ?? format) as ModelFormat;
  if (!promised || promised.includes(outer) || outer === 'unknown' || outer === 'empty') return;
  const isPickle = ['pickle', 'joblib', 'zlib', 'gzip', 'torch-legacy'].includes(outer);
  const rule =
    isPickle && !promised.includes('torch') && !promised.includes('pickle') ? 'disguised-pickle' : 'extension-mismatch';
  addFinding(scan, rule, `the file's name promises ${promised.join(' or ')}, its bytes are ${format}.`);
}

function unread(format: ModelFormat): string {
  if (format === 'empty') return 'the file is empty.';
  if (format === 'unknown') return 'the bytes are of no known model format.';
  return `${format} is not read by this scan; save the model uncompressed, or with zlib or gzip.`;
}

function allowed(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('.*')));
  const modules = new Set(patterns.filter((pattern) => pattern.endsWith('.*')).map((pattern) => pattern.slice(0, -2)));
  return (name) => exact.has(name) || modules.has(name.slice(0, name.lastIndexOf('.')));
}
