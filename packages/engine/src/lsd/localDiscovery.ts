import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import { TokenBucket } from '../util/tokenBucket.ts'
import { AnnounceOrder, MIN_ANNOUNCE_MS } from './announceOrder.ts'
import type { LocalDiscoveryHost } from './localDiscoveryHost.ts'
import { LsdGate } from './lsdGate.ts'
import { decodeLsdAnnounce, encodeLsdAnnounce, MAX_HASHES_SENT } from './lsdMessage.ts'
import { LsdSocket, type LsdSocketHost, lsdInterfaces } from './lsdSocket.ts'

/** Interfaces announced on; machines with more have virtual ones. */
const MAX_INTERFACES = 16
/** So long torrents are gathered into one announce. */
const GATHER_MS: Millis = 500
/** Packets may be lost, on wireless networks often: each is sent again after 2 and after 4 more seconds, as in libtorrent. */
const COPIES_AFTER: readonly Millis[] = [2000, 6000]
/** BEP 14: one announce a minute, so that large networks are not flooded; after a quiet time a few may go at once. */
const ANNOUNCE_BURST = 5

/**
 * Local service discovery (BEP 14): tells the neighbours on each network which torrents we have, and hears of theirs.
 * Torrents are added by the session, which leaves out private ones; `active_lsd_limit` is its affair as well.
 *
 * @see manual, start_lsd
 */
export class LocalDiscovery implements LsdSocketHost {
  private readonly order = new AnnounceOrder()
  private readonly sockets = new Map<string, LsdSocket>()
  private readonly copies = new Set<Timer>()
  /** Info-hashes of SSL torrents: their peers are taken at another port. */
  private readonly sslTorrents = new Set<string>()
  private readonly gate: LsdGate
  private readonly budget: TokenBucket
  /** Tells our own announces from others'. */
  private readonly cookie: string
  private wake: Timer | null = null
  private running = false

  constructor(private readonly host: LocalDiscoveryHost) {
    const { clock, random } = host.platform
    this.gate = new LsdGate(clock)
    this.budget = new TokenBucket(clock, ANNOUNCE_BURST, MIN_ANNOUNCE_MS)
    this.cookie = (random.u32() & 0x7fff_ffff).toString(16)
  }

  get platform(): LocalDiscoveryHost['platform'] {
    return this.host.platform
  }

  get settings(): LocalDiscoveryHost['settings'] {
    return this.host.settings
  }

  get isStarted(): boolean {
    return this.running
  }

  /** Begins to listen and to announce what was and will be added. Nothing happens if it is started. */
  start(): void {
    if (this.running) return
    this.running = true
    this.order.renew()
    this.updateSockets()
    this.schedule()
  }

  /** Ends both, at once. The torrents stay, to be announced when it is started again. */
  stop(): void {
    this.running = false
    this.wake?.cancel()
    this.wake = null
    for (const copy of this.copies) copy.cancel()
    this.copies.clear()
    for (const socket of this.sockets.values()) socket.close()
    this.sockets.clear()
  }

  /** Announces this torrent from now on, soon for the first time. Never add a private torrent. */
  add(infoHash: Sha1Hash, isSsl = false): void {
    if (isSsl) this.sslTorrents.add(infoHash.toHex())
    this.order.add(infoHash, this.platform.clock.now())
    this.schedule()
  }

  remove(infoHash: Sha1Hash): void {
    this.order.remove(infoHash)
    this.sslTorrents.delete(infoHash.toHex())
  }

  /** Addresses of this machine, or the ports it listens at, have changed. It is also noticed with the next announce. */
  networkChanged(): void {
    if (!this.running) return
    for (const [key, socket] of this.sockets) if (socket.hasFailed) this.sockets.delete(key)
    this.updateSockets()
    this.schedule()
  }

  private updateSockets(): void {
    const wanted = lsdInterfaces(this.platform.localNetwork.interfaces(), MAX_INTERFACES)
    const keys = new Set(wanted.map(({ key }) => key))
    for (const [key, socket] of this.sockets) {
      if (keys.has(key)) continue
      socket.close()
      this.sockets.delete(key)
    }
    for (const on of wanted) {
      if (this.sockets.has(on.key)) continue
      const socket = new LsdSocket(this, on)
      this.sockets.set(on.key, socket)
      socket.open()
    }
  }

  onLsdOpen(_socket: LsdSocket): void {
    // Here nobody has heard us.
    this.order.renew()
    this.schedule()
  }

  onLsdError(socket: LsdSocket, error: LibtorrentError): void {
    // It stays among the sockets, so that it is not opened again and again, until somebody says that the network changed.
    this.host.onLocalDiscoveryError(socket.address, error)
  }

  onLsdPacket(packet: Uint8Array, from: Endpoint, socket: LsdSocket): void {
    if (!this.gate.admits(from.address)) return
    const announce = decodeLsdAnnounce(packet)
    if (announce === null || announce.cookie?.toLowerCase() === this.cookie) return
    // Ourselves, by a packet whose cookie was lost.
    if (from.address === socket.address && this.portsOf(socket).includes(announce.port)) return
    const peer = { address: from.address, port: announce.port }
    for (const infoHash of announce.infoHashes) this.host.onLocalPeer(infoHash, peer)
  }

  /** At which ports peers reach us through this socket's interface: those of SSL torrents at the second. */
  private portsOf({ address }: LsdSocket): readonly [number, number] {
    return [this.host.listenPort(address, false), this.host.listenPort(address, true)]
  }

  private get interval(): Millis {
    return Math.max(this.settings.localServiceAnnounceInterval * 1000, MIN_ANNOUNCE_MS)
  }

  private schedule(atLeast: Millis = GATHER_MS): void {
    if (!this.running) return
    const dueAt = this.order.nextDueAt(this.interval)
    this.wake?.cancel()
    this.wake = null
    if (dueAt === Number.POSITIVE_INFINITY) return
    const delay = Math.max(dueAt - this.platform.clock.now(), this.budget.wait, atLeast)
    this.wake = this.platform.timers.after(delay, () => {
      this.wake = null
      this.announce()
    })
  }

  private announce(): void {
    this.updateSockets()
    const now = this.platform.clock.now()
    const open = [...this.sockets.values()].filter((each) => each.isOpen && this.portsOf(each).some((port) => port > 0))
    if (open.length === 0) return this.schedule(MIN_ANNOUNCE_MS)
    if (this.budget.take()) this.send(this.order.take(now, MAX_HASHES_SENT, this.interval), open)
    this.schedule()
  }

  /** A packet for each torrent, as libtorrent does: aria2 reads the first info-hash and no more than 200 bytes. */
  private send(infoHashes: readonly Sha1Hash[], sockets: readonly LsdSocket[]): void {
    const isSsl = (infoHash: Sha1Hash) => this.sslTorrents.has(infoHash.toHex())
    const kinds = [infoHashes.filter((each) => !isSsl(each)), infoHashes.filter(isSsl)]
    const packets = sockets.flatMap((socket) =>
      this.portsOf(socket).flatMap((port, kind) => {
        if (port === 0) return []
        return kinds[kind].map((each) => [socket, encodeLsdAnnounce(socket.group, port, [each], this.cookie)] as const)
      }),
    )
    for (const [socket, packet] of packets) socket.send(packet)
    for (const delay of COPIES_AFTER) {
      const copy = this.platform.timers.after(delay, () => {
        this.copies.delete(copy)
        for (const [socket, packet] of packets) socket.send(packet)
      })
      this.copies.add(copy)
    }
  }
}
