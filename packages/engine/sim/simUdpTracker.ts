import { encodeCompactEndpoint } from '../src/address/compactEndpoint.ts'
import { type Endpoint, isV6, sameEndpoint } from '../src/address/endpoint.ts'
import type { UdpHandler, UdpSocket } from '../src/platform/udp.ts'
import { concatBytes, readU16, readU32, toHex, utf8, writeU32 } from '../src/util/bytes.ts'
import type { Millis } from '../src/util/flavored.ts'
import type { SeededRandom } from './seededRandom.ts'
import type { SimProcess } from './simProcess.ts'
import type { AnnounceEvent, AnnounceRequest, SimTracker, TrackerAnswer } from './simTracker.ts'

const CONNECT = 0
const ANNOUNCE = 1
const SCRAPE = 2
const ERROR = 3
const PROTOCOL_ID = '0000041727101980'
const ANNOUNCE_SIZE = 98
const EVENTS: readonly AnnounceEvent[] = ['none', 'completed', 'started', 'stopped']
/** A tracker takes a connection id for two minutes (BEP 15). */
const CONNECTION_LIFE: Millis = 120_000

interface Connection {
  readonly id: Uint8Array
  readonly address: string
  readonly until: Millis
}

/** Speaks BEP 15 in a tracker's name. A packet sent again gets the answer the first one got. */
export class SimUdpTracker implements UdpHandler {
  private socket: UdpSocket | null = null
  private connections: Connection[] = []
  private last: { readonly transaction: number; readonly from: Endpoint; readonly answer: TrackerAnswer } | null = null
  /** Connect requests that came in. */
  connects = 0

  constructor(
    private readonly process: SimProcess,
    private readonly random: SeededRandom,
    private readonly tracker: SimTracker,
  ) {}

  attach(socket: UdpSocket): void {
    this.socket = socket
  }

  onError(): void {}

  onPacket(packet: Uint8Array, from: Endpoint): void {
    if (packet.length < 16 || this.tracker.isDown) return
    const action = readU32(packet, 8)
    const transaction = readU32(packet, 12)
    if (action === CONNECT) return this.connect(packet, transaction, from)
    if (!this.isConnected(packet.subarray(0, 8), from)) return this.sendError(transaction, 'bad connection id', from)
    if (action === ANNOUNCE && packet.length >= ANNOUNCE_SIZE) this.announce(packet, transaction, from)
    else if (action === SCRAPE) this.scrape(packet, transaction, from)
    else this.sendError(transaction, 'bad request', from)
  }

  private connect(packet: Uint8Array, transaction: number, from: Endpoint): void {
    if (toHex(packet.subarray(0, 8)) !== PROTOCOL_ID) return
    this.connects++
    const id = this.random.bytes(8)
    const now = this.process.now()
    this.connections = this.connections.filter((connection) => connection.until > now)
    this.connections.push({ id, address: from.address, until: now + CONNECTION_LIFE })
    this.send(concatBytes(words(CONNECT, transaction), id), from)
  }

  private isConnected(id: Uint8Array, from: Endpoint): boolean {
    const now = this.process.now()
    return this.connections.some(
      (known) => known.until > now && known.address === from.address && toHex(known.id) === toHex(id),
    )
  }

  private announce(packet: Uint8Array, transaction: number, from: Endpoint): void {
    const request = readAnnounce(packet, from)
    const repeated = this.last !== null && this.last.transaction === transaction && sameEndpoint(this.last.from, from)
    const answer = repeated && this.last !== null ? this.last.answer : this.tracker.announce(request, 'udp')
    this.last = { transaction, from, answer }
    if (answer === 'timeout' || answer === 'refuse') return
    if (answer === 'fail') return this.sendError(transaction, 'scripted failure', from)
    const scripted = answer === 'ok' ? {} : answer
    if (scripted.failureReason !== undefined) return this.sendError(transaction, scripted.failureReason, from)
    const family = isV6(from.address) ? 'v6' : 'v4'
    const ofFamily = scripted.peers?.filter((peer) => isV6(peer.address) === (family === 'v6'))
    const peers = ofFamily ?? this.tracker.choosePeers(request, family)
    const { seeds, downloaders } = this.tracker.countsOf(request.infoHash)
    const header = words(ANNOUNCE, transaction, scripted.interval ?? this.tracker.interval, downloaders, seeds)
    const reply = scripted.raw ?? concatBytes(header, ...peers.map(encodeCompactEndpoint))
    this.process.network.time.after(scripted.delay ?? 0, () => this.send(reply, from))
  }

  private scrape(packet: Uint8Array, transaction: number, from: Endpoint): void {
    const hashes: Uint8Array[] = []
    for (let at = 16; at + 20 <= packet.length; at += 20) hashes.push(copyOf(packet, at, at + 20))
    this.tracker.scraped(hashes)
    const counts = hashes.map((hash) => {
      const { seeds, completed, downloaders } = this.tracker.countsOf(hash)
      return words(seeds, completed, downloaders)
    })
    this.send(concatBytes(words(SCRAPE, transaction), ...counts), from)
  }

  private sendError(transaction: number, text: string, to: Endpoint): void {
    this.send(concatBytes(words(ERROR, transaction), utf8(text)), to)
  }

  private send(packet: Uint8Array, to: Endpoint): void {
    this.socket?.send(packet, to)
  }
}

function readAnnounce(packet: Uint8Array, from: Endpoint): AnnounceRequest {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  return {
    infoHash: copyOf(packet, 16, 36),
    peerId: copyOf(packet, 36, 56),
    downloaded: Number(view.getBigInt64(56)),
    left: Number(view.getBigInt64(64)),
    uploaded: Number(view.getBigInt64(72)),
    event: EVENTS[view.getUint32(80)] ?? 'none',
    key: view.getUint32(88),
    numWant: view.getInt32(92),
    peer: { address: from.address, port: readU16(packet, 96) },
    parameters: {},
  }
}

/** The packet is lent, and its own `slice` would share its memory. */
function copyOf(packet: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(packet.subarray(from, to))
}

function words(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(values.length * 4)
  for (let i = 0; i < values.length; i++) writeU32(out, i * 4, values[i])
  return out
}
