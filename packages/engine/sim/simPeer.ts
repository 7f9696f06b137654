import type { Endpoint } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Stream, StreamHandler } from '../src/platform/tcp.ts'
import { concatBytes, EMPTY_BYTES, readU32 } from '../src/util/bytes.ts'
import type { Sha1Hash } from '../src/util/digest.ts'
import type { Millis, PieceIndex } from '../src/util/flavored.ts'
import { encodeHandshake, HANDSHAKE_SIZE } from '../src/wire/handshake.ts'
import { MessageId } from '../src/wire/messageId.ts'
import { MessageWriter } from '../src/wire/messageWriter.ts'
import { encodeReserved } from '../src/wire/reservedBits.ts'
import type { SimHost } from './simHost.ts'
import type { SimNetwork } from './simNetwork.ts'
import { SimProcess } from './simProcess.ts'
import { SimTcp } from './simTcp.ts'
import type { TestTorrent } from './testTorrent.ts'

/** What a message of the peer protocol is called; `unknown` for an id that is none. */
export type PeerMessageName = keyof typeof MessageId | 'keepAlive' | 'unknown'

/** A message a scripted peer received. */
export interface PeerMessage {
  /** What kind of message it is. */
  readonly name: PeerMessageName
  /** When it had arrived, ms since the simulation began. */
  readonly time: Millis
  /** What follows the id. */
  readonly body: Uint8Array
  /** First number of the body of messages that name a piece, otherwise -1. */
  readonly piece: number
  /** Second number of requests, cancels, rejects and pieces, otherwise -1. */
  readonly begin: number
  /** Length asked for, or number of bytes of a piece message, otherwise -1. */
  readonly length: number
}

/** What a scripted peer is and does by itself; everything else a scenario sends for it. */
export interface SimPeerOptions {
  /** What the peer shares. */
  readonly torrent: TestTorrent
  /** The info-hash in its handshake. Default: the torrent's. */
  readonly infoHash?: Sha1Hash
  /** 20 bytes. Default: derived from the host's name. */
  readonly peerId?: Uint8Array
  /** The eight reserved bytes. Default: fast extension. */
  readonly reserved?: Uint8Array
  /** Answer to a handshake: `handshake` at once; `silence`: accept the connection and say nothing. Default `handshake`. */
  readonly greets?: 'handshake' | 'silence'
  /** What it says it has, right after the handshake. `nothing`: no message at all. Default `nothing`. */
  readonly has?: 'all' | 'none' | 'nothing' | ((piece: PieceIndex) => boolean)
  /** Unchokes who is interested and answers requests with the torrent's content. Default false. */
  readonly serves?: boolean
  /** Says of a block whether it is sent with wrong bytes. Default: none. */
  readonly corrupts?: (piece: PieceIndex, begin: number) => boolean
  /** Time between a request and its answer, ms. Default 0. */
  readonly answerDelay?: Millis
}

/**
 * A peer that does what a scenario says, and records what it is told: for the sides of the protocol a well-behaved
 * client never shows. It runs on a host of its own and need not be shut down.
 */
export class SimPeer {
  /** Connections made and accepted, first to last. */
  readonly connections: SimPeerConnection[] = []
  /** Sees every message, after the peer's own reaction. */
  onMessage: (message: PeerMessage, connection: SimPeerConnection) => void = () => {}
  private readonly process: SimProcess
  private readonly tcp: SimTcp

  constructor(
    network: SimNetwork,
    readonly host: SimHost,
    readonly options: SimPeerOptions,
  ) {
    this.process = new SimProcess(network, host)
    this.tcp = new SimTcp(this.process)
  }

  /** The latest connection. @throws when there was none. */
  get connection(): SimPeerConnection {
    const latest = this.connections.at(-1)
    if (latest === undefined) throw new Error(`${this.host.name} was never connected`)
    return latest
  }

  get peerId(): Uint8Array {
    return this.options.peerId ?? Buffer.from(`-SP0001-${this.host.name}`.padEnd(20, '.').slice(0, 20), 'latin1')
  }

  /** Connects, and sends a handshake once connected. */
  connect(to: Endpoint): SimPeerConnection {
    const connection = this.newConnection(false)
    connection.stream = this.tcp.connect(to, {}, connection)
    return connection
  }

  /** Accepts connections. */
  listen(port = 6881): Endpoint {
    const local = { address: this.host.address, port }
    const accept = (stream: Stream) => {
      const connection = this.newConnection(true)
      connection.stream = stream
      stream.setHandler(connection)
    }
    this.tcp.listen(local, accept, (result) => {
      if ('code' in result) throw result
    })
    return local
  }

  /** Breaks all connections and stops listening. */
  close(): void {
    this.process.kill()
  }

  private newConnection(isIncoming: boolean): SimPeerConnection {
    const connection = new SimPeerConnection(this, this.process, isIncoming)
    this.connections.push(connection)
    return connection
  }
}

/** One connection of a scripted peer. */
export class SimPeerConnection implements StreamHandler {
  readonly messages: PeerMessage[] = []
  /** The 68 bytes the other side sent; null until they have arrived. */
  handshake: Uint8Array | null = null
  /** Undefined while the connection is open; then null for an orderly end, or the error. */
  closed: LibtorrentError | null | undefined = undefined
  closedAt: Millis = -1
  isInterested = false
  isChoking = true
  stream!: Stream
  private buffer: Uint8Array = EMPTY_BYTES
  private readonly writer = new MessageWriter()

