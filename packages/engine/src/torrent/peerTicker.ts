import { isV6 } from '../address/endpoint.ts'
import { DIRECTIONS } from '../bandwidth/direction.ts'
import type { RateLimits } from '../bandwidth/rateLimits.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { PeerNews } from './peerNews.ts'
import type { RatioKeeper } from './ratioKeeper.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentNews } from './torrentNews.ts'
import type { TorrentSsl } from './torrentSsl.ts'

export interface PeerTickerHost {
  readonly session: Pick<TorrentHost, 'bandwidth' | 'clock' | 'freeConnections'>
  readonly settings: Readonly<Settings>
  readonly peerNews: PeerNews
  readonly picker: PiecePicker<TorrentPeer> | null
  /** `max_connections` of this torrent. */
  readonly maxConnections: number
  readonly limits: RateLimits
  readonly ratioKeeper: RatioKeeper
  /** Nothing (more) is wanted. */
  readonly isUploadOnly: boolean
  readonly news: TorrentNews
  readonly requester: BlockRequester
  readonly swarm: Swarm
  /** Of the torrent: those of its connections are added up in them. */
  readonly stats: TransferStats
  readonly counters: TorrentCounters
  readonly isSeed: boolean
  readonly ssl: TorrentSsl
}

/** What the TLS handshake may take on top of connecting (libtorrent). */
const SSL_HANDSHAKE_MS: Millis = 10_000
/** Every way through I2P is long (libtorrent). */
const I2P_PATIENCE = 4
/** How long a peer may hold an upload slot without using it (libtorrent). */
const NO_REQUEST_TIMEOUT_MS = 60_000
/** Connections are scarce when no more than this many are left (libtorrent). */
const SCARCE_CONNECTIONS = 5
/** A send buffer that lasts less than this is empty before the disk has read more (libtorrent). */
const STARVED_SECONDS = 0.5

/** What has to be looked at once a second for each connection: timeouts, keep-alives, rates, the request queue. */
export class PeerTicker {
  /** Of those that are not exempt from the limits, since the last second. */
  private readonly overhead = { upload: 0, download: 0 }

  constructor(private readonly host: PeerTickerHost) {}

  tick(now: Millis, elapsed: Millis): void {
    const { swarm, stats, counters, session } = this.host
    let seesAll = this.host.isSeed
    for (const peer of [...swarm.connections]) {
      stats.accumulate(peer.stats)
      if (peer.stats.uploadPayload.counter > 0) counters.lastUpload = session.clock.unixTime()
      if (peer.stats.downloadPayload.counter > 0) counters.lastDownload = session.clock.unixTime()
      if (peer.isSeed) seesAll = true
      this.tickPeer(peer, now, elapsed)
    }
    if (seesAll) counters.lastSeenComplete = session.clock.unixTime()
    this.warnOfOverhead(elapsed)
  }

  /** Headers and acknowledgements alone use a limit up (manual, performance_alert). */
  private warnOfOverhead(elapsed: Millis): void {
    const { session, limits, news } = this.host
    for (const direction of DIRECTIONS) {
      const rate = (this.overhead[direction] * 1000) / elapsed
      this.overhead[direction] = 0
      const narrowest = lesser(limits.get(direction), session.bandwidth.limit(direction))
      if (narrowest === 0 || rate < narrowest) continue
      news.performance(direction === 'upload' ? 'uploadLimitTooLow' : 'downloadLimitTooLow')
    }
  }

  private tickPeer(peer: PeerConnection, now: Millis, elapsed: Millis): void {
    // First of all: a connection that ends here adds to its torrent what it counted since, and this second is in already.
    this.updateRates(peer, elapsed)
    if (this.closeIfTimedOut(peer, now) || !peer.isReady) return
    const { settings } = this.host
    if (now - peer.lastSent >= (settings.peerTimeout * 1000) / 2) {
      peer.writer.keepAlive()
      peer.touch()
    }
    this.watchRequests(peer, now)
    this.host.ratioKeeper.apply(peer)
    peer.upload.tick()
    // What was behind other messages when the last block left waits for nobody else to look.
    peer.pumpUploads()
    peer.download.updateTarget(
      peer.stats.downloadPayloadRate,
      settings.requestQueueTime,
      Math.min(settings.maxOutRequestQueue, peer.extensions.maxRequests),
    )
    this.warnOfLimits(peer)
    peer.download.isHeld = false
    this.host.requester.requestMore(peer)
  }

  /** Limits that hold a fast peer back (manual, performance_alert). */
  private warnOfLimits(peer: PeerConnection): void {
    const { settings, news } = this.host
    const { download, upload, stats } = peer
    if (download.requests.length >= settings.maxOutRequestQueue) news.performance('outstandingRequestLimitReached')
    const isStarved = upload.readingBytes > 0 && peer.unsentBytes === 0
    if (isStarved && stats.uploadPayloadRate * STARVED_SECONDS > settings.sendBufferWatermark) {
      news.performance('sendBufferWatermarkTooLow')
    }
  }

