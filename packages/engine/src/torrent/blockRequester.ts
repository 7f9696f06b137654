import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import { PieceState } from '../picker/downloadingPiece.ts'
import { contiguousBlocks, PickerFlags, pickerFlags } from '../picker/pickerFlags.ts'
import type { MarkOptions, PiecePicker } from '../picker/piecePicker.ts'
import type { Settings } from '../settings/settings.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { Millis } from '../util/flavored.ts'
import { AutoSequential } from './autoSequential.ts'
import type { PeerNews } from './peerNews.ts'
import type { Swarm } from './swarm.ts'

export interface BlockRequesterHost {
  readonly settings: Readonly<Settings>
  readonly peerNews: PeerNews
  readonly layout: PieceLayout | null
  readonly picker: PiecePicker<TorrentPeer> | null
  readonly swarm: Swarm
  readonly isSequentialDownload: boolean
  /** False while paused, in upload mode, checking, or while nothing is wanted. */
  readonly isRequesting: boolean
  now(): Millis
}

/** A third of the fastest rate makes the next category down (libtorrent). */
const MEDIUM_RATE_BYTES = 30_000
const FAST_RATE_BYTES = 100_000

/** Decides how many blocks to ask of which peer, and asks. */
export class BlockRequester {
  private readonly picked: number[] = []
  private readonly autoSequential: AutoSequential

  constructor(private readonly host: BlockRequesterHost) {
    this.autoSequential = new AutoSequential(host)
  }

  /** Fills the peer's queue up to its target. Called when answers came, when it unchoked us, when pieces became free. */
  requestMore(peer: PeerConnection): void {
    const { picker, isRequesting } = this.host
    if (!isRequesting || picker === null || !peer.isReady || !peer.isInteresting) return
    if (peer.isPeerChoking && peer.allowedFast.size === 0) return
    const { download } = peer
    if (download.isHeld) return
    const outstanding = download.requests.length
    const limit = this.queueLimit(peer)
    const missing = limit - outstanding
    // Picking a few blocks at once costs hardly more than one: wait until an eighth of the queue is free.
    if (missing <= 0 || missing < limit >> 3) return
    this.pick(peer, picker, missing, outstanding)
  }

  private queueLimit(peer: PeerConnection): number {
    const { maxOutRequestQueue } = this.host.settings
    return Math.min(peer.download.targetQueueLength, maxOutRequestQueue, Math.max(1, peer.extensions.maxRequests))
  }

  private pick(peer: PeerConnection, picker: PiecePicker<TorrentPeer>, missing: number, outstanding: number): void {
    const { host, picked } = this
    const { settings } = host
    const entry = peer.entry as TorrentPeer
    const layout = host.layout as PieceLayout
    const flags = pickerFlags({
      sequentialDownload: host.isSequentialDownload || this.autoSequential.isOn,
      numHave: picker.numHave,
      initialPickerThreshold: settings.initialPickerThreshold,
      snubbed: peer.download.isSnubbed,
      onParole: entry.onParole && settings.useParoleMode,
      prioritizePartialPieces: settings.prioritizePartialPieces,
      pieceExtentAffinity: settings.pieceExtentAffinity,
    })
    const speed = speedCategory(peer.stats.downloadPayloadRate)
    const contiguous = entry.onParole ? layout.blocksPerPiece : this.contiguous(peer, layout)
    picker.pickPieces(this.reachable(peer), picked, missing, {
      peer: entry,
      flags,
      preferContiguousBlocks: contiguous,
      suggestedPieces: peer.suggested.pieces,
      numPeers: host.swarm.connections.size,
      speed,
      strictEndGameMode: settings.strictEndGameMode,
      outstandingRequests: outstanding,
    })
    const mark = {
      reverse: (flags & PickerFlags.reverse) !== 0,
      onParole: (flags & PickerFlags.onParole) !== 0,
      extentAffinity: (flags & PickerFlags.pieceExtentAffinity) !== 0,
      speed,
    }
    // More come back than were asked for when whole pieces are preferred; the queue's own limit still holds.
    const limit = Math.min(picked.length, Math.max(missing, settings.maxOutRequestQueue - outstanding))
    for (let i = 0; i < limit; i++) this.ask(peer, picker, picked[i], mark)
  }

  /** What our limits hold back is asked for a few blocks at a time, so that the peer sends it as evenly as we take it. */
  private contiguous(peer: PeerConnection, { pieceLength, blocksPerPiece }: PieceLayout): number {
    if (peer.bandwidth.isDownloadHeldBack) return 0
    const { wholePiecesThreshold } = this.host.settings
    return contiguousBlocks(peer.stats.downloadPayloadRate, wholePiecesThreshold * 1000, pieceLength, blocksPerPiece)
  }

  private ask(peer: PeerConnection, picker: PiecePicker<TorrentPeer>, blockId: number, mark: MarkOptions): void {
    // Its late answer may still come: the same block is not asked of the same peer twice.
    if (peer.download.hasReleased && peer.download.requests.has(blockId)) return
    if (!picker.markAsDownloading(blockId, peer.entry as TorrentPeer, mark)) return
    peer.request(blockId)
    this.host.peerNews.blockDownloading(peer, blockId)
  }

  /** The pieces that may be asked for now: while choked, only those the peer granted (BEP 6). */
  private reachable(peer: PeerConnection): Bitfield | 'all' {
    if (!peer.isPeerChoking) return peer.isSeed ? 'all' : peer.pieces
    const granted = new Bitfield(peer.pieces.size)
    for (const piece of peer.allowedFast) if (peer.pieces.get(piece)) granted.set(piece)
    return granted
  }
}

/** Peers of one category share pieces, so that a fast one does not wait for a slow one to complete its piece. */
function speedCategory(rate: number): PieceState {
  if (rate > FAST_RATE_BYTES) return PieceState.fast
  return rate > MEDIUM_RATE_BYTES ? PieceState.medium : PieceState.slow
}
