import { bdecodeEntry, type Entry } from '../../../src/bencode/entry.ts'
import { percentEncode } from '../../../src/tracker/trackerLocation.ts'
import type { TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import {
  decodeUdpResponse,
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
  type UdpResponse,
} from '../../../src/tracker/udpMessages.ts'
import { ConnectionIds } from '../../../src/trackerServer/connectionIds.ts'
import { HttpTrackerFront } from '../../../src/trackerServer/httpTrackerFront.ts'
import { TrackerCore } from '../../../src/trackerServer/trackerCore.ts'
import { type TrackerServerOptions, trackerRules } from '../../../src/trackerServer/trackerServerOptions.ts'
import { UdpTrackerFront } from '../../../src/trackerServer/udpTrackerFront.ts'
import { utf8 } from '../../../src/util/bytes.ts'
import { FakeRandom } from '../tracker/fakes.ts'
import { INFO_HASH, request } from '../tracker/requests.ts'

export function infoHash(n: number): Uint8Array {
  return Uint8Array.from({ length: 20 }, (_, i) => (i < 4 ? (n >>> (i * 8)) & 0xff : 7))
}

export function peerId(n: number): Uint8Array {
  return utf8(`-XX0001-${String(n).padStart(12, '0')}`)
}

/** What an announce may say otherwise than usual. */
export interface Changes extends Partial<TrackerRequest> {
  /** Where the packet or request comes from. */
  readonly from?: string
  /** Further parameters of the HTTP query, or the IP field of a UDP announce. */
  readonly extra?: string
}

/** An answer over HTTP: its own strings are bytes, but for the reason of a failure. */
export interface Answer {
  readonly 'failure reason'?: string
  readonly peers: Uint8Array
  readonly [key: string]: unknown
}

/** Dictionaries as objects. */
function plain(entry: Entry): unknown {
  if (Array.isArray(entry)) return entry.map(plain)
  if (!(entry instanceof Map)) return entry
  const value = (key: string, inner: Entry) =>
    key === 'failure reason' ? new TextDecoder().decode(inner as Uint8Array) : plain(inner)
  return Object.fromEntries(Array.from(entry as ReadonlyMap<string, Entry>, ([key, inner]) => [key, value(key, inner)]))
}

/** A tracker without sockets, in a time that the test makes pass. */
export class TrackerScene {
  now = 1_000_000
  readonly core: TrackerCore
  readonly udp: UdpTrackerFront
  readonly http: HttpTrackerFront

  constructor(options: TrackerServerOptions = {}) {
    const random = new FakeRandom()
    this.core = new TrackerCore(trackerRules({ requestsPerSecond: 0, ...options }), random)
    this.udp = new UdpTrackerFront(this.core, new ConnectionIds(random))
    this.http = new HttpTrackerFront(this.core)
  }

  /** The answer to a UDP packet, its own bytes, or null when there is none. */
  packet(bytes: Uint8Array, from = '9.0.0.1'): Uint8Array | null {
    this.udp.query.source.parse(from)
    const length = this.udp.answer(bytes, this.now)
    return length === 0 ? null : this.udp.reply.slice(0, length)
  }

  connectionId(from = '9.0.0.1'): Uint8Array {
    const answer = decodeUdpResponse(this.packet(encodeUdpConnect(1), from) ?? new Uint8Array(0), false)
    if (answer?.kind !== 'connect') throw new Error('not connected')
    return answer.connectionId
  }

  udpAnnounce({ from = '9.0.0.1', extra = '', ...changes }: Changes = {}): UdpResponse | null {
    const packet = encodeUdpAnnounce(this.connectionId(from), 7, request({ url: '', ...changes }), '', extra)
    const answer = this.packet(packet, from)
    return answer === null ? null : decodeUdpResponse(answer, from.includes(':'))
  }

  udpScrape(hash = INFO_HASH, from = '9.0.0.1'): UdpResponse | null {
    const answer = this.packet(encodeUdpScrape(this.connectionId(from), 8, hash), from)
    return answer === null ? null : decodeUdpResponse(answer, false)
  }

  /** The dictionary that answers an HTTP GET. */
  get(target: string, from = '9.0.0.1'): Answer {
    const { status, body } = this.http.answer(target, from, this.now)
    if (status !== 200) throw new Error(`status ${status}`)
    return plain(bdecodeEntry(body)) as Answer
  }

  httpAnnounce({ from = '9.0.0.1', extra = '', ...changes }: Changes = {}): Answer {
    const { infoHash: hash, peerId: id, port, left, event, numWant, key } = request(changes)
    const query = [
      `info_hash=${percentEncode(hash)}`,
      `peer_id=${percentEncode(id)}`,
      `port=${port}&uploaded=0&downloaded=0&left=${left}&numwant=${numWant}&key=${key.toString(16)}`,
      event === 'none' ? '' : `event=${event}`,
      extra,
    ]
    return this.get(`/announce?${query.join('&')}`, from)
  }

  /** Enters `count` peers with addresses of their own, all over UDP. */
  fill(count: number, changes: (n: number) => Changes = () => ({})): void {
    for (let n = 0; n < count; n++) {
      this.udpAnnounce({ from: `9.1.${n >> 8}.${n & 255}`, peerId: peerId(n), numWant: 0, ...changes(n) })
    }
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000
      this.core.tick(this.now)
    }
  }
}

/** Endpoints in an answer, in order. */
export function peersIn(answer: UdpResponse | null): string[] {
  if (answer?.kind !== 'announce') throw new Error(`no peers in ${JSON.stringify(answer)}`)
  return answer.peers.map(({ address, port }) => `${address}:${port}`).sort()
}
