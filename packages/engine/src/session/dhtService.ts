import { normalizeAddress } from '../address/addressBytes.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import {
  DhtAnnounceAlert,
  DhtBootstrapAlert,
  DhtErrorAlert,
  DhtErrorOp,
  DhtGetPeersAlert,
} from '../alerts/dhtAlerts.ts'
import { Dht } from '../dht/dht.ts'
import type { DhtHost } from '../dht/dhtHost.ts'
import type { DhtNode } from '../dht/dhtNode.ts'
import type { DhtState } from '../dht/dhtState.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Settings } from '../settings/settings.ts'
import type { DhtTorrent } from '../torrent/torrentHost.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import type { AddressFilters } from './addressFilters.ts'
import { AnnounceRotation } from './announceRotation.ts'
import { NamedNodeProbes } from './namedNodeProbes.ts'
import type { PacketReceiver, SharedUdpSocket } from './sharedUdpSocket.ts'

export interface DhtServiceHost {
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly resolver: Resolver
  /** Those that are open: the DHT has a node at each, but none beside the sockets of SSL torrents. */
  readonly udpSockets: Iterable<SharedUdpSocket>
  readonly filters: Pick<AddressFilters, 'hasIpRules' | 'isBlocked'>
  onExternalAddress(address: string, source: string): void
}

const MAX_ROUTERS = 50
/** Nodes kept for when the DHT starts. */
const MAX_WAITING_NODES = 100

interface NamedNode {
  /** A name or an address. */
  readonly host: string
  readonly port: number
}

/** A bencoded dictionary begins with it, and nothing else that comes by UDP does. */
const DICTIONARY = 0x64

/** The DHT's node on a shared socket. */
class DhtReceiver implements PacketReceiver {
  readonly node: DhtNode

  constructor(
    readonly socket: SharedUdpSocket,
    dht: Dht,
    private readonly probes: NamedNodeProbes,
  ) {
    this.node = dht.addSocket({
      local: socket.local,
      // What the system refuses to send is worth a report.
      send: (packet, to) => socket.send(packet, to, () => {}),
    })
  }

  receive(packet: Uint8Array, from: Endpoint): boolean {
    if (packet[0] !== DICTIONARY) return false
    if (!this.probes.onPacket(packet, from)) this.node.incoming(packet, from)
    return true
  }
}

/**
 * The session's part in the DHT: starts and stops it, gives it the UDP sockets and the names of routers, and announces
 * torrents one after the other.
 */
export class DhtService implements DhtHost {
  private running: Dht | null = null
  private readonly receivers = new Map<SharedUdpSocket, DhtReceiver>()
  private readonly rotation: AnnounceRotation<DhtTorrent>
  private readonly torrents = new Set<DhtTorrent>()
  /** Routers named by users; those of the setting come on top. */
  private readonly routers: NamedNode[] = []
  /** Named while the DHT did not run. */
  private waiting: NamedNode[] = []
  private readonly probes: NamedNodeProbes
  /** Counts starts, so that what an earlier one still opens or looks up is dropped. */
  private generation = 0
  private readonly passesFilter = (address: string) => !this.host.filters.isBlocked(address)

  constructor(private readonly host: DhtServiceHost) {
    const service = this
    this.probes = new NamedNodeProbes({
      timers: host.timers,
      random: host.random,
      send: (packet, to) => {
        for (const socket of this.receivers.keys()) return socket.send(packet, to)
      },
    })
    this.rotation = new AnnounceRotation<DhtTorrent>({
      timers: host.timers,
      get interval(): Millis {
        return service.host.settings.dhtAnnounceInterval * 1000
      },
      // Without a node in the table there is nobody to tell.
      isReady: () => (this.running?.dhtNodes ?? []).some(({ table }) => table.counts().nodes > 0),
      announce: (torrent) => {
        if (this.running !== null) torrent.announceToDht(this.running)
      },
    })
  }

  /** The DHT, while it runs. */
  get dht(): Dht | null {
    return this.running
  }

  get isRunning(): boolean {
    return this.running !== null
  }

  /** UDP port of the first node, 0 when there is none: what peers are told (BEP 5, PORT). */
  get port(): number {
    for (const socket of this.receivers.keys()) return socket.local.port
    return 0
  }

  // --- starting and stopping ------------------------------------------------------------------------------------

  /** @param state of an earlier run. */
  start(state?: DhtState): void {
    if (this.running !== null) return
    this.generation++
    this.running = new Dht(this, state)
    for (const router of [...parseNodes(this.host.settings.dhtBootstrapNodes), ...this.routers])
      this.lookUpRouter(router)
    for (const socket of this.host.udpSockets) this.onUdpOpened(socket)
    this.running.start(() => this.post(DhtBootstrapAlert.category, () => new DhtBootstrapAlert()))
    for (const node of this.waiting.splice(0)) this.addNode(node.host, node.port)
    for (const torrent of this.torrents) this.rotation.add(torrent)
  }

