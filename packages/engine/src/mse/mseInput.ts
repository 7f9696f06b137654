/**
 * What the other side sends during the handshake: collected whole, up to the longest a handshake can be, so that parts of
 * it can be read however they were cut.
 */
export class MseInput {
  private readonly bytes: Uint8Array
  private filled = 0
  private at = 0
  /** Places that were looked at for a pattern in vain. */
  private searched = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Copies as many of `chunk` as fit; returns how many. */
  fill(chunk: Uint8Array): number {
    const size = Math.min(chunk.length, this.bytes.length - this.filled)
    this.bytes.set(chunk.subarray(0, size), this.filled)
    this.filled += size
    return size
  }

  /** The next `length` bytes as a view to be changed at will, or null when they have not all come. */
  take(length: number): Uint8Array | null {
    if (this.filled - this.at < length) return null
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /**
   * Skips to behind the next `pattern`. `waiting`: it has not come yet. `missing`: it does not come within the next
   * `maxSkipped` bytes.
   */
  skipTo(pattern: Uint8Array, maxSkipped: number): 'found' | 'waiting' | 'missing' {
    const last = Math.min(this.filled - pattern.length, this.at + maxSkipped)
    for (let from = Math.max(this.at, this.searched); from <= last; from++) {
      if (this.matches(pattern, from)) {
        this.at = from + pattern.length
        return 'found'
      }
    }
    this.searched = Math.max(this.at, last + 1)
    return last === this.at + maxSkipped ? 'missing' : 'waiting'
  }

  /** Everything that was not taken, as a view. */
  rest(): Uint8Array {
    return this.bytes.subarray(this.at, this.filled)
  }

  private matches(pattern: Uint8Array, from: number): boolean {
    for (let i = 0; i < pattern.length; i++) if (this.bytes[from + i] !== pattern[i]) return false
    return true
  }
}
