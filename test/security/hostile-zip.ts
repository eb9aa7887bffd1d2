import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of an archive, and every lie that it may tell. */
export type ZipEntry = {
  name: string | Buffer;
  content?: string | Buffer;
  /** Unix mode with the kind of file; a plain file by default. */
  mode?: number;
  /** Deflated, or a number for a method that nobody knows. */
  method?: 'deflate' | number;
  /** What the headers say of the unpacked size. */
  size?: number;
  flags?: number;
};

/** A zip byte by byte, since no honest writer makes what these tests need. */
export function zipOf(entries: readonly ZipEntry[], comment = ''): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name as string);
    const content = Buffer.from((entry.content ?? '') as string);
    const data = entry.method === 'deflate' ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((entry.flags ?? 0) | 0x800, 2);
    common.writeUInt16LE(entry.method === 'deflate' ? 8 : (entry.method ?? 0), 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(entry.size ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const central = Buffer.alloc(14);
    central.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    central.writeUInt32LE(offset, 10);
    const file = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, name, data]);
    files.push(file);
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0003'), common, central, name]));
    offset += file.length;
  }
  const end = Buffer.alloc(18);
  const length = directory.reduce((sum, { length: bytes }) => sum + bytes, 0);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(length, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...files, ...directory, Buffer.from('PK\u0005\u0006'), end, Buffer.from(comment)]);
}

export function reportZip(text: string | Buffer): Buffer {
  return zipOf([{ name: 'report.json', content: text, method: 'deflate' }]);
}
