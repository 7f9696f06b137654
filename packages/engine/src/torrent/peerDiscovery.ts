import { isLoopback } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { DhtReplyAlert } from '../alerts/dhtAlerts.ts'
import { LsdPeerAlert } from '../alerts/discoveryAlerts.ts'
import type { Dht } from '../dht/dht.ts'
import type { MutableItem } from '../dht/mutableItem.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { PeerSource } from '../peers/peerSource.ts'
import type { Settings } from '../settings/settings.ts'
import type { TorrentTrackers } from '../tracker/torrentTrackers.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import type { PeerFilter } from './peerFilter.ts'
import type { Swarm } from './swarm.ts'
import { TorrentFollower } from './torrentFollower.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentSsl } from './torrentSsl.ts'

export interface PeerDiscoveryHost {
  readonly session: Pick<TorrentHost, 'discovery'>
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly infoHash: Sha1Hash
  readonly params: Readonly<AddTorrentParams>
  readonly info: TorrentInfo
  readonly swarm: Swarm
  readonly peerFilter: PeerFilter
  readonly trackers: TorrentTrackers
  readonly isSeed: boolean
  readonly ssl: TorrentSsl
  /** Neither the DHT nor the local network may hear of it. */
  readonly keepsToI2p: boolean
}

/** What a pid looks like of which nothing is known. */
const NO_PEER_ID = new Uint8Array(20)

/**
 * Peers from elsewhere than trackers: the DHT (BEP 5) and local discovery (BEP 14). A private torrent (BEP 27) takes
 * part in neither, nor does one that keeps to I2P.
 */
export class PeerDiscovery {
  private isOnline = false
  private inDht = false
  private inLsd = false
  private readonly follower: TorrentFollower | null

  constructor(private readonly host: PeerDiscoveryHost) {
    const { mutableTorrent } = host.params
    this.follower = mutableTorrent === undefined ? null : new TorrentFollower(host, mutableTorrent)
  }

  /** The item that names the newest version, if the torrent is followed and has been found (BEP 46). */
  get newestItem(): MutableItem | null {
    return this.follower?.item ?? null
  }

  /** `item` was the newest in an earlier session. */
  restoreItem(item: MutableItem): void {
    this.follower?.restore(item)
  }

  /** Nodes the torrent names (BEP 5), and whoever added it. */
  addDhtNodes(): void {
    if (this.host.info.priv || this.host.keepsToI2p) return
    const { discovery } = this.host.session
    for (const { host, port } of [...this.host.info.nodes, ...(this.host.params.dhtNodes ?? [])]) {
      discovery.addDhtNode(host, port)
    }
  }

  goOnline(): void {
    this.isOnline = true
    this.update()
  }

  goOffline(): void {
    this.isOnline = false
    this.update()
  }

  /** The metadata is known: it may say that the torrent is private. */
  onMetadata(): void {
    this.addDhtNodes()
    // An SSL torrent: it is announced with another port.
    const { session, infoHash, ssl } = this.host
    if (this.inLsd && ssl.isSslTorrent) session.discovery.joinLsd(infoHash, true)
    this.update()
  }

  onSettingsChanged(): void {
    this.update()
  }

  /** Looks for peers now, by the DHT (manual, force_dht_announce). */
  forceDhtAnnounce(): void {
    if (this.inDht) this.host.session.discovery.joinDht(this)
  }

  /** Our turn in the DHT has come. */
  announceToDht(dht: Dht): void {
    const { host } = this
    this.follower?.look(dht)
    if (host.settings.useDhtAsFallback && host.trackers.hasWorking) return
    const listener = {
      onPeers: (peers: readonly Endpoint[], from: Endpoint) => this.onDhtPeers(peers, from),
    }
    const port = host.ssl.listenPort
    if (port === 0) dht.getPeers(host.infoHash, { noSeeds: host.isSeed }, listener)
    else dht.announce(host.infoHash, { port, seed: host.isSeed }, listener)
  }

  /** A peer on the local network has this torrent. */
  onLocalPeer(peer: Endpoint): void {
    const { alerts, ref, swarm } = this.host
    if (!this.inLsd) return
    if (alerts.wants(LsdPeerAlert.category)) {
      alerts.post(new LsdPeerAlert({ handle: ref, endpoint: peer, pid: NO_PEER_ID }))
    }
    swarm.addPeer(peer, PeerSource.lsd)
  }

  private onDhtPeers(peers: readonly Endpoint[], from: Endpoint): void {
    if (!this.inDht) return
    const { alerts, ref, swarm, peerFilter } = this.host
    if (alerts.wants(DhtReplyAlert.category)) alerts.post(new DhtReplyAlert({ handle: ref, numPeers: peers.length }))
    const isNear = isLoopback(from.address)
    for (const peer of peers) if (!peerFilter.refusesNamed(peer, isNear)) swarm.addPeer(peer, PeerSource.dht)
  }

  private update(): void {
    const { params, info, infoHash, session, ssl } = this.host
    const may = this.isOnline && !info.priv && !this.host.keepsToI2p
    const wantsDht = may && !params.disableDht
    if (wantsDht !== this.inDht) {
      this.inDht = wantsDht
      if (wantsDht) session.discovery.joinDht(this)
      else session.discovery.leaveDht(this)
    }
    const wantsLsd = may && !params.disableLsd
    if (wantsLsd !== this.inLsd) {
      this.inLsd = wantsLsd
      if (wantsLsd) session.discovery.joinLsd(infoHash, ssl.isSslTorrent)
      else session.discovery.leaveLsd(infoHash)
    }
  }
}
