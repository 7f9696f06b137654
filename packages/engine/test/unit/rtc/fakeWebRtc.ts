import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { Stream } from '../../../src/platform/tcp.ts'
import type {
  DataChannel,
  DataChannelHandler,
  RtcPeer,
  RtcPeerHandler,
  RtcPeerOptions,
  WebRtc,
  WebSocketConnection,
  WebSocketHandler,
  WebSocketRequest,
} from '../../../src/platform/webRtc.ts'
import type { RtcHost, RtcSettings } from '../../../src/rtc/rtcHost.ts'
import { latin1 } from '../../../src/util/bytes.ts'
import { FakeRandom, FakeResolver, FakeTime, settings } from '../tracker/fakes.ts'
import { PEER_ID } from '../tracker/requests.ts'

/** A description as libdatachannel makes them. */
export function sdp(...candidates: readonly string[]): string {
  return [
    'v=0',
    'o=rtc 1950572880 0 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=fingerprint:sha-256 FD:49:24:D9:E0:8C:CF:92:99:59:4E:BE:75:F0:14:0C:93:B0:35:A8:05:0D:8E:05:F6:CB:70:6F:99:BE:18:8C',
    'm=application 58377 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 192.0.2.2',
    'a=mid:0',
    'a=sctp-port:5000',
    'a=setup:actpass',
    'a=ice-ufrag:Z4P+',
    'a=ice-pwd:Fb/hD6QUdvze20IEFBERH1',
    ...candidates.map((address, i) => `a=candidate:${i + 1} 1 UDP 2116026111 ${address} 58377 typ host`),
    '',
  ].join('\r\n')
}

/** A WebSocket whose server is the test. */
export class FakeSocket implements WebSocketConnection {
  readonly sent: Record<string, unknown>[] = []
  unsentBytes = 0
  isClosed = false

  constructor(
    readonly request: WebSocketRequest,
    private readonly handler: WebSocketHandler,
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.isClosed = true
  }

  open(): void {
    if (!this.isClosed) this.handler.onOpen('9.9.9.9')
  }

  /** The server says something. */
  says(message: unknown): void {
    if (!this.isClosed) this.handler.onMessage(typeof message === 'string' ? message : JSON.stringify(message))
  }

  breaks(error: LibtorrentError): void {
    if (this.isClosed) return
    this.isClosed = true
    this.handler.onClosed(error)
  }
}

/** A connection whose other side, and whose luck, is the test. */
export class FakePeer implements RtcPeer {
  readonly calls: string[] = []
  isClosed = false
  ownSdp: string | null = sdp('192.0.2.7')
  error: LibtorrentError | null = null

  constructor(
    readonly options: RtcPeerOptions,
    private readonly handler: RtcPeerHandler,
  ) {}

  description(): string | null {
    return this.ownSdp
  }

  offer(): void {
    this.calls.push('offer')
  }

  answer(offerSdp: string): LibtorrentError | null {
    this.calls.push(`answer ${offerSdp}`)
    return this.error
  }

  accept(answerSdp: string): LibtorrentError | null {
    this.calls.push(`accept ${answerSdp}`)
    return this.error
  }

  close(): void {
    this.isClosed = true
  }

  /** All candidates are found. */
  gathered(): void {
    if (!this.isClosed) this.handler.onDescription(this.ownSdp ?? '')
  }

  opens(channel: DataChannel): void {
    if (!this.isClosed) this.handler.onChannel(channel)
  }

  fails(error: LibtorrentError): void {
    this.isClosed = true
    this.handler.onFailed(error)
  }
}

export class FakeChannel implements DataChannel {
  readonly local: Endpoint = { address: '192.0.2.7', port: 1 }
  handler: DataChannelHandler | null = null
  readonly sent: Uint8Array[] = []
  bufferedAmount = 0
  maxMessageSize = 262_144
  isBroken = false
  isEnded = false
  isClosed = false
  /** Sent bytes stay in the buffer until the test lets them go. */
  keepsBytes = false

