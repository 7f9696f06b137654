import type { Rc4 } from '../crypto/rc4.ts'
import type { Stream } from '../platform/tcp.ts'
import { type SendBuffer, SendBuffers } from './sendBuffers.ts'

const buffers = new SendBuffers()

/**
 * The sending half of a stream that is encrypted: what is written is encrypted into buffers of its own, gathered between
 * `cork` and `uncork`. `onSent` is called when the encrypted bytes have left, so that a sender waits as for a plain one.
 */
export class CipherOutput {
  private gathering: SendBuffer | null = null
  private isCorked = false

  constructor(
    private readonly stream: Stream,
    private readonly cipher: Rc4,
  ) {}

  /** Bytes not handed to the stream yet. */
  get heldBytes(): number {
    return this.gathering?.length ?? 0
  }

  write(bytes: Uint8Array, onSent: (() => void) | undefined): boolean {
    if (bytes.length === 0) return this.stream.write(bytes, onSent)
    let mayGoOn = true
    for (let at = 0; at < bytes.length; ) {
      this.gathering ??= buffers.take()
      const buffer = this.gathering
      const size = Math.min(buffer.room, bytes.length - at)
      this.cipher.turnInto(size === bytes.length ? bytes : bytes.subarray(at, at + size), buffer.bytes, buffer.length)
      buffer.length += size
      at += size
      if (at === bytes.length && onSent !== undefined) buffer.addCallback(onSent)
      if (buffer.room === 0) mayGoOn = this.release()
    }
    return this.isCorked ? mayGoOn : this.release()
  }

  cork(): void {
    this.isCorked = true
    this.stream.cork()
  }

  uncork(): void {
    this.isCorked = false
    this.release()
    this.stream.uncork()
  }

  /** Hands what was gathered to the stream; a stream that is closed still says that it was sent. */
  release(): boolean {
    const buffer = this.gathering
    if (buffer === null) return true
    this.gathering = null
    if (buffer.isWorthKeeping) return this.stream.write(buffer.bytes.subarray(0, buffer.length), buffer.onSent)
    const { bytes, onSent } = buffer.moveOut()
    buffers.giveBack(buffer)
    return this.stream.write(bytes, onSent)
  }
}
