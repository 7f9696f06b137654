import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Millis } from '../util/flavored.ts'
import type { Resolver } from './resolver.ts'

export interface WebSocketRequest {
  /** `ws:` or `wss:`, without credentials or fragment. */
  readonly url: string
  /** Headers of the opening request beside those every request has. */
  readonly headers: Readonly<Record<string, string>>
  /** Name lookup, connection and opening handshake must be over within this time. */
  readonly openTimeout: Millis
  /** Largest message taken, bytes; a larger one ends the connection with `packetTooLarge`. */
  readonly maxMessageBytes: number
  /** Check certificates of wss servers. Default true. */
  readonly validateCertificate?: boolean
  /** Judges every address about to be connected to, after name resolution. An error refuses it. Default: all pass. */
  readonly checkAddress?: (address: string) => LibtorrentError | null
  /** Looks host names up. Default: the system's way. */
  readonly resolver?: Resolver
  /** Bind to this local address. Default: the system chooses. */
  readonly localAddress?: string | undefined
  /** Connect to addresses of this family only. Default: both. */
  readonly family?: 4 | 6 | undefined
}

/** Told of one WebSocket; later, never from inside a call to it. After `onClosed` and after `close` nothing comes. */
export interface WebSocketHandler {
  /** The server speaks WebSocket; its address. */
  onOpen(remoteAddress: string): void
  /** A text message, or a binary one that is UTF-8. */
  onMessage(text: string): void
  /** It never opened, broke, or the server closed it. */
  onClosed(error: LibtorrentError): void
}

export interface WebSocketConnection {
  /** Bytes given to `send` that have not left. */
  readonly unsentBytes: number
  /** A text message; dropped unless open. */
  send(text: string): void
  /** Ends it without a word to the handler. */
  close(): void
}

/** Told of one data channel; later. After `onClosed` and after `close` nothing comes. */
export interface DataChannelHandler {
  /** `message` is the handler's to keep. */
  onMessage(message: Uint8Array): void
  /** Most of what was sent has left. Called only after `bufferedAmount` was above 64 KiB. */
  onBufferLow(): void
  /** Null: the other side closed it in order. */
  onClosed(error: LibtorrentError | null): void
}

/** An open, reliable and ordered data channel, and the one WebRTC connection it is in. Closing it closes both. */
export interface DataChannel {
  /** Bytes the other side takes in one message. */
  readonly maxMessageSize: number
  /** Bytes given to `send` that have not left. */
  readonly bufferedAmount: number
  readonly local: Endpoint | null
  readonly remote: Endpoint
  /** Whatever came before is told to the first handler. */
  setHandler(handler: DataChannelHandler): void
  /** Sends a copy of `message`. False: the channel is broken. */
  send(message: Uint8Array): boolean
  /** Calls `callback` at the next turn of the event loop. */
  soon(callback: () => void): void
  /** Closes when all that was sent has left. */
  end(): void
  close(): void
}

export interface RtcPeerOptions {
  /** `host:port` of the STUN server that tells our address outside; empty: none is asked. */
  readonly stunServer: string
  /** Offer and use this local address only. Default: those of all interfaces. */
  readonly localAddress?: string | undefined
}

/** Told of one WebRTC connection; later. `onChannel` and `onFailed` end it: nothing else comes, nor after `close`. */
export interface RtcPeerHandler {
  /** Our description, with every candidate there is. Called once. */
  onDescription(sdp: string): void
  /** The data channel stands, and owns the connection from here on. */
  onChannel(channel: DataChannel): void
  onFailed(error: LibtorrentError): void
}

/** A WebRTC connection that is being made. */
export interface RtcPeer {
  /** Our description with the candidates found so far; null while there is none. */
  description(): string | null
  /** Begins a connection, with one data channel. */
  offer(): void
  /** Begins a connection that somebody else offered. An error: the offer is not one. */
  answer(offerSdp: string): LibtorrentError | null
  /** The other side's answer to our offer. */
  accept(answerSdp: string): LibtorrentError | null
  close(): void
}

/** WebSockets and WebRTC, by packages that are installed or not. */
export interface WebRtc {
  /**
   * Loads what WebSockets take, once; `connect` may be called from then on. An error: it is not installed, and the
   * message says what to do about it.
   */
  loadWebSockets(done: (error: LibtorrentError | null) => void): void
  /** The same for `newPeer`. */
  loadPeers(done: (error: LibtorrentError | null) => void): void
  connect(request: WebSocketRequest, handler: WebSocketHandler): WebSocketConnection
  newPeer(options: RtcPeerOptions, handler: RtcPeerHandler): RtcPeer
}