  constructor(
    private readonly time: FakeTime,
    readonly remote: Endpoint = { address: '198.51.100.9', port: 4000 },
  ) {}

  setHandler(handler: DataChannelHandler): void {
    this.handler = handler
  }

  send(message: Uint8Array): boolean {
    if (this.isBroken) return false
    this.sent.push(message.slice())
    if (this.keepsBytes) this.bufferedAmount += message.length
    return true
  }

  soon(callback: () => void): void {
    this.time.after(0, callback)
  }

  end(): void {
    this.isEnded = true
  }

  close(): void {
    this.isClosed = true
  }
}

export class FakeWebRtc implements WebRtc {
  readonly sockets: FakeSocket[] = []
  readonly peers: FakePeer[] = []
  socketsMissing: LibtorrentError | null = null
  peersMissing: LibtorrentError | null = null

  constructor(private readonly time: FakeTime) {}

  loadWebSockets(done: (error: LibtorrentError | null) => void): void {
    this.time.after(0, () => done(this.socketsMissing))
  }

  loadPeers(done: (error: LibtorrentError | null) => void): void {
    this.time.after(0, () => done(this.peersMissing))
  }

  connect(request: WebSocketRequest, handler: WebSocketHandler): WebSocketConnection {
    const socket = new FakeSocket(request, handler)
    this.sockets.push(socket)
    return socket
  }

  newPeer(options: RtcPeerOptions, handler: RtcPeerHandler): RtcPeer {
    const peer = new FakePeer(options, handler)
    this.peers.push(peer)
    return peer
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1)
    if (last === undefined) throw new Error('no socket was opened')
    return last
  }

  /** Those not closed. */
  get open(): FakePeer[] {
    return this.peers.filter((peer) => !peer.isClosed)
  }
}

/** A session, as far as WebRTC is concerned: torrents take every peer unless the test says otherwise. */
export class FakeRtcHost implements RtcHost {
  readonly time = new FakeTime()
  readonly webRtc = new FakeWebRtc(this.time)
  readonly platform = {
    clock: this.time,
    timers: this.time,
    random: new FakeRandom(),
    resolver: new FakeResolver(this.time),
    webRtc: this.webRtc,
  }
  readonly settings: { -readonly [K in keyof RtcSettings]: RtcSettings[K] } = {
    ...settings(),
    webtorrentStunServer: 'stun.example:3478',
    webtorrentConnectionTimeout: 120,
    maxWebtorrentOffers: 10,
  }
  readonly peerId = PEER_ID
  boundAddress: string | undefined
  isHiding = false
  readonly full = new Set<string>()
  readonly connected = new Set<string>()
  readonly banned = new Set<string>()
  readonly streams: { infoHash: string; stream: Stream; isOutgoing: boolean }[] = []
  readonly lost: { infoHash: string; url: string; delay: number }[] = []

  wantsPeer(infoHash: string): boolean {
    return !this.full.has(infoHash)
  }

  hasPeer(_infoHash: string, peerId: string): boolean {
    return this.connected.has(peerId)
  }

  checkTrackerAddress(): LibtorrentError | null {
    return null
  }

  acceptsPeer(_infoHash: string, address: string): boolean {
    return !this.banned.has(address)
  }

  onStream(infoHash: string, stream: Stream, isOutgoing: boolean): void {
    this.streams.push({ infoHash, stream, isOutgoing })
  }

  onTrackerLost(infoHash: string, url: string, delay: number): void {
    this.lost.push({ infoHash, url, delay })
  }
}

/** A peer id, one character per byte. */
export function peerIdOf(name: string): string {
  return `-WW0001-${name.padEnd(12, '.')}`
}

/** An offer id of 20 characters, among them ones beyond ASCII. */
export function offerIdOf(n: number): string {
  return latin1(Uint8Array.from({ length: 20 }, (_, i) => (i === 0 ? n & 0xff : i === 1 ? n >> 8 : 200 + i)))
}
