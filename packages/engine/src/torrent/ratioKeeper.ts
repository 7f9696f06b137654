import { ratioLimit } from '../bandwidth/ratioLimit.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Swarm } from './swarm.ts'

export interface RatioKeeperHost {
  readonly swarm: Swarm
  /** Every wanted piece is there. */
  readonly isFinished: boolean
}

/** While a torrent downloads, each peer may get as much as it gave, times the ratio (manual, set_ratio). */
export class RatioKeeper {
  private bytesForEach = 0

  constructor(private readonly host: RatioKeeperHost) {}

  /** `ratio`: bytes to upload for each that a peer gives; 0 for as many as it takes. */
  set(ratio: number): void {
    this.bytesForEach = ratio
    for (const peer of this.host.swarm.connections) this.apply(peer)
  }

  /** Once a second, and when a peer is unchoked. */
  apply({ bandwidth, stats }: PeerConnection): void {
    const { totalPayloadDownload, totalPayloadUpload, downloadPayloadRate } = stats
    const isBound = this.bytesForEach > 0 && !this.host.isFinished
    bandwidth.setRatioLimit(
      isBound ? ratioLimit(this.bytesForEach, totalPayloadDownload, totalPayloadUpload, downloadPayloadRate) : 0,
    )
  }
}
