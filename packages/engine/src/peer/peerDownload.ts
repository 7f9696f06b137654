import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import { copyToShared } from '../util/copyToShared.ts'
import { BLOCK_SIZE_BYTES, type Millis, type SlotIndex } from '../util/flavored.ts'
import type { PeerConnection } from './peerConnection.ts'
import type { PeerHost } from './peerHost.ts'
import { RequestQueue } from './requestQueue.ts'

/** Requests a new connection starts with, before its rate is known. */
const FIRST_QUEUE_SIZE = 4
/** The queue never shrinks below this, so that one request is always on its way. */
const MIN_QUEUE_SIZE = 2
/** Growth per second below which a connection counts as having found its rate (libtorrent's slow start). */
const SLOW_START_MIN_GROWTH_BYTES = 5000

export type PeerDownloadHost = Pick<
  PeerHost,
  'pool' | 'isDiskCongested' | 'layout' | 'wantsBlock' | 'onPeerBlock' | 'onPeerUnsnubbed' | 'onPeerRedundantBytes'
>

/** The receiving half of a connection: what was asked of the peer, and the block that is arriving. */
export class PeerDownload {
  readonly requests = new RequestQueue()
  /** Requests to keep outstanding, from the rate the peer delivers at. */
  targetQueueLength = FIRST_QUEUE_SIZE
  /** The peer owes us blocks and has sent none for `request_timeout`. */
  isSnubbed = false
  /** Some of its requests were given to others, so that the picker may offer it those again. */
  hasReleased = false
  /** It refused a request: nothing more is asked of it until the next second. */
  isHeld = false
  /** When something was last asked, 0 for never. */
  lastAsked: Millis = 0
  /** When the last block arrived, or the first request of an empty queue was sent. */
  lastProgress: Millis = 0
  private slowStart = true
  private lastRate = 0

  private arriving = -1
  /** Block id the arriving message answers, wanted or not; -1 for a part of a block, which answers nothing. */
  private answering = -1
  private slot: SlotIndex = -1
  /** Bytes of the arriving block that are in `slot`. */
  private filled = 0

  constructor(
    private readonly peer: PeerConnection,
    private readonly host: PeerDownloadHost,
  ) {}

  /** Block id of the block whose bytes are arriving, or -1. */
  get arrivingBlock(): number {
    return this.arriving
  }

  /** Bytes of that block that have arrived. */
  get arrivingBytes(): number {
    return this.slot === -1 ? 0 : this.filled
  }

  /** A piece message begins. `later`: there is no slot for it now. */
  begin(piece: number, begin: number, length: number): 'taken' | 'later' | LibtorrentErrorCode {
    const { layout, pool } = this.host
    if (layout === null || !layout.isInside(piece, begin, length)) return 'invalidPiece'
    if (length > BLOCK_SIZE_BYTES) return 'invalidPieceSize'
    this.arriving = -1
    this.answering = -1
    this.slot = -1
    if (!layout.isBlock(piece, begin, length)) return 'taken'
    const blockId = layout.blockId(piece, begin / BLOCK_SIZE_BYTES)
    this.answering = blockId
    if (!this.requests.has(blockId) || !this.host.wantsBlock(this.peer, blockId)) return 'taken'
    const slot = this.host.isDiskCongested ? -1 : pool.acquire()
    if (slot === -1) return 'later'
    this.slot = slot
    this.filled = 0
    this.arriving = blockId
    return 'taken'
  }

  bytes(chunk: Uint8Array, from: number, to: number, offset: number): void {
    if (this.slot === -1) {
      this.host.onPeerRedundantBytes(this.peer, to - from)
      return
    }
    this.filled = offset + to - from
    const part = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to)
    copyToShared(this.host.pool.bytes(this.slot), offset, part)
  }

  /** The message is complete: the request it answers is no longer outstanding, even when the block was not wanted. */
  end(now: Millis): void {
    if (this.answering !== -1 && this.requests.remove(this.answering)) {
      this.lastProgress = now
      if (this.isSnubbed) {
        this.isSnubbed = false
        this.host.onPeerUnsnubbed(this.peer)
      }
      if (this.slowStart) this.targetQueueLength++
    }
    const { slot, arriving } = this
    this.slot = -1
    this.arriving = -1
    if (slot !== -1) this.host.onPeerBlock(this.peer, arriving, slot)
  }

  /** Gives back the slot of a block that will not be completed. */
  abandonArriving(): void {
    if (this.slot === -1) return
    this.host.pool.release(this.slot)
    this.host.onPeerRedundantBytes(this.peer, this.filled)
    this.slot = -1
    this.arriving = -1
  }

  asked(blockId: number, now: Millis): void {
    this.lastAsked = now
    if (this.requests.length === 0) this.lastProgress = now
    this.requests.push(blockId, now)
  }

  /** The peer was not listened to from `since` until `now`: that is no silence of its. */
  notListened(since: Millis, now: Millis): void {
    if (this.requests.length > 0) this.lastProgress += now - Math.max(since, this.lastProgress)
  }

  /** No answer for `request_timeout`: one request at a time until it delivers again. */
  snub(): void {
    this.isSnubbed = true
    this.slowStart = false
    this.targetQueueLength = 1
  }

  /**
   * Once a second: as many requests as the peer answers in `queueTimeSeconds` at its current rate,
   * within what it accepts (its `reqq`) and the setting `max_out_request_queue`.
   */
  updateTarget(rateBytes: number, queueTimeSeconds: number, limit: number): void {
    if (this.isSnubbed) return
    // There is no rate to be found that is not ours; more requests would only fill the buffers of both systems.
    if (this.peer.bandwidth.isDownloadHeldBack) this.slowStart = false
    if (this.slowStart) {
      if (this.lastRate > 0 && rateBytes < this.lastRate + SLOW_START_MIN_GROWTH_BYTES) this.slowStart = false
      this.lastRate = rateBytes
    }
    const byRate = Math.ceil((rateBytes * queueTimeSeconds) / BLOCK_SIZE_BYTES)
    const wanted = this.slowStart ? Math.max(this.targetQueueLength, byRate) : byRate
    this.targetQueueLength = Math.max(MIN_QUEUE_SIZE, Math.min(limit, wanted))
  }
}
