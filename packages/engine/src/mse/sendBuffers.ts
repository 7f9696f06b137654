/** Four blocks with their headers: what one turn of the event loop sends a fast peer. */
export const SEND_BUFFER_BYTES = 4 * (16 * 1024 + 13)
/** Buffers kept for the next use. */
const MAX_SPARE = 16
/** A buffer that is filled less than this is copied, so that few bytes do not hold it while a peer does not read. */
const MIN_FILLED = SEND_BUFFER_BYTES / 4

/** Encrypted bytes on their way to a stream, and who is told when they have left. */
export class SendBuffer {
  readonly bytes = new Uint8Array(SEND_BUFFER_BYTES)
  length = 0
  private callbacks: (() => void)[] = []
  /** Made once for all uses. */
  readonly onSent: () => void

  constructor(recycle: (buffer: SendBuffer) => void) {
    this.onSent = () => {
      const callbacks = this.takeCallbacks()
      recycle(this)
      for (const callback of callbacks) callback()
    }
  }

  get room(): number {
    return SEND_BUFFER_BYTES - this.length
  }

  addCallback(callback: () => void): void {
    this.callbacks.push(callback)
  }

  private takeCallbacks(): (() => void)[] {
    const { callbacks } = this
    this.callbacks = []
    return callbacks
  }

  /** What it holds, with the callbacks, as bytes of their own; it is empty then. */
  moveOut(): { readonly bytes: Uint8Array; readonly onSent: (() => void) | undefined } {
    const bytes = this.bytes.slice(0, this.length)
    this.length = 0
    const callbacks = this.takeCallbacks()
    if (callbacks.length === 0) return { bytes, onSent: undefined }
    return {
      bytes,
      onSent: () => {
        for (const callback of callbacks) callback()
      },
    }
  }

  get isWorthKeeping(): boolean {
    return this.length >= MIN_FILLED
  }
}

/** Buffers for encrypted bytes, shared by all streams: what is sent is a copy, since blocks belong to others, too. */
export class SendBuffers {
  private readonly spare: SendBuffer[] = []
  private readonly recycle = (buffer: SendBuffer) => this.giveBack(buffer)

  /** An empty one. */
  take(): SendBuffer {
    return this.spare.pop() ?? new SendBuffer(this.recycle)
  }

  giveBack(buffer: SendBuffer): void {
    buffer.length = 0
    if (this.spare.length < MAX_SPARE) this.spare.push(buffer)
  }
}
