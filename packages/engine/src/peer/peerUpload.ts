import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import { BLOCK_SIZE_BYTES } from '../util/flavored.ts'
import { PIECE_HEADER_BYTES } from './blockSender.ts'
import type { PeerConnection } from './peerConnection.ts'
import type { PeerHost } from './peerHost.ts'
import { SendBudget } from './sendBudget.ts'
import { UploadQueue } from './uploadQueue.ts'

/** How often a choked peer gets each block of a piece granted to it, on average, before it is an abuser (libtorrent). */
const MAX_GRANTED_COPIES = 3

/** Invalid requests after which the peer is not worth talking to (libtorrent's number). */
const MAX_INVALID_REQUESTS = 300

/** Refusals forgiven each second, of those that a peer's own messages bring about. */
const FORGIVEN_REFUSALS = 300

export type PeerUploadHost = Pick<PeerHost, 'settings' | 'layout' | 'havePiece' | 'readBlock' | 'onPeerInvalidRequest'>

/** The sending half of a connection: what the peer asked for, and how much of it is on its way. */
export class PeerUpload {
  readonly requests = new UploadQueue()
  /** Pieces the peer may have while choked (BEP 6), with how often it asked; null until some were granted. */
  private granted: Map<number, number> | null = null
  isChoked = true
  /** Bytes asked of the disk that have not come back. */
  readingBytes = 0
  /** Requests refused while choked; the setting `max_rejects` ends that. */
  private rejectsInRow = 0
  /** Requests refused or taken back, beyond those forgiven. */
  private refusals = 0
  private readonly budget = new SendBudget()
  private invalidRequests = 0

  constructor(
    private readonly peer: PeerConnection,
    private readonly host: PeerUploadHost,
  ) {}

  /** Returns the error to close the connection with, or null. */
  onRequest(piece: number, begin: number, length: number): LibtorrentErrorCode | null {
    const { host } = this
    const { layout } = host
    // A peer may ask before we know the torrent's pieces only if it mistakes us for a seed.
    if (
      layout === null ||
      !layout.isInside(piece, begin, length) ||
      length > BLOCK_SIZE_BYTES ||
      !host.havePiece(piece)
    ) {
      host.onPeerInvalidRequest(this.peer, piece, begin, length)
      this.refuse(piece, begin, length)
      return ++this.invalidRequests > MAX_INVALID_REQUESTS ? 'invalidRequest' : null
    }
    if (this.isChoked) {
      const asked = this.granted?.get(piece)
      if (asked === undefined) return this.refuseChoked(piece, begin, length)
      if (asked >= MAX_GRANTED_COPIES * layout.blocksPerPiece) return 'tooManyRequestsWhenChoked'
      this.granted?.set(piece, asked + 1)
    }
    if (this.requests.length >= host.settings.maxAllowedInRequestQueue) {
      this.refuse(piece, begin, length)
      return null
    }
    this.rejectsInRow = 0
    this.requests.push(piece, begin, length)
    return null
  }

  /** Lets the peer have `piece` while it is choked. */
  grant(piece: number): void {
    this.granted ??= new Map()
    this.granted.set(piece, 0)
  }

  private refuseChoked(piece: number, begin: number, length: number): LibtorrentErrorCode | null {
    this.refuse(piece, begin, length)
    if (this.peer.isJustChoked) return null
    return ++this.rejectsInRow > this.host.settings.maxRejects ? 'tooManyRequestsWhenChoked' : null
  }

  onCancel(piece: number, begin: number, length: number): void {
    // With the fast extension every request is answered: the block if it is under way already, else a reject.
    if (!this.requests.remove(piece, begin, length)) return
    this.refuse(piece, begin, length)
    this.leaveIfIdle()
  }

  /** Quota for blocks that are wanted no more is for others. */
  private leaveIfIdle(): void {
    if (this.requests.length === 0) this.peer.bandwidth.upload.leave()
  }

  /**
   * Starts disk reads for the oldest requests, as many as the budget allows. Begins only when half of that has gone:
   * blocks are then asked of the disk many at a time, which costs it little more than one. A block is read when the
   * limits let it pass, and leaves whole: messages can then leave at any time.
   */
  pump(unsentBytes: number, uploadRate: number): void {
    const { requests } = this
    const ready = unsentBytes + this.readingBytes
    const budget = this.budget.bytes(ready, uploadRate, this.host.settings)
    if (ready > budget / 2) return
    while (requests.length > 0 && unsentBytes + this.readingBytes < budget) {
      const { firstPiece, firstBegin, firstLength } = requests
      const size = firstLength + PIECE_HEADER_BYTES
      if (this.peer.bandwidth.upload.take(size, size) === 0) return
      requests.shift()
      this.readingBytes += firstLength
      this.host.readBlock(this.peer, firstPiece, firstBegin, firstLength)
    }
    if (requests.length > 0) this.budget.exhausted()
  }

  /** Once a second. */
  tick(): void {
    this.budget.tick()
    this.refusals = Math.max(0, this.refusals - FORGIVEN_REFUSALS)
  }

  choke(): void {
    this.isChoked = true
    this.rejectsInRow = 0
    this.peer.writer.choke()
    const kept: number[] = []
    this.requests.drain((piece, begin, length) => {
      if (this.granted?.has(piece)) kept.push(piece, begin, length)
      else this.reject(piece, begin, length)
    })
    for (let i = 0; i < kept.length; i += 3) this.requests.push(kept[i], kept[i + 1], kept[i + 2])
    this.leaveIfIdle()
  }

  unchoke(): void {
    this.isChoked = false
    this.rejectsInRow = 0
    this.peer.writer.unchoke()
  }

  /** Answers everything still waiting with a reject: the torrent has nothing to give any more. */
  rejectAll(): void {
    this.requests.drain((piece, begin, length) => this.reject(piece, begin, length))
    this.leaveIfIdle()
  }

  /**
   * It asks for much more than it may have, or takes it back: our refusals, which do not wait for the upload limits, would
   * leave others nothing of them. Whoever keeps to our `reqq` never comes here.
   */
  get isFlooding(): boolean {
    return this.refusals > this.host.settings.maxAllowedInRequestQueue
  }

  private refuse(piece: number, begin: number, length: number): void {
    this.refusals++
    this.reject(piece, begin, length)
  }

  reject(piece: number, begin: number, length: number): void {
    if (this.peer.supportsFast) this.peer.writer.reject(piece, begin, length)
  }
}
