import { readSync } from 'node:fs';
import { ScanStop } from './finding.ts';

const WINDOW = 256 * 1024;
const none = Buffer.alloc(0);

/**
 * Bytes read front to back from a buffer or an open file, with a window of 256 KiB in memory. What is skipped is never
 * read. Reading past the end throws ScanStop `malformed`.
 */
export class ByteSource {
  readonly size: number;
  #file: number | undefined;
  /** Where the first byte stands in the open file. */
  #origin: number;
  #window: Buffer;
  /** Offset of the window's first byte in the file. */
  #base: number;
  /** Offset of the next byte in the window. */
  #at = 0;

  constructor(content: Buffer | { file: number; size: number; origin?: number }) {
    this.#file = Buffer.isBuffer(content) ? undefined : content.file;
    this.#origin = Buffer.isBuffer(content) ? 0 : (content.origin ?? 0);
    this.#window = Buffer.isBuffer(content) ? content : none;
    this.#base = 0;
    this.size = Buffer.isBuffer(content) ? content.length : content.size;
  }

  get position(): number {
    return this.#base + this.#at;
  }

  get left(): number {
    return this.size - this.position;
  }

  u8(): number {
    if (this.#at >= this.#window.length) this.#fill(1);
    return this.#window[this.#at++]!;
  }

  u16(): number {
    this.#fill(2);
    this.#at += 2;
    return this.#window.readUInt16LE(this.#at - 2);
  }

  u32(): number {
    this.#fill(4);
    this.#at += 4;
    return this.#window.readUInt32LE(this.#at - 4);
  }

  i32(): number {
    this.#fill(4);
    this.#at += 4;
    return this.#window.readInt32LE(this.#at - 4);
  }

  /** A 64-bit length; more than 2^53 is past the end of any file. */
  u64(): number {
    const low = this.u32();
    const high = this.u32();
    if (high >= 2 ** 21)
      throw new ScanStop('malformed', `a length at byte ${this.position - 8} is larger than any file.`);
    return high * 2 ** 32 + low;
  }

  /** The next `count` bytes; valid until the next read. */
  bytes(count: number): Buffer {
    this.#fill(count);
    this.#at += count;
    return this.#window.subarray(this.#at - count, this.#at);
  }

  /** The next bytes, at most `count`, without moving. */
  peek(count: number): Buffer {
    const wanted = Math.min(count, this.left);
    this.#fill(wanted);
    return this.#window.subarray(this.#at, this.#at + wanted);
  }

  skip(count: number): void {
    if (count > this.left) throw this.#early(count);
    if (this.#at + count <= this.#window.length) this.#at += count;
    else this.seek(this.position + count);
  }

  seek(position: number): void {
    if (position < 0 || position > this.size) throw this.#early(0);
    if (this.#file === undefined || (position >= this.#base && position <= this.#base + this.#window.length)) {
      this.#at = position - this.#base;
      return;
    }
    this.#base = position;
    this.#at = 0;
    this.#window = none;
  }

  /** A line without its newline, as Latin-1, or undefined when it is longer than `keep` bytes. */
  line(keep: number, limit: number): string | undefined {
    let length = 0;
    let text = '';
    for (;;) {
      if (this.#at >= this.#window.length) this.#fill(1);
      const end = this.#window.indexOf(10, this.#at);
      const stop = end < 0 ? this.#window.length : end;
      length += stop - this.#at;
      if (length <= keep) text += this.#window.toString('latin1', this.#at, stop);
      if (length > limit) throw new ScanStop('limit', `a line at byte ${this.position} is longer than ${limit} bytes.`);
      this.#at = end < 0 ? stop : end + 1;
      if (end >= 0) return length <= keep ? text : undefined;
    }
  }

  /** All bytes from the start, for what reads streams. The source itself does not move. */
  *chunks(): Generator<Buffer> {
    for (let at = 0; at < this.size; at += WINDOW) {
      yield Buffer.from(this.slice(at, Math.min(WINDOW, this.size - at)).peek(WINDOW));
    }
  }

  /** A part of the bytes as a source of its own. */
  slice(start: number, size: number): ByteSource {
    if (start < 0 || size < 0 || start + size > this.size) throw this.#early(size);
    if (this.#file === undefined) return new ByteSource(this.#window.subarray(start, start + size));
    return new ByteSource({ file: this.#file, size, origin: this.#origin + start });
  }

  #fill(count: number): void {
    const held = this.#window.length - this.#at;
    if (held >= count) return;
    if (this.#file === undefined || this.left < count) throw this.#early(count);
    const position = this.position;
    const next = Buffer.allocUnsafe(Math.min(this.size - position, Math.max(WINDOW, count)));
    this.#window.copy(next, 0, this.#at);
    let filled = held;
    while (filled < next.length) {
      const read = readSync(this.#file, next, filled, next.length - filled, this.#origin + position + filled);
      if (read === 0) throw this.#early(count);
      filled += read;
    }
    this.#window = next;
    this.#base = position;
    this.#at = 0;
  }

  #early(count: number): ScanStop {
    return new ScanStop(
      'malformed',
      `the file ends at byte ${this.size}; ${count} bytes were expected at ${this.position}.`,
    );
  }
}