  constructor(
    private readonly peer: SimPeer,
    private readonly process: SimProcess,
    private readonly isIncoming: boolean,
  ) {}

  /** Messages of one kind, in order. */
  received(name: PeerMessageName): readonly PeerMessage[] {
    return this.messages.filter((message) => message.name === name)
  }

  /** Names of all messages, in order. */
  get names(): readonly PeerMessageName[] {
    return this.messages.map((message) => message.name)
  }

  /** Sends messages: `connection.send((to) => to.have(3))`. */
  send(write: (to: MessageWriter) => void): void {
    write(this.writer)
    const bytes = this.writer.take()
    if (bytes !== null) this.sendRaw(bytes)
  }

  /** Sends any bytes. */
  sendRaw(bytes: Uint8Array): void {
    this.stream.write(bytes)
  }

  /** Sends a block of the torrent, whether it was asked for or not. */
  sendBlock(piece: PieceIndex, begin: number, length: number): void {
    const { torrent, corrupts } = this.peer.options
    const block = torrent.piece(piece).slice(begin, begin + length)
    if (corrupts?.(piece, begin)) for (let i = 0; i < block.length; i++) block[i] ^= 0x55
    this.writer.pieceHeader(piece, begin, block.length)
    this.sendRaw(concatBytes(this.writer.take() ?? EMPTY_BYTES, block))
  }

  sendHandshake(): void {
    const { torrent, infoHash, reserved } = this.peer.options
    this.sendRaw(
      encodeHandshake({
        infoHash: (infoHash ?? torrent.infoHash).bytes,
        peerId: this.peer.peerId,
        reserved: reserved ?? encodeReserved({ supportsFast: true }),
      }),
    )
    this.sendWhatItHas()
  }

  close(): void {
    this.stream.destroy()
    this.onClosed(null)
  }

  onConnected(): void {
    if (this.peer.options.greets !== 'silence') this.sendHandshake()
  }

  onData(chunk: Uint8Array): void {
    this.buffer = concatBytes(this.buffer, chunk)
    if (this.handshake === null) {
      if (this.buffer.length < HANDSHAKE_SIZE) return
      this.handshake = this.take(HANDSHAKE_SIZE)
      if (this.isIncoming && this.peer.options.greets !== 'silence') this.sendHandshake()
    }
    while (this.closed === undefined && this.buffer.length >= 4) {
      const length = readU32(this.buffer, 0)
      if (this.buffer.length < 4 + length) return
      this.take(4)
      this.onMessage(this.take(length))
    }
  }

  onDrain(): void {}

  onClosed(error: LibtorrentError | null): void {
    if (this.closed !== undefined) return
    this.closed = error
    this.closedAt = this.process.network.time.elapsed
  }

  private take(length: number): Uint8Array {
    const taken = this.buffer.slice(0, length)
    this.buffer = this.buffer.subarray(length)
    return taken
  }

  private sendWhatItHas(): void {
    const { has = 'nothing', torrent } = this.peer.options
    if (has === 'nothing') return
    if (has === 'all') return this.send((to) => to.haveAll())
    if (has === 'none') return this.send((to) => to.haveNone())
    const bits = new Uint8Array(Math.ceil(torrent.pieceCount / 8))
    for (let piece = 0; piece < torrent.pieceCount; piece++) if (has(piece)) bits[piece >> 3] |= 0x80 >> (piece & 7)
    this.send((to) => to.bitfield(bits))
  }

  private onMessage(bytes: Uint8Array): void {
    const message = readMessage(bytes, this.process.network.time.elapsed)
    this.messages.push(message)
    this.react(message)
    this.peer.onMessage(message, this)
  }

  private react(message: PeerMessage): void {
    const { serves, answerDelay = 0 } = this.peer.options
    if (message.name === 'interested') {
      this.isInterested = true
      if (!serves) return
      this.isChoking = false
      this.send((to) => to.unchoke())
    } else if (message.name === 'notInterested') {
      this.isInterested = false
    } else if (message.name === 'request' && serves && !this.isChoking) {
      const { piece, begin, length } = message
      this.process.network.time.after(answerDelay, () => {
        if (this.closed === undefined) this.sendBlock(piece, begin, length)
      })
    }
  }
}

const NAMES = new Map<number, PeerMessageName>(
  Object.entries(MessageId).map(([name, id]) => [id, name as PeerMessageName]),
)
const NAMES_A_PIECE: ReadonlySet<PeerMessageName> = new Set([
  'have',
  'request',
  'piece',
  'cancel',
  'suggest',
  'reject',
  'allowedFast',
])

function readMessage(bytes: Uint8Array, time: Millis): PeerMessage {
  const name = bytes.length === 0 ? 'keepAlive' : (NAMES.get(bytes[0]) ?? 'unknown')
  const body = bytes.subarray(1)
  const word = (at: number) => (NAMES_A_PIECE.has(name) && body.length >= at + 4 ? readU32(body, at) : -1)
  const length = name === 'piece' ? body.length - 8 : word(8)
  return { name, time, body, piece: word(0), begin: word(4), length }
}
