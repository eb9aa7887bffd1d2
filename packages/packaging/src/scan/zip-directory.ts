import type { ByteSource } from './byte-source.ts';
import { ScanStop } from './finding.ts';
import { addFinding, type PickleScan } from './pickle-policy.ts';

export interface ZipMember {
  name: string;
  /** 0 stored, 8 deflated. */
  method: number;
  compressedSize: number;
  size: number;
  /** Where its bytes begin in the file. */
  start: number;
}

const END = 22;
const MAX32 = 0xffffffff;

/**
 * The members by the central directory, each compared with its local header. Differences are findings: one reader takes
 * the one, another the other. Throws ScanStop for what is no zip. Format: PKWARE's APPNOTE 6.3.
 */
export function readZipDirectory(source: ByteSource, scan: PickleScan): ZipMember[] {
  const directory = findDirectory(source, scan);
  if (directory.count > scan.limits.members) throw new ScanStop('limit', `the zip has ${directory.count} members.`);
  source.seek(directory.start);
  const entries = Array.from({ length: directory.count }, () => readEntry(source));
  if (directory.start + directory.size !== directory.end)
    addFinding(scan, 'header-mismatch', 'the zip directory does not stand where its end says: readers find another.');
  if (source.position !== directory.start + directory.size) {
    addFinding(scan, 'header-mismatch', 'the zip directory has another length than its end says.');
  }
  const names = new Set<string>();
  const members: ZipMember[] = [];
  let covered = 0;
  for (const entry of entries.sort((a, b) => a.offset - b.offset)) {
    const shown = JSON.stringify(entry.name.slice(0, 120));
    if (names.has(entry.name)) addFinding(scan, 'header-mismatch', `the zip names ${shown} twice.`);
    names.add(entry.name);
    if (/^[/\\]|^[a-z]:|(^|[/\\])\.\.([/\\]|$)|\0/i.test(entry.name))
      addFinding(scan, 'unsafe-path', `${shown} leads out of the zip.`);
    if (entry.flags & 1) throw new ScanStop('unread-format', `${shown} is encrypted.`);
    if (entry.method !== 0 && entry.method !== 8)
      throw new ScanStop('unread-format', `${shown} has the compression method ${entry.method}.`);
    if (entry.method === 0 && entry.size !== entry.compressedSize)
      addFinding(scan, 'header-mismatch', `${shown} is stored and has two lengths.`);
    const start = checkLocal(source, entry, scan);
    if (entry.offset < covered) addFinding(scan, 'header-mismatch', `${shown} overlaps the member before it.`);
    covered = start + entry.compressedSize;
    if (covered > directory.start) addFinding(scan, 'header-mismatch', `${shown} reaches into the zip's directory.`);
    members.push({
      name: entry.name,
      method: entry.method,
      compressedSize: entry.compressedSize,
      size: entry.size,
      start,
    });
  }
  if (members.length > 0 && entries[0]!.offset !== 0)
    addFinding(scan, 'header-mismatch', 'bytes stand before the first member of the zip.');
  return members;
}

/** Where the directory stands and ends, by the last end mark of the file, which is the one that all readers take. */
interface Directory {
  start: number;
  size: number;
  count: number;
  end: number;
}

function findDirectory(source: ByteSource, scan: PickleScan): Directory {
  const length = Math.min(source.size, END + 0xffff);
  source.seek(source.size - length);
  const tail = source.bytes(length);
  const at = tail.lastIndexOf('PK\x05\x06', Math.max(0, length - END), 'latin1');
  if (at < 0 || length < END) throw new ScanStop('malformed', 'the zip has no end of its directory.');
  if (at + END + tail.readUInt16LE(at + 20) !== length)
    addFinding(scan, 'header-mismatch', 'the comment of the zip has another length than its end says.');
  const end = source.size - length + at;
  const directory = {
    count: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    start: tail.readUInt32LE(at + 16),
    end,
  };
  const wide = findDirectory64(source, end);
  if (!wide) return directory;
  // Readers differ in which of the two they prefer.
  const agree =
    (directory.count === 0xffff || directory.count === wide.count) &&
    (directory.size === MAX32 || directory.size === wide.size) &&
    (directory.start === MAX32 || directory.start === wide.start);
  if (!agree) addFinding(scan, 'header-mismatch', 'the two ends of the zip directory differ.');
  return wide;
}

/** By the locator right before the end mark; without one there is no such directory. */
function findDirectory64(source: ByteSource, end: number): Directory | undefined {
  if (end < 20) return undefined;
  source.seek(end - 20);
  if (source.u32() !== 0x07064b50) return undefined;
  source.skip(4);
  const at = source.u64();
  source.seek(at);
  if (source.u32() !== 0x06064b50) throw new ScanStop('malformed', 'the zip64 end is missing.');
  if (at + 12 + source.u64() !== end - 20)
    throw new ScanStop('malformed', 'the zip64 end does not stand before its locator.');
  source.skip(20);
  const count = source.u64();
  const size = source.u64();
  return { count, size, start: source.u64(), end: at };
}

interface Entry {
  flags: number;
  method: number;
  compressedSize: number;
  size: number;
  offset: number;
  name: string;
}

function readEntry(source: ByteSource): Entry {
  if (source.u32() !== 0x02014b50) throw new ScanStop('malformed', 'the zip directory is damaged.');
  source.skip(4);
  const flags = source.u16();
  const method = source.u16();
  source.skip(8);
  let compressedSize = source.u32();
  let size = source.u32();
  const lengths = [source.u16(), source.u16(), source.u16()] as const;
  source.skip(8);
  let offset = source.u32();
  const name = source.bytes(lengths[0]).toString('utf8');
  const wide = zip64(Buffer.from(source.bytes(lengths[1])));
  source.skip(lengths[2]);
  if (size === MAX32) size = wide();
  if (compressedSize === MAX32) compressedSize = wide();
  if (offset === MAX32) offset = wide();
  return { flags, method, compressedSize, size, offset, name };
}

/** Reads the 64-bit numbers of an extra field, one a call. */
function zip64(extra: Buffer): () => number {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  at += 4;
  return () => {
    if (at + 8 > extra.length) throw new ScanStop('malformed', 'a zip64 length is missing.');
    at += 8;
    return Number(extra.readBigUInt64LE(at - 8));
  };
}

function checkLocal(source: ByteSource, entry: Entry, scan: PickleScan): number {
  source.seek(entry.offset);
  if (source.u32() !== 0x04034b50) throw new ScanStop('malformed', 'a member of the zip has no header.');
  source.skip(2);
  const flags = source.u16();
  const method = source.u16();
  source.skip(8);
  const compressedSize = source.u32();
  const size = source.u32();
  const lengths = [source.u16(), source.u16()] as const;
  const name = source.bytes(lengths[0]).toString('utf8');
  source.skip(lengths[1]);
  const deferred = (flags & 8) !== 0 || compressedSize === MAX32 || size === MAX32;
  const sizesAgree = deferred || (compressedSize === entry.compressedSize && size === entry.size);
  if (name !== entry.name || method !== entry.method || flags !== entry.flags || !sizesAgree) {
    addFinding(scan, 'header-mismatch', `the two headers of ${JSON.stringify(entry.name.slice(0, 120))} differ.`);
  }
  return source.position;
}
