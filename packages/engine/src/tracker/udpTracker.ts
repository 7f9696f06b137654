import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import type { Millis } from '../util/flavored.ts'
import type { TrackerLocation } from './trackerLocation.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure, TrackerQuery, TrackerRequest } from './trackerRequest.ts'
import type { TrackerSettings } from './trackerSettings.ts'
import { UdpExchange, type UdpExchangeHost } from './udpExchange.ts'
import { type ConnectionId, decodeUdpResponse } from './udpMessages.ts'
import { UdpSockets } from './udpSockets.ts'

/** Trackers whose connection ids are remembered at once. */
const MAX_CONNECTION_IDS = 1000

export interface UdpTrackerHost {
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'random' | 'resolver' | 'udp'>
  readonly settings: Readonly<TrackerSettings>
  localAddress(family: 4 | 6): string | null
  /** `query` says what for. */
  checkAddress(address: string, query: TrackerQuery): LibtorrentError | null
}

/**
 * All exchanges with UDP trackers (BEP 15): owns the shared sockets, hands each arriving packet to the exchange whose
 * transaction it answers, and remembers connection ids. What answers nothing is dropped.
 */
export class UdpTracker implements UdpExchangeHost {
  private readonly sockets: UdpSockets
  private readonly exchanges = new Map<number, UdpExchange>()
  private readonly connectionIds = new Map<string, { readonly id: ConnectionId; readonly expires: Millis }>()

  constructor(private readonly host: UdpTrackerHost) {
    this.sockets = new UdpSockets({
      udp: host.platform.udp,
      onPacket: (packet, from) => this.onPacket(packet, from),
    })
  }

  get platform(): UdpTrackerHost['platform'] {
    return this.host.platform
  }

  get settings(): Readonly<TrackerSettings> {
    return this.host.settings
  }

  /** `done` is called once, later, unless the returned function is called before. */
  announce(
    tracker: TrackerLocation,
    request: TrackerRequest,
    done: (result: AnnounceReply | TrackerFailure) => void,
    sending: () => void,
  ): () => void {
    const exchange = new UdpExchange(this, tracker, { action: 'announce', request, done, sending })
    exchange.start()
    return () => exchange.cancel()
  }

  /** As `announce`. */
  scrape(
    tracker: TrackerLocation,
    query: TrackerQuery,
    done: (result: ScrapeReply | TrackerFailure) => void,
  ): () => void {
    const exchange = new UdpExchange(this, tracker, { action: 'scrape', query, done })
    exchange.start()
    return () => exchange.cancel()
  }

  /** Closes the sockets. The owner has cancelled the exchanges. */
  close(): void {
    this.sockets.close()
    this.connectionIds.clear()
  }

  /** Whether `address` may be sent to; an error says why not. */
  refuses(address: string, query: TrackerQuery): LibtorrentError | null {
    return this.host.checkAddress(address, query)
  }

  localAddress(family: 4 | 6): string | null {
    return this.host.localAddress(family)
  }

  send(local: string, packet: Uint8Array, to: Endpoint, failed: (error: LibtorrentError) => void): void {
    this.sockets.send(local, packet, to, failed)
  }

  newTransaction(exchange: UdpExchange): number {
    const { random } = this.host.platform
    let id = random.u32()
    while (id === 0 || this.exchanges.has(id)) id = random.u32()
    this.exchanges.set(id, exchange)
    return id
  }

  endTransaction(id: number): void {
    this.exchanges.delete(id)
  }

  /** The connection id a tracker gave us at the address `local`, if it has not expired. */
  connectionId(local: string, tracker: Endpoint): ConnectionId | null {
    const key = keyOf(local, tracker)
    const known = this.connectionIds.get(key)
    if (known === undefined) return null
    if (known.expires > this.host.platform.clock.now()) return known.id
    this.connectionIds.delete(key)
    return null
  }

  rememberConnectionId(local: string, tracker: Endpoint, id: ConnectionId): void {
    const key = keyOf(local, tracker)
    // Set anew, the key moves to the end of the map, whose first key then is the oldest.
    this.connectionIds.delete(key)
    if (this.connectionIds.size >= MAX_CONNECTION_IDS) {
      this.connectionIds.delete(this.connectionIds.keys().next().value as string)
    }
    const life = this.settings.udpTrackerTokenExpiry * 1000
    this.connectionIds.set(key, { id, expires: this.host.platform.clock.now() + life })
  }

  forgetConnectionId(local: string, tracker: Endpoint): void {
    this.connectionIds.delete(keyOf(local, tracker))
  }

  private onPacket(packet: Uint8Array, from: Endpoint): void {
    const response = decodeUdpResponse(packet, from.address.includes(':'))
    if (response !== null) this.exchanges.get(response.transactionId)?.onResponse(response, from)
  }
}

/** A tracker gives each address of ours an id of its own. */
function keyOf(local: string, tracker: Endpoint): string {
  return `${local} ${endpointText(tracker)}`
}
