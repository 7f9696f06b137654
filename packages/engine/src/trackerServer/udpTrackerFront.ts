import { UDP_ANNOUNCE_SIZE, UDP_CONNECT_SIZE, UDP_PROTOCOL_ID, UdpAction } from '../tracker/udpMessages.ts'
import { readU16, readU32, utf8, writeU32 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { type AnnounceEvent, AnnounceQuery, INFO_HASH_SIZE } from './announceQuery.ts'
import type { ConnectionIds } from './connectionIds.ts'
import { Refusal, type TrackerCore } from './trackerCore.ts'
import { MAX_SCRAPE } from './trackerServerOptions.ts'

/** What any path carries in one piece: the least MTU of IPv6 without the headers of IPv6 and UDP. */
export const MAX_UDP_REPLY = 1280 - 48

const EVENTS: readonly AnnounceEvent[] = ['none', 'completed', 'started', 'stopped']
const ANNOUNCE_REPLY_SIZE = 20
const SCRAPE_HEADER_SIZE = 16
const SCRAPE_REPLY_HEADER = 8
const SCRAPE_REPLY_ENTRY = 12

const refusalBytes = new Map(Object.values(Refusal).map((text) => [text, utf8(text)]))

/**
 * A tracker that is spoken to in UDP packets (BEP 15, 41), without its sockets. Until a sender has shown a connection id
 * that was sent to its address nothing it is answered is longer than what it sent, so that packets with forged addresses
 * gain nothing; and they cost nothing, as nothing is kept of them.
 */
export class UdpTrackerFront {
  /** Whose packet `answer` gets: to be filled by the caller before. */
  readonly query = new AnnounceQuery()
  /** The answer, its first bytes as many as `answer` says. */
  readonly reply = new Uint8Array(MAX_UDP_REPLY)

  constructor(
    private readonly core: TrackerCore,
    private readonly ids: ConnectionIds,
  ) {}

  /** Length of the answer to a packet from `query.source`; 0: none. */
  answer(packet: Uint8Array, now: Millis): number {
    const { source } = this.query
    if (packet.length < UDP_CONNECT_SIZE || source.length === 0) return this.ignore()
    const action = readU32(packet, 8)
    if (action === UdpAction.connect) return this.connect(packet, now)
    if (!this.ids.isValid(packet, 0, source.bytes, source.length, now)) return this.ignore()
    this.writeHeader(action, packet)
    if (action === UdpAction.announce && packet.length >= UDP_ANNOUNCE_SIZE) return this.announce(packet, now)
    if (action === UdpAction.scrape && packet.length >= SCRAPE_HEADER_SIZE + INFO_HASH_SIZE) {
      return this.scrape(packet, now)
    }
    return this.ignore()
  }

  private connect(packet: Uint8Array, now: Millis): number {
    for (let i = 0; i < 8; i++) if (packet[i] !== UDP_PROTOCOL_ID[i]) return this.ignore()
    const { bytes, length } = this.query.source
    this.core.counters.connects++
    this.writeHeader(UdpAction.connect, packet)
    this.ids.write(bytes, length, now, this.reply, 8)
    return UDP_CONNECT_SIZE
  }

  private announce(packet: Uint8Array, now: Millis): number {
    const { query, core, reply } = this
    readAnnounce(packet, query)
    const refusal = core.announce(query, now)
    if (refusal !== null) return this.refuse(refusal)
    core.counters.udpAnnounces++
    writeU32(reply, 8, core.rules.interval)
    writeU32(reply, 12, core.incomplete)
    writeU32(reply, 16, core.complete)
    // The family of the packet is that of the peers.
    const family = query.source.length === 4 ? 4 : 16
    const size = family + 2
    const room = Math.floor((MAX_UDP_REPLY - ANNOUNCE_REPLY_SIZE) / size)
    core.choosePeers(query, family, Math.min(core.numWant(query), room))
    return core.picker.writeEndpoints(reply, ANNOUNCE_REPLY_SIZE)
  }

  private scrape(packet: Uint8Array, now: Millis): number {
    const refusal = this.core.scrape(this.query, now)
    if (refusal !== null) return this.refuse(refusal)
    const count = Math.min(MAX_SCRAPE, Math.floor((packet.length - SCRAPE_HEADER_SIZE) / INFO_HASH_SIZE))
    let at = SCRAPE_REPLY_HEADER
    for (let i = 0; i < count; i++, at += SCRAPE_REPLY_ENTRY) {
      const swarm = this.core.find(packet, SCRAPE_HEADER_SIZE + i * INFO_HASH_SIZE)
      writeU32(this.reply, at, swarm?.seeds ?? 0)
      writeU32(this.reply, at + 4, swarm?.downloaded ?? 0)
      writeU32(this.reply, at + 8, swarm?.downloaders ?? 0)
    }
    return at
  }

  /** Those who ask too often are not answered at all. */
  private refuse(refusal: Refusal): number {
    if (refusal === Refusal.tooMany) return 0
    const text = refusalBytes.get(refusal) as Uint8Array
    writeU32(this.reply, 0, UdpAction.error)
    this.reply.set(text, 8)
    return 8 + text.length
  }

  private ignore(): number {
    this.core.counters.ignored++
    return 0
  }

  /** The action, and the transaction id of `packet`. */
  private writeHeader(action: number, packet: Uint8Array): void {
    writeU32(this.reply, 0, action)
    for (let i = 0; i < 4; i++) this.reply[4 + i] = packet[12 + i]
  }
}

/** An announce as BEP 15 lays it out; what follows (BEP 41) says nothing a tracker of ours needs. */
function readAnnounce(packet: Uint8Array, query: AnnounceQuery): void {
  for (let i = 0; i < 20; i++) {
    query.infoHash[i] = packet[16 + i]
    query.peerId[i] = packet[36 + i]
  }
  query.isSeed = readU32(packet, 64) === 0 && readU32(packet, 68) === 0
  query.event = EVENTS[readU32(packet, 80)] ?? 'none'
  const { claimed } = query
  claimed.length = readU32(packet, 84) === 0 ? 0 : 4
  for (let i = 0; i < 4; i++) claimed.bytes[i] = packet[84 + i]
  query.key = readU32(packet, 88)
  query.numWant = readU32(packet, 92) | 0
  query.port = readU16(packet, 96)
}
