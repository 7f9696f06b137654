import {
  type LibtorrentError,
  type LibtorrentErrorCode,
  libtorrentError,
  systemError,
} from '../errors/libtorrentError.ts'
import { EncryptedStream, type IncomingStreamHost } from '../mse/encryptedStream.ts'
import { endOfStream } from '../peer/endOfStream.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import { EncPolicy } from '../settings/settingEnums.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { guarded } from '../util/guarded.ts'
import { type Handshake, HandshakeReader, PROTOCOL_PREFIX_SIZE } from '../wire/handshake.ts'

export interface IncomingHost {
  readonly timers: Timers
  readonly handshakeTimeout: Millis
  /** Whether connections may or must be encrypted by MSE. */
  readonly encPolicy: EncPolicy
  /** What an encrypted connection from `address` needs. */
  encryptionFor(address: string): IncomingStreamHost
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

const TLS_HANDSHAKE = 22
const TLS_MAJOR = 3
const TLS_CLIENT_HELLO = 1

/**
 * A connection a stranger opened, until its handshake says which torrent it is about. What does not begin like a handshake
 * is taken for the key of an encrypted one: `stream` is then an `EncryptedStream`, and what comes out of it is read anew.
 */
export class IncomingConnection implements StreamHandler {
  stream: Stream
  private reader = new HandshakeReader()
  private encrypted: EncryptedStream | null = null
  private readonly timer: Timer
  private done = false

  constructor(
    private readonly host: IncomingHost,
    plain: Stream,
    /** What to be told of whom a TLS connection is for; null: it is a plain one. */
    readonly ssl: IncomingSsl | null = null,
  ) {
    // One timer for the whole handshake: a byte now and then does not keep the connection alive.
    this.timer = host.timers.after(host.handshakeTimeout, () => this.fail(libtorrentError('timedOutNoHandshake')))
    this.stream = plain
    plain.setHandler(this)
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
    if (this.reader.state === 'invalid') return this.readEncrypted(chunk.subarray(taken))
    if (this.isTooPlain) return this.refuse('noIncomingRegular')
    const { handshake } = this.reader
    if (handshake === null) return
    const named = this.encrypted?.infoHash
    if (named && !equalBytes(named, handshake.infoHash)) return this.refuse('invalidInfoHash')
    this.finish()
    this.host.onHandshake(this, handshake, chunk.subarray(taken))
  }

  /** It speaks BitTorrent, and should have done so encrypted. */
  private get isTooPlain(): boolean {
    if (this.host.encPolicy !== EncPolicy.forced || this.encrypted !== null) return false
    return !isEncryptedTransport(this.stream.socketType) && this.reader.collected.length >= PROTOCOL_PREFIX_SIZE
  }

  /** It does not speak BitTorrent, or does so encrypted. `rest` follows what the reader has taken. */
  private readEncrypted(rest: Uint8Array): void {
    const { host, stream, reader } = this
    const isSecured = isEncryptedTransport(stream.socketType)
    if (this.encrypted !== null || isSecured || isTls(reader.collected, rest)) return this.refuse('invalidInfoHash')
    if (host.encPolicy === EncPolicy.disabled) return this.refuse('noIncomingEncrypted')
    this.reader = new HandshakeReader()
    this.encrypted = EncryptedStream.accepting(host.encryptionFor(stream.remote.address), stream, this)
    this.stream = this.encrypted
    this.encrypted.onData(reader.collected)
    this.encrypted.onData(rest)
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

  private refuse(code: LibtorrentErrorCode): void {
    this.fail(libtorrentError(code, { operation: 'bittorrent' }))
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

/** TLS and WebRTC have their own encryption. */
function isEncryptedTransport(type: SocketType): boolean {
  return type.endsWith('Ssl') || type === 'rtc' || type === 'i2p'
}

/**
 * A peer of an SSL torrent has come to the wrong port. Of a billion keys of encrypted handshakes one looks like this, and is
 * followed by another at the next try.
 */
function isTls(first: Uint8Array, rest: Uint8Array): boolean {
  const byte = (i: number) => (i < first.length ? first[i] : rest[i - first.length])
  return byte(0) === TLS_HANDSHAKE && byte(1) === TLS_MAJOR && byte(2) <= 4 && byte(5) === TLS_CLIENT_HELLO
}
