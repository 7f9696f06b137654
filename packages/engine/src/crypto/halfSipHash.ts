/**
 * HalfSipHash-2-4 with a result of 64 bits: a fast keyed hash of a few bytes, whose results nobody can foresee who does
 * not know the key. For hash tables of what strangers choose and for tokens that live for minutes; its key of 64 bits is
 * too short for anything that has to last.
 *
 * The results are two fields, so that hashing makes no garbage.
 */
export class HalfSipHash {
  /** First 32 bits of the last result, little-endian, unsigned. */
  first = 0
  /** The 32 bits behind them. */
  second = 0
  private v0 = 0
  private v1 = 0
  private v2 = 0
  private v3 = 0

  /** The key, as two unsigned numbers of 32 bits. */
  constructor(
    private readonly key0: number,
    private readonly key1: number,
  ) {}

  /** Hashes `length` bytes from `offset` of `bytes`; gives `first`. */
  hash(bytes: Uint8Array, offset: number, length: number): number {
    this.v0 = this.key0
    this.v1 = this.key1 ^ 0xee
    this.v2 = this.key0 ^ 0x6c796765
    this.v3 = this.key1 ^ 0x74656462
    const left = length & 3
    const end = offset + length - left
    for (let at = offset; at < end; at += 4) {
      this.absorb(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24))
    }
    let last = length << 24
    if (left > 2) last |= bytes[end + 2] << 16
    if (left > 1) last |= bytes[end + 1] << 8
    if (left > 0) last |= bytes[end]
    this.absorb(last)
    this.v2 ^= 0xee
    this.mix(4)
    this.first = (this.v1 ^ this.v3) >>> 0
    this.v1 ^= 0xdd
    this.mix(4)
    this.second = (this.v1 ^ this.v3) >>> 0
    return this.first
  }

  private absorb(word: number): void {
    this.v3 ^= word
    this.mix(2)
    this.v0 ^= word
  }

  private mix(rounds: number): void {
    let { v0, v1, v2, v3 } = this
    for (let i = 0; i < rounds; i++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    this.v0 = v0
    this.v1 = v1
    this.v2 = v2
    this.v3 = v3
  }
}
