import { type LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import { endOfStream } from '../peer/endOfStream.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Millis } from '../util/flavored.ts'
import { guarded } from '../util/guarded.ts'
import { type Handshake, HandshakeReader } from '../wire/handshake.ts'

export interface IncomingHost {
  readonly timers: Timers
  readonly handshakeTimeout: Millis
  /** The handshake is there; the stream now belongs to whoever has the torrent. `rest` is a view. */
  onHandshake(connection: IncomingConnection, handshake: Handshake, rest: Uint8Array): void
  onIncomingFailed(connection: IncomingConnection, error: LibtorrentError): void
  /** Our own code threw. */
  onFault(cause: unknown): void
}

/** Which torrent a TLS connection asked for (SNI). */
export interface IncomingSsl {
  /** Null until it has asked. */
  readonly target: object | null
}

/** A connection a stranger opened, until its handshake says which torrent it is about. */
export class IncomingConnection implements StreamHandler {
  private readonly reader = new HandshakeReader()
  private readonly timer: Timer
  private done = false

  constructor(
    private readonly host: IncomingHost,
    readonly stream: Stream,
    /** What to be told of whom a TLS connection is for; null: it is a plain one. */
    readonly ssl: IncomingSsl | null = null,
  ) {
    // One timer for the whole handshake: a byte now and then does not keep the connection alive.
    this.timer = host.timers.after(host.handshakeTimeout, () => this.fail(libtorrentError('timedOutNoHandshake')))
    stream.setHandler(this)
  }

  onConnected(): void {}

  onDrain(): void {}

  readonly onData = guarded(
    (chunk: Uint8Array): void => this.receive(chunk),
    (cause) => this.fault(cause),
  )

  private receive(chunk: Uint8Array): void {
    if (this.done) return
    const taken = this.reader.push(chunk)
    if (this.reader.state === 'invalid') return this.fail(libtorrentError('invalidInfoHash'))
    const { handshake } = this.reader
    if (handshake === null) return
    this.finish()
    this.host.onHandshake(this, handshake, chunk.subarray(taken))
  }

  onClosed(error: LibtorrentError | null): void {
    if (this.done) return
    this.finish()
    this.host.onIncomingFailed(this, error ?? endOfStream())
  }

  /** Should our own code fail over what a stranger sent, this connection ends and nothing else. */
  private fault(cause: unknown): void {
    this.host.onFault(cause)
    if (this.done) this.stream.destroy()
    else this.fail(systemError(cause))
  }

  /** Drops the connection without a report. */
  drop(): void {
    this.finish()
    this.stream.destroy()
  }

  private fail(error: LibtorrentError): void {
    if (this.done) return
    this.drop()
    this.host.onIncomingFailed(this, error)
  }

  private finish(): void {
    this.done = true
    this.timer.cancel()
  }
}
