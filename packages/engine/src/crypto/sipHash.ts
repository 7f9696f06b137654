/**
 * SipHash-2-4: a keyed hash of short messages that nobody can predict without the key, an order of magnitude cheaper
 * than SHA-1 through `node:crypto` for a few bytes. Used where a stranger makes us compute one per packet.
 *
 * 64-bit words are pairs of 32-bit halves, low half first.
 */
export class SipHash {
  private readonly k0l: number
  private readonly k0h: number
  private readonly k1l: number
  private readonly k1h: number
  /** Low and high half of the last result. */
  low = 0
  high = 0

  /** @throws RangeError unless `key` has 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`a SipHash key has 16 bytes, not ${key.length}`)
    this.k0l = readLE(key, 0)
    this.k0h = readLE(key, 4)
    this.k1l = readLE(key, 8)
    this.k1h = readLE(key, 12)
  }

  /** Hashes the first `length` bytes of `message`; the result is in `low` and `high`. */
  hash(message: Uint8Array, length = message.length): void {
    let v0l = this.k0l ^ 0x70736575
    let v0h = this.k0h ^ 0x736f6d65
    let v1l = this.k1l ^ 0x6e646f6d
    let v1h = this.k1h ^ 0x646f7261
    let v2l = this.k0l ^ 0x6e657261
    let v2h = this.k0h ^ 0x6c796765
    let v3l = this.k1l ^ 0x79746573
    let v3h = this.k1h ^ 0x74656462
    const whole = length & ~7
    // One round more for the last word, four to finish.
    for (let at = 0; at <= whole + 8; at += 8) {
      let ml = 0
      let mh = 0
      let rounds = 2
      if (at < whole) {
        ml = readLE(message, at)
        mh = readLE(message, at + 4)
      } else if (at === whole) {
        for (let i = length - 1; i >= whole; i--) {
          mh = (mh << 8) | (ml >>> 24)
          ml = (ml << 8) | message[i]
        }
        mh |= length << 24
      } else {
        v2l ^= 0xff
        rounds = 4
      }
      v3l ^= ml
      v3h ^= mh
      for (let round = 0; round < rounds; round++) {
        let sum = (v0l >>> 0) + (v1l >>> 0)
        v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
        v0l = sum | 0
        let swap = (v1h << 13) | (v1l >>> 19)
        v1l = (v1l << 13) | (v1h >>> 19)
        v1h = swap
        v1l ^= v0l
        v1h ^= v0h
        swap = v0l
        v0l = v0h
        v0h = swap
        sum = (v2l >>> 0) + (v3l >>> 0)
        v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
        v2l = sum | 0
        swap = (v3h << 16) | (v3l >>> 16)
        v3l = (v3l << 16) | (v3h >>> 16)
        v3h = swap
        v3l ^= v2l
        v3h ^= v2h
        sum = (v0l >>> 0) + (v3l >>> 0)
        v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
        v0l = sum | 0
        swap = (v3h << 21) | (v3l >>> 11)
        v3l = (v3l << 21) | (v3h >>> 11)
        v3h = swap
        v3l ^= v0l
        v3h ^= v0h
        sum = (v2l >>> 0) + (v1l >>> 0)
        v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
        v2l = sum | 0
        swap = (v1h << 17) | (v1l >>> 15)
        v1l = (v1l << 17) | (v1h >>> 15)
        v1h = swap
        v1l ^= v2l
        v1h ^= v2h
        swap = v2l
        v2l = v2h
        v2h = swap
      }
      v0l ^= ml
      v0h ^= mh
    }
    this.low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0
    this.high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0
  }
}

function readLE(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}
