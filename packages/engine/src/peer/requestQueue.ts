import type { Millis } from '../util/flavored.ts'

const ANSWERED = -1
const COMPACT_AT = 256

/**
 * The blocks asked of one peer and not yet answered, oldest first (libtorrent's `download_queue`).
 * Answers mostly come in the order asked, so that finding one costs one comparison.
 */
export class RequestQueue {
  private blocks: number[] = []
  private times: Millis[] = []
  private head = 0
  private live = 0

  get length(): number {
    return this.live
  }

  push(blockId: number, now: Millis): void {
    this.blocks.push(blockId)
    this.times.push(now)
    this.live++
  }

  has(blockId: number): boolean {
    return this.find(blockId) !== -1
  }

  /** Takes `blockId` out; false when it was not asked. */
  remove(blockId: number): boolean {
    const at = this.find(blockId)
    if (at === -1) return false
    this.blocks[at] = ANSWERED
    this.live--
    while (this.head < this.blocks.length && this.blocks[this.head] === ANSWERED) this.head++
    if (this.head >= COMPACT_AT) {
      this.blocks.splice(0, this.head)
      this.times.splice(0, this.head)
      this.head = 0
    }
    return true
  }

  /** The block asked longest ago, or -1. */
  get oldest(): number {
    return this.live === 0 ? -1 : this.blocks[this.head]
  }

  /** When `oldest` was asked. */
  get oldestTime(): Millis {
    return this.live === 0 ? 0 : this.times[this.head]
  }

  /** The blocks, oldest first. */
  ids(): number[] {
    return this.blocks.slice(this.head).filter((id) => id !== ANSWERED)
  }

  clear(): void {
    this.blocks = []
    this.times = []
    this.head = 0
    this.live = 0
  }

  private find(blockId: number): number {
    for (let i = this.head; i < this.blocks.length; i++) if (this.blocks[i] === blockId) return i
    return -1
  }
}
