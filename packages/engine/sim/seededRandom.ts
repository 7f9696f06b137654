import type { Random } from '../src/platform/random.ts'

/**
 * Chance that can be replayed: the same seed gives the same numbers (xoshiro128**, seeded by splitmix32).
 * Not for secrets.
 */
export class SeededRandom implements Random {
  private a: number
  private b: number
  private c: number
  private d: number

  constructor(readonly seed: number) {
    let state = seed | 0
    const next = () => {
      state = (state + 0x9e3779b9) | 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return (z ^ (z >>> 15)) >>> 0
    }
    this.a = next()
    this.b = next()
    this.c = next()
    this.d = next()
  }

  u32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.b, 5), 7), 9) >>> 0
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = rotateLeft(this.d, 11)
    return result
  }

  below(limit: number): number {
    if (!(limit >= 1 && limit <= 2 ** 32)) throw new RangeError(`a random limit is 1 to 2^32, not ${limit}`)
    return Math.floor((this.u32() / 2 ** 32) * limit)
  }

  bytes(count: number): Uint8Array {
    const out = new Uint8Array(count)
    this.fill(out)
    return out
  }

  fill(out: Uint8Array): void {
    const whole = out.length & ~3
    for (let i = 0; i < whole; i += 4) {
      const word = this.u32()
      out[i] = word
      out[i + 1] = word >>> 8
      out[i + 2] = word >>> 16
      out[i + 3] = word >>> 24
    }
    if (whole < out.length) {
      let word = this.u32()
      for (let i = whole; i < out.length; i++) {
        out[i] = word
        word >>>= 8
      }
    }
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.u32() / 2 ** 32
  }

  /** True with the given probability. Draws nothing for 0 and 1, so that unused faults do not change a run. */
  chance(probability: number): boolean {
    if (probability <= 0) return false
    return probability >= 1 || this.fraction() < probability
  }

  /**
   * An independent stream that depends on the seed and on `label` only, not on what was drawn before: one more user of
   * chance then does not change what the others see.
   */
  fork(label: string): SeededRandom {
    let hash = 0x811c9dc5 ^ this.seed
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193)
    return new SeededRandom(hash)
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}
