const CHUNK_BYTES = 16 * 1024

/** Bytes that wait until they are wanted. They are copied together, so that many tiny packets cost no more than one. */
export class PendingBytes {
  private readonly chunks: Uint8Array[] = []
  /** Bytes used of the last chunk. */
  private filled = 0
  private bytes = 0

  /** Bytes that wait. */
  get length(): number {
    return this.bytes
  }

  /** Adds a copy. */
  append(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      let chunk = this.chunks.at(-1)
      if (chunk === undefined || this.filled === chunk.length) {
        chunk = new Uint8Array(CHUNK_BYTES)
        this.chunks.push(chunk)
        this.filled = 0
      }
      const take = Math.min(bytes.length - at, chunk.length - this.filled)
      chunk.set(bytes.subarray(at, at + take), this.filled)
      this.filled += take
      at += take
    }
    this.bytes += bytes.length
  }

  /** The next bytes in order, or null when there are none. */
  take(): Uint8Array | null {
    const chunk = this.chunks.shift()
    if (chunk === undefined) return null
    const part = this.chunks.length === 0 ? chunk.subarray(0, this.filled) : chunk
    this.bytes -= part.length
    return part
  }

  clear(): void {
    this.chunks.length = 0
    this.bytes = 0
  }
}
