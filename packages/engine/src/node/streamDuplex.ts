import { Duplex } from 'node:stream'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'

/** Any stream of ours as one of Node's, so that Node's TLS can be put on it: through a proxy, over uTP. */
export class StreamDuplex extends Duplex implements StreamHandler {
  private isConnected: boolean
  /** What is to be written once the connection stands. */
  private waiting: (() => void) | null = null

  /** Takes `stream`, connecting or connected. */
  constructor(private readonly stream: Stream) {
    super({ allowHalfOpen: false })
    this.isConnected = stream.local !== null
    stream.setHandler(this)
  }

  onConnected(): void {
    this.isConnected = true
    this.waiting?.()
    this.waiting = null
  }

  onData(chunk: Uint8Array): void {
    // The view is valid during the call only, and Node keeps what it is given.
    if (!this.push(Buffer.from(chunk))) this.stream.pauseReading()
  }

  onDrain(): void {}

  onClosed(error: LibtorrentError | null): void {
    if (error !== null) this.destroy(error)
    else this.push(null)
  }

  override _read(): void {
    this.stream.resumeReading()
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    const send = () => {
      this.stream.write(chunk, done)
    }
    if (this.isConnected) send()
    else this.waiting = send
  }

  override _final(done: () => void): void {
    this.stream.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.waiting = null
    this.stream.destroy()
    done(error)
  }
}