  private closeIfTimedOut(peer: PeerConnection, now: Millis): boolean {
    const { settings } = this.host
    const patience = peer.isI2p ? I2P_PATIENCE : 1
    if (peer.state === 'connecting') {
      const slowness = this.host.ssl.isSslTorrent ? SSL_HANDSHAKE_MS : 0
      if (now - peer.createdAt < settings.peerConnectTimeout * 1000 * patience + slowness) return false
      peer.fail('timedOut')
    } else if (peer.state === 'handshaking') {
      if (now - peer.connectedAt < settings.handshakeTimeout * 1000 * patience) return false
      peer.fail('timedOutNoHandshake')
    } else if (!peer.isStalled && now - peer.lastReceived >= settings.peerTimeout * 1000) {
      peer.fail('timedOutInactivity')
    } else if (this.isWastingSlot(peer, now)) {
      peer.fail('timedOutNoRequest')
    } else if (this.isUseless(peer, now)) {
      peer.fail('timedOutNoInterest')
    }
    return peer.isClosed
  }

  /** It may download from us, who want nothing of it, and does not. */
  private isWastingSlot(peer: PeerConnection, now: Millis): boolean {
    const { upload } = peer
    if (!this.host.isUploadOnly || upload.isChoked || !peer.isPeerInterested) return false
    if (upload.requests.length > 0 || upload.readingBytes > 0 || peer.unsentBytes > 0) return false
    return now - Math.max(peer.lastUnchoked, peer.lastRequested, peer.lastSentBlock) > NO_REQUEST_TIMEOUT_MS
  }

  private isUseless(peer: PeerConnection, now: Millis): boolean {
    if (peer.isInteresting || peer.isPeerInterested || !this.areConnectionsScarce) return false
    return now - peer.lastInterest >= this.host.settings.inactivityTimeout * 1000
  }

  /** New peers are more useful than ones that neither side wants anything of. */
  private get areConnectionsScarce(): boolean {
    const { session, maxConnections, swarm } = this.host
    return Math.min(session.freeConnections, maxConnections - swarm.connections.size) <= SCARCE_CONNECTIONS
  }

  private updateRates(peer: PeerConnection, elapsed: Millis): void {
    const { stats } = peer
    const sent = stats.uploadPayload.counter + stats.uploadProtocol.counter
    const received = stats.downloadPayload.counter + stats.downloadProtocol.counter
    stats.tick(elapsed)
    peer.downloadRatePeak = Math.max(peer.downloadRatePeak, stats.downloadPayloadRate)
    peer.uploadRatePeak = Math.max(peer.uploadRatePeak, stats.uploadPayloadRate)
    // The torrent and the session have added this second up already: the headers count in the next.
    if (sent > 0) stats.transceivedIpPackets(sent, isV6(peer.remote.address))
    if (received > 0) stats.transceivedIpPackets(received, isV6(peer.remote.address))
    this.chargeOverhead(peer)
  }

  private chargeOverhead({ bandwidth, stats }: PeerConnection): void {
    const { rateLimitIpOverhead, ignoreLimitsOnLocalNetwork } = this.host.settings
    if (!rateLimitIpOverhead) return
    const { counter: sent } = stats.uploadIpProtocol
    const { counter: received } = stats.downloadIpProtocol
    bandwidth.upload.charge(sent)
    bandwidth.download.charge(received)
    if (bandwidth.isLocal && ignoreLimitsOnLocalNetwork) return
    this.overhead.upload += sent
    this.overhead.download += received
  }

  /** Blocks that do not come are made free for other peers; the late answer is still welcome. */
  private watchRequests(peer: PeerConnection, now: Millis): void {
    const { download } = peer
    const { settings, picker } = this.host
    if (download.requests.length === 0 || picker === null || peer.isStalled) return
    const silence = now - download.lastProgress
    if (silence >= settings.requestTimeout * 1000 && !download.isSnubbed) {
      for (const id of download.requests.ids()) this.release(peer, picker, id)
      download.snub()
      this.host.peerNews.snubbed(peer)
    } else if (silence >= settings.pieceTimeout * 1000 && !download.isSnubbed) {
      this.release(peer, picker, download.requests.oldest)
    }
  }

  private release(peer: PeerConnection, picker: PiecePicker<TorrentPeer>, blockId: number): void {
    const entry = peer.entry as TorrentPeer
    if (!picker.isRequestedFrom(blockId, entry)) return
    picker.abortDownload(blockId, entry)
    peer.download.hasReleased = true
    this.host.peerNews.blockTimeout(peer, blockId)
  }
}

/** Of two limits, 0 for none. */
function lesser(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b)
}
