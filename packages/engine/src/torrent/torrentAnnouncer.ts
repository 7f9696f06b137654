import { isGlobal, isLocal } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { I2P_PORT } from '../address/i2pAddress.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { TrackerSource } from '../metainfo/trackerUrl.ts'
import { PeerSource } from '../peers/peerSource.ts'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import type { Settings } from '../settings/settings.ts'
import type { AnnounceEntry, TrackerSpec } from '../tracker/announceEntry.ts'
import { TorrentTrackers } from '../tracker/torrentTrackers.ts'
import type { AnnounceParams, TorrentTrackersHost } from '../tracker/torrentTrackersHost.ts'
import type { TrackerClient } from '../tracker/trackerClient.ts'
import type { TrackerLogin, TrackerPeer } from '../tracker/trackerRequest.ts'
import { limitTrackersPerHost } from '../tracker/trackersPerHost.ts'
import type { Millis } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import type { PeerFilter } from './peerFilter.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentIdentity } from './torrentIdentity.ts'
import type { TorrentPieces } from './torrentPieces.ts'
import type { TorrentSsl } from './torrentSsl.ts'

export interface TorrentAnnouncerHost {
  readonly session: Pick<TorrentHost, 'clock' | 'trackerClient' | 'onExternalAddress'>
  readonly identity: TorrentIdentity
  readonly random: Random
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly params: Readonly<AddTorrentParams>
  readonly info: TorrentInfo
  readonly infoHashBytes: Uint8Array
  readonly layout: PieceLayout | null
  readonly pieces: TorrentPieces | null
  readonly stats: TransferStats
  readonly counters: TorrentCounters
  readonly swarm: Swarm
  readonly peerFilter: PeerFilter
  readonly isFinished: boolean
  readonly isSeed: boolean
  readonly ssl: TorrentSsl
  /** A torrent of I2P. */
  readonly isI2p: boolean
  readonly keepsToI2p: boolean
  wakeAt(when: Millis): void
  /** Something of the status is different. */
  changed(): void
}

/** What announces instead of a listen socket: in I2P nobody needs one. */
const INSIDE_I2P: readonly Endpoint[] = [{ address: '0.0.0.0', port: I2P_PORT }]
/** Announced as missing while the metadata is not known: anything but 0, since we are no seed. */
const UNKNOWN_LEFT = 16_384
/** Announced while nobody can connect to us, behind a proxy: trackers refuse 0 (libtorrent). */
const UNREACHABLE_PORT = 1

/** What a torrent tells its trackers, and what becomes of their answers. */
export class TorrentAnnouncer implements TorrentTrackersHost {
  readonly trackers: TorrentTrackers
  login: TrackerLogin | undefined
  /** Swarm size as trackers told it, -1 unknown. */
  complete = -1
  incomplete = -1
  lastScrape: Millis = 0
  /** Payload totals when `started` was announced: trackers count from there. */
  private fromUpload = 0
  private fromDownload = 0
  private fromFailed = 0
  private fromRedundant = 0

  constructor(private readonly host: TorrentAnnouncerHost) {
    this.trackers = new TorrentTrackers(this)
  }

  /** The trackers of the torrent, of whoever added it, and of resume data. */
  load(resume: ResumeState | null): void {
    const { params, info } = this.host
    const saved = resume?.trackers ?? null
    const specs: TrackerSpec[] = []
    if (saved !== null) for (const [tier, urls] of saved.entries()) for (const url of urls) specs.push({ url, tier })
    if (saved === null || params.mergeResumeTrackers) {
      specs.push(...info.trackers)
      for (const [i, url] of (params.trackers ?? []).entries()) {
        specs.push({ url, tier: params.trackerTiers?.[i] ?? i, source: TrackerSource.client })
      }
    }
    if (params.trackerUrl) specs.unshift({ url: params.trackerUrl, tier: 0, source: TrackerSource.client })
    const { trackerid } = params
    this.trackers.load(limitTrackersPerHost(trackerid ? specs.map((spec) => ({ ...spec, trackerid })) : specs))
  }

