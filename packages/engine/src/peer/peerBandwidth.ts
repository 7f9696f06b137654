import { isLocal } from '../address/classify.ts'
import type { BandwidthChannel } from '../bandwidth/bandwidthChannel.ts'
import { BandwidthUser, type BandwidthUserHost } from '../bandwidth/bandwidthUser.ts'
import type { Direction } from '../bandwidth/direction.ts'
import { type BandwidthManagers, RateLimits } from '../bandwidth/rateLimits.ts'
import { BLOCK_SIZE_BYTES, type Millis } from '../util/flavored.ts'
import { PIECE_HEADER_BYTES } from './blockSender.ts'
import type { PeerConnection } from './peerConnection.ts'

/**
 * Quota is asked for ahead for so long at the present rate, which follows the real one by seconds, and for a block more: a
 * peer that could be quicker gets on to its share, and one that is not holds little that others could use.
 */
const AHEAD_S = 0.5
/** What a request comes to. */
const REQUEST_BYTES = BLOCK_SIZE_BYTES + PIECE_HEADER_BYTES
/** A connection that waited for quota is taken to be held back by the limits for so long. */
const HELD_BACK_MS: Millis = 5000

/** What the limits of one connection need of its torrent and session. */
export interface PeerBandwidthHost {
  readonly bandwidth: BandwidthManagers
  /** Weight of the torrent's peers among those of others, at least 1. */
  readonly bandwidthPriority: number
  /** Adds the channels of the session and the torrent that apply to `peer`. */
  collectChannels(peer: PeerConnection, direction: Direction, into: BandwidthChannel[]): void
}

/** A connection before the limits that apply to it, and those that are its own. */
export class PeerBandwidth {
  readonly upload: BandwidthUser
  readonly download: BandwidthUser
  /** On a private network, or on this machine. */
  readonly isLocal: boolean
  private readonly own: RateLimits
  /** What the user set, bytes a second; 0 for none. */
  private readonly set = { upload: 0, download: 0 }
  /** What `set_ratio` leaves it; 0 for no limit. */
  private byRatio = 0

  constructor(
    private readonly peer: PeerConnection,
    private readonly host: PeerBandwidthHost,
  ) {
    this.isLocal = isLocal(peer.remote.address)
    this.own = new RateLimits(host.bandwidth)
    this.upload = new BandwidthUser(host.bandwidth.upload, new PeerDirection(this, 'upload'))
    this.download = new BandwidthUser(host.bandwidth.download, new PeerDirection(this, 'download'))
  }

  /** It is our limits that decide how fast the peer may send. */
  get isDownloadHeldBack(): boolean {
    return this.host.bandwidth.now() - this.download.lastWait < HELD_BACK_MS
  }

  get priority(): number {
    return this.host.bandwidthPriority
  }

  /** Bytes a second, 0 for none. */
  limit(direction: Direction): number {
    return this.set[direction]
  }

  /** `limit`: bytes a second; 0, or less, for none. */
  setLimit(direction: Direction, limit: number): void {
    this.set[direction] = Math.max(0, limit)
    this.apply(direction)
  }

  /** What `ratioLimit` says; 0 for no limit. */
  setRatioLimit(limit: number): void {
    if (this.byRatio === limit) return
    this.byRatio = limit
    this.apply('upload')
  }

  private apply(direction: Direction): void {
    const limits = direction === 'upload' ? [this.set.upload, this.byRatio] : [this.set.download]
    const given = limits.filter((limit) => limit > 0)
    this.own.set(direction, given.length === 0 ? 0 : Math.min(...given))
  }

  /** The connection is over. */
  end(): void {
    this.upload.leave()
    this.download.leave()
    this.own.clear()
  }

  /** @internal of its two directions */
  collect(direction: Direction, into: BandwidthChannel[]): void {
    this.host.collectChannels(this.peer, direction, into)
    this.own.collect(direction, into)
  }

  /** @internal of its two directions */
  ahead(direction: Direction): number {
    const { stats, upload, download } = this.peer
    const isUpload = direction === 'upload'
    const requests = isUpload ? upload.requests.length : download.requests.length
    const rate = isUpload ? stats.uploadPayloadRate : stats.downloadPayloadRate
    return Math.min(AHEAD_S * rate + REQUEST_BYTES, requests * REQUEST_BYTES)
  }

  /** @internal of its two directions */
  onQuota(direction: Direction): void {
    if (direction === 'upload') this.peer.onUploadQuota()
    else this.peer.onDownloadQuota()
  }
}

class PeerDirection implements BandwidthUserHost {
  constructor(
    private readonly owner: PeerBandwidth,
    private readonly direction: Direction,
  ) {}

  get bandwidthPriority(): number {
    return this.owner.priority
  }

  get bandwidthAhead(): number {
    return this.owner.ahead(this.direction)
  }

  collectChannels(into: BandwidthChannel[]): void {
    this.owner.collect(this.direction, into)
  }

  onQuota(): void {
    this.owner.onQuota(this.direction)
  }
}
