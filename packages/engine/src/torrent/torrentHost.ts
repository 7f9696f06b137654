import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import type { BandwidthChannel } from '../bandwidth/bandwidthChannel.ts'
import type { Direction } from '../bandwidth/direction.ts'
import type { BandwidthManagers, RateLimits } from '../bandwidth/rateLimits.ts'
import type { Dht } from '../dht/dht.ts'
import type { StorageConstructor } from '../disk/storageInterface.ts'
import type { BlockSender } from '../peer/blockSender.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { AttemptBook } from '../peers/attemptBook.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { BlockPool, StorageHandler, StorageParams, TorrentStorage } from '../platform/disk.ts'
import type { HttpStreams } from '../platform/httpStream.ts'
import type { Random } from '../platform/random.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Tls, TlsClientOptions } from '../platform/tls.ts'
import type { Settings } from '../settings/settings.ts'
import type { TrackerClient } from '../tracker/trackerClient.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'
import type { TorrentFilters } from './peerFilter.ts'
import type { PeerOrigin } from './peerOrigin.ts'
import type { Torrent } from './torrent.ts'
import type { Transport } from './transportChoice.ts'

/** Something that asked to be woken at a time. */
export interface Wakeable {
  onWake(now: Millis): void
}

/** Something that stopped reading because there was no slot for a block. */
export interface SlotWaiter {
  /** There may be a free slot again. */
  resumeInput(): void
}

/** What decides which limits apply to a connection. */
export interface BandwidthConnection {
  /** To the local network, or to this machine. */
  readonly isLocal: boolean
  readonly socketType: SocketType
}

/** The limits that torrents share. */
export interface TorrentBandwidth extends BandwidthManagers {
  /** Limit over all peers that are not exempt, bytes a second; 0 for none. */
  limit(direction: Direction): number
  /** Adds the channels of the session and of `torrent` that `connection` goes through. */
  collectChannels(
    connection: BandwidthConnection,
    torrent: RateLimits,
    direction: Direction,
    into: BandwidthChannel[],
  ): void
}

/** Ways of finding peers that torrents share. */
export interface TorrentDiscovery {
  /** UDP port of our DHT node, 0 while there is none. */
  readonly dhtPort: number
  /** Announced to the DHT from now on; again: soon. */
  joinDht(torrent: DhtTorrent): void
  leaveDht(torrent: DhtTorrent): void
  /** A node somebody named. `host` may be a name. */
  addDhtNode(host: string, port: number): void
  /** `isSsl`: announced with the port of the SSL listen sockets. */
  joinLsd(infoHash: Sha1Hash, isSsl: boolean): void
  leaveLsd(infoHash: Sha1Hash): void
}

/** A torrent, as far as the DHT is concerned. */
export interface DhtTorrent {
  /** Its turn has come. */
  announceToDht(dht: Dht): void
}

/** Whom a torrent wants a connection to. */
export interface DialRequest {
  readonly remote: Endpoint
  /** The torrent's, 20 bytes. */
  readonly infoHash: Uint8Array
  /** What to try. Without a UDP socket of the peer's family uTP becomes TCP, if that may be used. */
  readonly transport: Transport
  /** By MSE; of no effect where the transport encrypts. */
  readonly isEncrypted: boolean
  /** Secures the connection by TLS; null: it is a plain one. */
  readonly tls: TlsClientOptions | null
  /** Addresses and devices to connect from; none: what the settings say. */
  readonly interfaces: readonly string[]
}

/** What a torrent needs from the session it is in. */
export interface TorrentHost {
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly pool: BlockPool
  readonly isDiskCongested: boolean
  readonly bandwidth: TorrentBandwidth
  readonly resolver: Resolver
  readonly httpStreams: HttpStreams
  readonly tls: Tls
  readonly blockSender: BlockSender
  readonly trackerClient: TrackerClient
  /** 20 bytes; the same for all torrents of the session. */
  readonly peerId: Uint8Array
  /** Sent to trackers so that they know us after a change of address. */
  readonly trackerKey: number
  /** The port peers reach us at, 0 when we do not listen. */
  readonly listenPort: number
  /** The listen sockets, each of which announces to trackers. The same array as long as they are the same. */
  readonly announceEndpoints: readonly Endpoint[]
  /** The same two of the SSL listen sockets. */
  readonly sslListenPort: number
  readonly sslAnnounceEndpoints: readonly Endpoint[]
  readonly isPaused: boolean
  /** DHT and local discovery. */
  readonly discovery: TorrentDiscovery
  /** IP filter and port filter. */
  readonly filters: TorrentFilters
  /** In which country and network addresses are. */
  readonly origins: PeerOrigin
  /** Which addresses were dialled in vain, by all torrents. */
  readonly attempts: AttemptBook
  /** Others can reach us: peers do not go through a proxy. */
  readonly isReachable: boolean
  /** Peers are spoken to without a proxy, and may be by uTP: others can introduce them to us (BEP 55). */
  readonly canBeIntroduced: boolean
  /** Connections that may still be opened before `connections_limit`. */
  readonly freeConnections: number
  /** Average upload rate etc. are derived once a second; true while this torrent needs that. */
  setActive(torrent: Torrent, active: boolean): void
  /** This torrent has peers to connect to and room for them. */
  wantsConnections(torrent: Torrent): void
  /** Makes up to `attempts` connections for it at once, by `torrent.connectOne`; returns how many. */
  boostConnections(torrent: Torrent, attempts: number): number
  /**
   * At the connection limit of the session a torrent got one more, `numPeers` with it: another torrent gives one up if it
   * has more. False when the newcomer has to go.
   */
  makeRoom(numPeers: number): boolean
  /** Files, or what `custom` makes. */
  openStorage(params: StorageParams, handler: StorageHandler, custom: StorageConstructor | undefined): TorrentStorage
  /** There is an SSL torrent: SSL listen sockets are of use. */
  needsSsl(): void
  /** Begins to connect to a peer. */
  connect(request: DialRequest, handler: StreamHandler): Stream
  /** A connection came or went; the session counts them. */
  onConnectionOpened(torrent: Torrent, peer: PeerConnection): void
  onConnectionClosed(torrent: Torrent, peer: PeerConnection): void
  /** A peer began or ceased to want something of us: upload slots may change hands at once. */
  onPeerInterestChanged(torrent: Torrent, peer: PeerConnection): void
  scheduleFlush(peer: PeerConnection): void
  /** `reader` waits for a free slot of the block pool. */
  waitForSlot(reader: SlotWaiter): void
  /** A web seed is left: counts what it transferred since the last second. */
  addTransfers(stats: TransferStats): void
  /** Calls `owner.onWake` at `when`, never if it is infinite; replaces the earlier wish of this owner. */
  wakeAt(owner: Wakeable, when: Millis): void
  /** Asks for a turn at checking files; `torrent.beginChecking` follows. */
  queueForChecking(torrent: Torrent): void
  /** Gives the turn, or the wish for it, back. */
  doneChecking(torrent: Torrent): void
  onExternalAddress(address: string, source: string): void
  /** Our address and port as others see them, null while unknown. */
  externalEndpoint(v6: boolean): Endpoint | null
  /** Our own code threw: posts `sessionError`. */
  onFault(cause: unknown): void
  /** Something of the status changed: it belongs in the next state update. */
  onStateUpdated(torrent: Torrent): void
}
