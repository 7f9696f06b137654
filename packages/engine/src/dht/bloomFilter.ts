import { sha1 } from '../crypto/sha1.ts'

/** Bytes of the filters of a scrape (BEP 33). */
export const SCRAPE_FILTER_SIZE = 256
/** Bits an element sets. */
const K = 2

/**
 * A set of addresses that only tells, with some error, whether an address is in it and how many there are (BEP 33).
 * Unions are made by OR, so that the counts of many nodes can be added up.
 */
export class BloomFilter {
  readonly bits: Uint8Array

  /** @param size bytes, a power of two; 256 for scrapes, 128 for the announcers of an item */
  constructor(size = SCRAPE_FILTER_SIZE) {
    this.bits = new Uint8Array(size)
  }

  /** Adds an address of 4 or 16 bytes. Returns false when it may have been in the set before. */
  insert(address: Uint8Array): boolean {
    const hash = sha1(address).bytes
    const wasSet = this.setBit(hash[0] | (hash[1] << 8))
    return !(this.setBit(hash[2] | (hash[3] << 8)) && wasSet)
  }

  has(address: Uint8Array): boolean {
    const hash = sha1(address).bytes
    return this.isSet(hash[0] | (hash[1] << 8)) && this.isSet(hash[2] | (hash[3] << 8))
  }

  /** Adds all of a filter of the same size. */
  union(bits: Uint8Array): void {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] |= bits[i]
  }

  /** How many addresses there probably are (BEP 33, "Calculating the estimate"). */
  get estimate(): number {
    const m = this.bits.length * 8
    let zeros = 0
    for (const byte of this.bits) for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) === 0) zeros++
    // A full filter tells nothing but "very many"; an empty one has all bits zero and counts nobody.
    const c = zeros === m ? m : Math.min(m - 1, Math.max(1, zeros))
    return Math.log(c / m) / (K * Math.log(1 - 1 / m)) + 0
  }

  /** Returns whether the bit was set before. */
  private setBit(index: number): boolean {
    const at = index % (this.bits.length * 8)
    const wasSet = this.isSet(index)
    this.bits[at >> 3] |= 1 << (at & 7)
    return wasSet
  }

  private isSet(index: number): boolean {
    const at = index % (this.bits.length * 8)
    return (this.bits[at >> 3] & (1 << (at & 7))) !== 0
  }
}
