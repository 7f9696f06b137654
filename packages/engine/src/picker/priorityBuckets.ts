import type { Random } from '../platform/random.ts'
import type { PieceIndex } from '../util/flavored.ts'

/**
 * Pieces sorted by a small integer key, in random order where the key is the same. One flat array holds them all,
 * bucket after bucket; `ends` says where each bucket ends. A piece changes its key by one swap per bucket boundary it
 * crosses, and any number of changes can be made at once by `rebuild`, in time proportional to the pieces.
 */
export class PriorityBuckets {
  /** The pieces, lowest key first; valid below `length`. */
  order: Int32Array = new Int32Array(0)
  length = 0
  /** Index into `order` of each piece that is in it. */
  position: Int32Array = new Int32Array(0)
  private ends: Int32Array = new Int32Array(64)
  private numBuckets = 1
  private seed: number

  constructor(
    private readonly numPieces: number,
    random: Random,
  ) {
    this.seed = random.u32() | 1
  }

  /** One past the last piece whose key is `key` or lower. */
  endOf(key: number): number {
    return key < this.numBuckets ? this.ends[key] : this.length
  }

  /** Puts a piece that is not in here at a random place among those of the same key. */
  add(piece: PieceIndex, key: number): void {
    this.growTo(key)
    const last = this.numBuckets - 1
    this.put(piece, this.length++)
    this.ends[last]++
    this.shift(piece, last, key)
    this.shuffleOne(piece, key)
  }

  remove(piece: PieceIndex, key: number): void {
    const last = this.numBuckets - 1
    this.shift(piece, key, last)
    this.put(this.order[this.length - 1], this.position[piece])
    this.ends[last]--
    this.length--
  }

  /** Moves a piece to a random place among those of key `to`. */
  move(piece: PieceIndex, from: number, to: number): void {
    this.growTo(to)
    this.shift(piece, from, to)
    this.shuffleOne(piece, to)
  }

  /** Fills in everything anew: `keyOf` tells each piece's key, negative for those that are left out. */
  rebuild(keyOf: (piece: PieceIndex) => number): void {
    if (this.order.length !== this.numPieces) {
      this.order = new Int32Array(this.numPieces)
      this.position = new Int32Array(this.numPieces)
    }
    this.ends.fill(0)
    this.numBuckets = 1
    this.length = 0
    const position = this.position
    // Counting sort. First pass: `ends` counts, `position` is the rank inside the bucket, -1 for those left out.
    for (let piece = 0; piece < this.numPieces; piece++) {
      const key = keyOf(piece)
      if (key >= this.numBuckets) this.growTo(key)
      position[piece] = key < 0 ? -1 : this.ends[key]++
    }
    for (let key = 0; key < this.numBuckets; key++) {
      this.length += this.ends[key]
      this.ends[key] = this.length
    }
    for (let piece = 0; piece < this.numPieces; piece++) {
      if (position[piece] < 0) continue
      const key = keyOf(piece)
      this.put(piece, position[piece] + (key === 0 ? 0 : this.ends[key - 1]))
    }
    for (let key = 0, start = 0; key < this.numBuckets; key++) {
      const end = this.ends[key]
      for (let at = end - 1; at > start; at--) this.swap(at, start + this.below(at - start + 1))
      start = end
    }
  }

  /** Moves a piece over the boundaries between two buckets, each time changing places with the piece at the edge. */
  private shift(piece: PieceIndex, from: number, to: number): void {
    const ends = this.ends
    for (let key = from; key > to; key--) this.swap(this.position[piece], ends[key - 1]++)
    for (let key = from; key < to; key++) this.swap(this.position[piece], --ends[key])
  }

  private shuffleOne(piece: PieceIndex, key: number): void {
    const start = key === 0 ? 0 : this.ends[key - 1]
    this.swap(this.position[piece], start + this.below(this.ends[key] - start))
  }

  private put(piece: PieceIndex, at: number): void {
    this.order[at] = piece
    this.position[piece] = at
  }

  private swap(a: number, b: number): void {
    if (a === b) return
    const piece = this.order[a]
    this.put(this.order[b], a)
    this.put(piece, b)
  }

  private growTo(key: number): void {
    if (key < this.numBuckets) return
    if (key >= this.ends.length) {
      const grown = new Int32Array(Math.max(key + 1, this.ends.length * 2))
      grown.set(this.ends)
      this.ends = grown
    }
    this.ends.fill(this.length, this.numBuckets, key + 1)
    this.numBuckets = key + 1
  }

  /** Xorshift, seeded from the platform: a rebuild draws one number per piece, and nothing here has to be secret. */
  private below(limit: number): number {
    let x = this.seed
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.seed = x
    return Math.floor(((x >>> 0) * limit) / 0x1_0000_0000)
  }
}