  start(): void {
    const { stats, counters } = this.host
    this.fromUpload = stats.totalPayloadUpload
    this.fromDownload = stats.totalPayloadDownload
    this.fromFailed = counters.failedBytes
    this.fromRedundant = counters.redundantBytes
    this.trackers.start()
  }

  // --- what `trackers` needs ------------------------------------------------------------------------------------

  get clock(): Clock {
    return this.host.session.clock
  }

  get random(): Random {
    return this.host.random
  }

  get settings(): Readonly<Settings> {
    return this.host.settings
  }

  get client(): TrackerClient {
    return this.host.session.trackerClient
  }

  get alerts(): AlertSink {
    return this.host.alerts
  }

  get handle(): TorrentRef {
    return this.host.ref
  }

  get announceEndpoints(): readonly Endpoint[] {
    return this.host.keepsToI2p ? INSIDE_I2P : this.host.ssl.announceEndpoints
  }

  allowsTracker(entry: AnnounceEntry): boolean {
    return this.host.settings.allowI2pMixed || entry.isI2p === this.host.isI2p
  }

  announceParams(): AnnounceParams {
    const { host } = this
    const { pieces, layout, counters, stats } = host
    const corrupt = counters.failedBytes - this.fromFailed
    const redundant = counters.redundantBytes - this.fromRedundant
    const received = stats.totalPayloadDownload - this.fromDownload - corrupt
    return {
      infoHash: host.infoHashBytes,
      peerId: host.identity.peerId,
      ...(host.ssl.listenPort === 0 ? { toldPort: UNREACHABLE_PORT } : null),
      uploaded: stats.totalPayloadUpload - this.fromUpload,
      downloaded: Math.max(0, host.settings.reportTrueDownloaded ? received : received - redundant - this.surplus()),
      left: pieces === null || layout === null ? UNKNOWN_LEFT : layout.totalSize - pieces.haveBytes(),
      corrupt,
      redundant,
      key: host.identity.trackerKey,
      numWant: host.settings.numWant,
      privateTorrent: host.info.priv,
      applyIpFilter: host.peerFilter.applies,
      ...(host.info.priv ? this.ownAddresses() : null),
      partialSeed: host.isFinished && !host.isSeed,
      login: this.login,
      tls: host.ssl.serverTls,
    }
  }

  /** Our addresses of both families (BEP 7). Only the trackers of private torrents are told, as in libtorrent 2. */
  private ownAddresses(): Pick<AnnounceParams, 'ipv4' | 'ipv6'> {
    const addresses = this.announceEndpoints.map(({ address }) => address).filter(isGlobal)
    return { ipv4: addresses.filter((address) => !isV6(address)), ipv6: addresses.filter(isV6) }
  }

  /** Bytes of blocks that are still arriving although every piece is there: they will be redundant. */
  private surplus(): number {
    let bytes = 0
    if (!this.host.pieces?.isSeed) return 0
    for (const peer of this.host.swarm.connections) bytes += peer.download.arrivingBytes
    return bytes
  }

  wakeAt(when: Millis): void {
    this.host.wakeAt(when)
  }

  onTrackerPeers(peers: readonly TrackerPeer[], _url: string, from: string): void {
    const { swarm, peerFilter } = this.host
    // One in our own network may see peers by addresses that mean something here only.
    const isNear = isLocal(from)
    for (const peer of peers) if (!peerFilter.refusesNamed(peer, isNear)) swarm.addPeer(peer, PeerSource.tracker)
    this.host.swarm.boost()
  }

  onExternalAddress(address: string, source: string): void {
    this.host.session.onExternalAddress(address, source)
  }

  onScrape(complete: number, incomplete: number): void {
    this.complete = complete
    this.incomplete = incomplete
    this.lastScrape = this.host.session.clock.now()
    this.host.changed()
  }
}