  stop(): void {
    if (this.running === null) return
    this.generation++
    this.probes.stop()
    this.rotation.clear()
    this.running.stop()
    this.running = null
    for (const receiver of this.receivers.values()) receiver.socket.removeReceiver(receiver)
    this.receivers.clear()
  }

  /** A socket came; it gets a node, unless it is for SSL torrents. */
  onUdpOpened(socket: SharedUdpSocket): void {
    if (this.running === null || socket.ssl) return
    const receiver = new DhtReceiver(socket, this.running, this.probes)
    this.receivers.set(socket, receiver)
    socket.addReceiver(receiver)
  }

  onUdpClosed(socket: SharedUdpSocket): void {
    const receiver = this.receivers.get(socket)
    if (receiver === undefined) return
    this.receivers.delete(socket)
    socket.removeReceiver(receiver)
    this.running?.removeSocket(receiver.node)
  }

  // --- nodes ----------------------------------------------------------------------------------------------------

  /** A node to ask when no other is known; stays for later starts, too. `host` may be a name. */
  addRouter(host: string, port: number): void {
    if (this.routers.length >= MAX_ROUTERS) return
    this.routers.push({ host, port })
    if (this.running !== null) this.lookUpRouter({ host, port })
  }

  /** A node somebody knows of. `host` may be a name. */
  addNode(host: string, port: number): void {
    if (this.running?.isRunning) this.lookUp({ host, port }, (address) => this.running?.addNode({ address, port }))
    else if (this.waiting.length < MAX_WAITING_NODES) this.waiting.push({ host, port })
  }

  private lookUpRouter(node: NamedNode): void {
    this.lookUp(node, (address) => this.running?.addRouter({ address, port: node.port }))
  }

  private lookUp({ host, port }: NamedNode, found: (address: string) => void): void {
    if (this.running === null) return
    const address = normalizeAddress(host)
    if (address !== null) return found(address)
    const { generation } = this
    this.host.resolver.resolve(host, (result) => {
      if (generation !== this.generation) return
      if (!(result instanceof LibtorrentError)) {
        for (const each of result) {
          // Only the proxy may know what the name stands for.
          if (normalizeAddress(each) === null) this.probes.ask(each, port, found)
          else found(each)
        }
      } else {
        const fields = { error: result, operation: DhtErrorOp.hostnameLookup }
        this.post(DhtErrorAlert.category, () => new DhtErrorAlert(fields))
      }
    })
  }

  // --- torrents -------------------------------------------------------------------------------------------------

  /** Is announced from now on, at once and then each `dht_announce_interval`. Again: announced soon. */
  join(torrent: DhtTorrent): void {
    this.torrents.add(torrent)
    if (this.running !== null) this.rotation.add(torrent)
  }

  leave(torrent: DhtTorrent): void {
    this.torrents.delete(torrent)
    this.rotation.delete(torrent)
  }

  // --- what the DHT needs ---------------------------------------------------------------------------------------

  get clock(): Clock {
    return this.host.clock
  }

  get timers(): Timers {
    return this.host.timers
  }

  get random(): Random {
    return this.host.random
  }

  get settings(): Readonly<Settings> {
    return this.host.settings
  }

  /** Missing while the IP filter says nothing: no packet's address has to be written out then. */
  get isAllowed(): ((address: string) => boolean) | undefined {
    return this.host.filters.hasIpRules ? this.passesFilter : undefined
  }

  onAnnounce(infoHash: Sha1Hash, peer: Endpoint): void {
    const fields = { ip: peer.address, port: peer.port, infoHash }
    this.post(DhtAnnounceAlert.category, () => new DhtAnnounceAlert(fields))
  }

  onGetPeers(infoHash: Sha1Hash): void {
    this.post(DhtGetPeersAlert.category, () => new DhtGetPeersAlert({ infoHash }))
  }

  onExternalAddressVote(_local: Endpoint, address: string, source: string): void {
    this.host.onExternalAddress(address, source)
  }

  private post(category: number, make: () => Parameters<AlertSink['post']>[0]): void {
    const { alerts } = this.host
    if (alerts.wants(category)) alerts.post(make())
  }
}

/** `host:port,[address]:port` in parts; what makes no sense is left out. */
export function parseNodes(text: string): NamedNode[] {
  const nodes: NamedNode[] = []
  for (const part of text.split(',')) {
    const match = /^\s*(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})\s*$/.exec(part)
    const port = Number(match?.[3])
    if (match === null || port < 1 || port > 0xffff) continue
    nodes.push({ host: match[1] ?? match[2], port })
  }
  return nodes
}
