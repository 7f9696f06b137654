import { randomBytes, randomFillSync } from 'node:crypto'
import type { Random } from '../platform/random.ts'

/** Cryptographically strong chance, drawn from the system in batches. */
export class NodeRandom implements Random {
  private readonly pool = new Uint32Array(256)
  private next = 256

  u32(): number {
    if (this.next === this.pool.length) {
      randomFillSync(this.pool)
      this.next = 0
    }
    return this.pool[this.next++]
  }

  below(limit: number): number {
    // Rejecting the incomplete last interval keeps every value equally likely.
    const bound = Math.floor(0x1_0000_0000 / limit) * limit
    let value = this.u32()
    while (value >= bound) value = this.u32()
    return value % limit
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from(randomBytes(count))
  }
}
