interface QueuedWrite {
  readonly bytes: Uint8Array
  readonly onSent: (() => void) | undefined
}

/** Bytes that wait to be put into packets, where the caller has them. */
export class SendQueue {
  private writes: QueuedWrite[] = []
  /** The write at the front, and how much of it was taken. */
  private head = 0
  private taken = 0
  private bytes = 0
  private sent: (() => void)[] = []

  /** Bytes that wait. */
  get length(): number {
    return this.bytes
  }

  push(bytes: Uint8Array, onSent?: () => void): void {
    this.writes.push({ bytes, onSent })
    this.bytes += bytes.length
  }

  /** A write that is not carried out. */
  refuse(onSent: (() => void) | undefined): void {
    if (onSent !== undefined) this.sent.push(onSent)
  }

  /** Moves the next `count` bytes, of at least as many, to `target`. */
  take(target: Uint8Array, at: number, count: number): void {
    let left = count
    while (left > 0) {
      const write = this.writes[this.head]
      const part = Math.min(left, write.bytes.length - this.taken)
      // A copy in one call needs no view when the whole write goes.
      if (part === write.bytes.length) target.set(write.bytes, at + count - left)
      else target.set(write.bytes.subarray(this.taken, this.taken + part), at + count - left)
      this.taken += part
      left -= part
      if (this.taken === write.bytes.length) this.next(write)
    }
    this.bytes -= count
  }

  /** Drops all that waits. */
  clear(): void {
    for (let i = this.head; i < this.writes.length; i++) this.refuse(this.writes[i].onSent)
    this.writes = []
    this.head = 0
    this.taken = 0
    this.bytes = 0
  }

  /** Calls `onSent` of the writes that were taken whole, or dropped, since it was called last. */
  callSent(): void {
    if (this.sent.length === 0) return
    const calls = this.sent
    this.sent = []
    for (const call of calls) call()
  }

  /** There are such writes. */
  get hasSent(): boolean {
    return this.sent.length > 0
  }

  private next(write: QueuedWrite): void {
    if (write.onSent !== undefined) this.sent.push(write.onSent)
    this.taken = 0
    this.head++
    // Now and then, so that the cost is constant per write.
    if (this.head === this.writes.length) {
      this.writes.length = 0
      this.head = 0
    } else if (this.head >= 64 && this.head * 2 >= this.writes.length) {
      this.writes.splice(0, this.head)
      this.head = 0
    }
  }
}
