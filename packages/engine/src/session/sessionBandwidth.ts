import type { BandwidthChannel } from '../bandwidth/bandwidthChannel.ts'
import { BandwidthManager, type BandwidthManagerHost } from '../bandwidth/bandwidthManager.ts'
import { DIRECTIONS, type Direction } from '../bandwidth/direction.ts'
import { tcpLimit } from '../bandwidth/mixedMode.ts'
import { RateLimits } from '../bandwidth/rateLimits.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import { isUtpSocket } from '../platform/socketType.ts'
import { BandwidthMixedAlgo } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'
import type { Swarm } from '../torrent/swarm.ts'
import type { BandwidthConnection, TorrentBandwidth } from '../torrent/torrentHost.ts'
import type { Millis } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'

export interface SessionBandwidthHost {
  readonly settings: Readonly<Settings>
  readonly clock: Clock
  readonly timers: Timers
  readonly stats: TransferStats
  /** The connections of all torrents that have some. */
  connectedTorrents(): Iterable<Swarm>
  onFault(cause: unknown): void
}

/** How often quota is handed out at least, whatever `tick_interval` says: libtorrent's interval when limits came into it. */
const MAX_INTERVAL_MS: Millis = 100

/**
 * The limits of the session (manual, set_upload_rate_limit and what follows it): for all, for peers of the local network,
 * and for those that come by TCP in mixed mode; and which of them apply to whom.
 */
export class SessionBandwidth implements TorrentBandwidth {
  readonly upload: BandwidthManager
  readonly download: BandwidthManager
  private readonly all: RateLimits
  private readonly local: RateLimits
  private readonly tcp: RateLimits

  constructor(private readonly host: SessionBandwidthHost) {
    const { settings, clock, timers } = host
    const managerHost: BandwidthManagerHost = {
      get bandwidthInterval() {
        return Math.min(MAX_INTERVAL_MS, settings.tickInterval)
      },
      now: () => clock.now(),
      after: (delay, callback) => timers.after(delay, callback),
      onFault: (cause) => host.onFault(cause),
    }
    this.upload = new BandwidthManager(managerHost)
    this.download = new BandwidthManager(managerHost)
    this.all = new RateLimits(this)
    this.local = new RateLimits(this)
    this.tcp = new RateLimits(this)
    this.onSettingsChanged()
  }

  now(): Millis {
    return this.host.clock.now()
  }

  /** The limits may have changed. */
  onSettingsChanged(): void {
    const { settings } = this.host
    this.all.set('upload', settings.uploadRateLimit)
    this.all.set('download', settings.downloadRateLimit)
    this.local.set('upload', settings.localUploadRateLimit)
    this.local.set('download', settings.localDownloadRateLimit)
    if (settings.mixedModeAlgorithm === BandwidthMixedAlgo.preferTcp) this.tcp.clear()
  }

  /** Limit over all peers that are not exempt, bytes a second; 0 for none. */
  limit(direction: Direction): number {
    return this.all.get(direction)
  }

  collectChannels(
    { isLocal, socketType }: BandwidthConnection,
    torrent: RateLimits,
    direction: Direction,
    into: BandwidthChannel[],
  ): void {
    const { ignoreLimitsOnLocalNetwork, rateLimitUtp } = this.host.settings
    if (isLocal && ignoreLimitsOnLocalNetwork) return this.local.collect(direction, into)
    const isUtp = isUtpSocket(socketType)
    if (!isUtp || rateLimitUtp) this.all.collect(direction, into)
    // What WebRTC does about congestion is not TCP's.
    if (!isUtp && socketType !== 'rtc') this.tcp.collect(direction, into)
    torrent.collect(direction, into)
  }

  /** Once a second, while there are connections. */
  tick(): void {
    const { settings, stats } = this.host
    if (settings.mixedModeAlgorithm !== BandwidthMixedAlgo.peerProportional) return
    const transferring = { upload: { tcp: 0, utp: 0 }, download: { tcp: 0, utp: 0 } }
    for (const { connections } of this.host.connectedTorrents()) {
      for (const peer of connections) {
        if (!peer.isReady || peer.isRtc) continue
        const kind = isUtpSocket(peer.socketType) ? 'utp' : 'tcp'
        for (const direction of DIRECTIONS) if (isTransferring(peer, direction)) transferring[direction][kind]++
      }
    }
    const rates = { upload: stats.uploadRate, download: stats.downloadRate }
    for (const direction of DIRECTIONS) {
      const { tcp, utp } = transferring[direction]
      this.tcp.set(direction, tcpLimit(direction, tcp, utp, rates[direction]))
    }
  }

  stop(): void {
    this.upload.stop()
    this.download.stop()
  }
}

/**
 * It would transfer more if it could. Unlike in libtorrent those count, too, that wait for quota: held back by the very
 * limit that is decided here, TCP would seem to want less and less.
 */
function isTransferring(peer: PeerConnection, direction: Direction): boolean {
  if (direction === 'download') return peer.download.requests.length > 1
  return peer.upload.requests.length > 0
}
