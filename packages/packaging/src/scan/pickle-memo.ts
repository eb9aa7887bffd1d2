import { ScanStop } from './finding.ts';
import type { PickleValue } from './pickle-value.ts';

/** No pickler leaves gaps; a map of many entries is slow. */
const maxSparse = 1_000_000;

/** A pickle's memo. Pickles number their entries from 0 on; what is far out of order costs a map entry, not an array. */
export class Memo {
  #dense: PickleValue[] = [];
  #sparse = new Map<number, PickleValue>();
  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#dense.length + this.#sparse.size;
  }

  get(index: number): PickleValue | undefined {
    return index < this.#dense.length ? this.#dense[index] : this.#sparse.get(index);
  }

  put(index: number, value: PickleValue): void {
    if (index < this.#dense.length) this.#dense[index] = value;
    else if (index > this.#dense.length || this.#sparse.has(index)) this.#sparse.set(index, value);
    else this.#dense.push(value);
    if (this.#sparse.size > maxSparse)
      throw new ScanStop('limit', `a pickle's memo has more than ${maxSparse} entries out of order.`);
    if (this.size > this.#limit) throw new ScanStop('limit', `a pickle's memo has more than ${this.#limit} entries.`);
  }
}
