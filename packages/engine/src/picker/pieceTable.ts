import type { Random } from '../platform/random.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { PieceIndex } from '../util/flavored.ts'
import { DownloadingPiece, DownloadQueue, PieceState } from './downloadingPiece.ts'
import { PriorityBuckets } from './priorityBuckets.ts'

/** The pieces and blocks of a torrent, as far as picking is concerned. */
export interface PickerLayout {
  readonly numPieces: number
  /** Blocks in every piece but the last: 1 to 32,767. */
  readonly blocksPerPiece: number
  readonly blocksInLastPiece: number
}

/** Priority of a piece or file nobody has set one for (manual, `piece_priority()`). */
export const DEFAULT_PRIORITY = 1
/** The highest priority: such a piece comes before every other, however rare those are. */
export const TOP_PRIORITY = 7

/** Whether and how a piece takes part in picking. */
export const Pickable = {
  /** Untouched. */
  open: 0,
  /** In progress, with free blocks. */
  partial: 1,
  /** The same, and requested from peers in reverse order only. */
  reversePartial: 2,
  /** In progress, but nothing of it may be picked: no free block, locked, or priority 0. */
  closed: 3,
} as const
export type Pickable = (typeof Pickable)[keyof typeof Pickable]

/** Keys 0 to 2 belong to pieces of the top priority; the key of any other is 3 or more. */
const LAST_TOP_PRIORITY_KEY = 2

/**
 * What is known of every piece: availability, priority, whether we have it, and its blocks while it is in progress;
 * and from these the order in which pieces are picked. Everything is kept up to date piece by piece; only when many
 * pieces change at once the order is marked dirty and built anew before the next pick.
 */
export class PieceTable<P extends object> {
  readonly have: Bitfield
  /** Position of the first piece that is wanted and not had, or `numPieces`. */
  cursor = 0
  /** One past the last piece that is wanted and not had, or 0. */
  reverseCursor: number
  readonly priority: Uint8Array
  readonly pickable: Uint8Array
  /** Peers that have each piece, not counting `seeds`. */
  readonly peerCount: Uint16Array
  /** Peers that have everything and are counted here, not in `peerCount`. */
  seeds = 0
  /** Pieces of priority 0 that we do not have, and that we have. */
  numFiltered = 0
  numHaveFiltered = 0
  /** Pieces in progress, by queue. */
  readonly queues: readonly DownloadingPiece<P>[][] = [[], [], [], []]
  private readonly buckets: PriorityBuckets
  private dirty = true
  /** Pieces in `peerCount` at 0: without them a seed that comes or goes changes nothing in the order. */
  private numWithoutPeers: number
  private readonly inProgress = new Map<PieceIndex, DownloadingPiece<P>>()
  private readonly spare: DownloadingPiece<P>[] = []

  constructor(
    readonly layout: PickerLayout,
    random: Random,
  ) {
    const { numPieces } = layout
    this.have = new Bitfield(numPieces)
    this.reverseCursor = numPieces
    this.priority = new Uint8Array(numPieces).fill(DEFAULT_PRIORITY)
    this.pickable = new Uint8Array(numPieces)
    this.peerCount = new Uint16Array(numPieces)
    this.numWithoutPeers = numPieces
    this.buckets = new PriorityBuckets(numPieces, random)
  }

  blocksIn(piece: PieceIndex): number {
    return piece === this.layout.numPieces - 1 ? this.layout.blocksInLastPiece : this.layout.blocksPerPiece
  }

  isWanted(piece: PieceIndex): boolean {
    return this.priority[piece] > 0 && !this.have.get(piece)
  }

  get numWantLeft(): number {
    return this.layout.numPieces - this.have.count - this.numFiltered
  }

  /** Pieces in the order to pick them, rarest first; built anew if it must be. */
  get order(): PriorityBuckets {
    if (this.dirty) {
      this.buckets.rebuild((piece) => this.keyOf(piece))
      this.dirty = false
    }
    return this.buckets
  }

  /** How many of the pieces in `order`, from the front, have the top priority. */
  get numTopPriority(): number {
    return this.order.endOf(LAST_TOP_PRIORITY_KEY)
  }

  /** Whether `piece` is among `order`. */
  isInOrder(piece: PieceIndex): boolean {
    return this.keyOf(piece) >= 0
  }

  // Availability

  incPeerCount(piece: PieceIndex): void {
    const before = this.keyBefore(piece)
    if (this.peerCount[piece]++ === 0) this.numWithoutPeers--
    this.reorder(piece, before)
  }

  decPeerCount(piece: PieceIndex): void {
    if (this.peerCount[piece] === 0) this.breakOneSeed(piece)
    const before = this.keyBefore(piece)
    if (--this.peerCount[piece] === 0) this.numWithoutPeers++
    this.reorder(piece, before)
  }

  /** Adds `step`, 1 or -1, for each piece in `bits`. The few bits of a new peer are not worth a rebuild. */
  changePeerCounts(bits: Bitfield, step: 1 | -1): void {
    if (bits.count > Math.min(50, this.layout.numPieces / 2)) this.dirty = true
    if (step > 0) bits.forEachSet((piece) => this.incPeerCount(piece))
    else bits.forEachSet((piece) => this.decPeerCount(piece))
  }

  addSeed(): void {
    this.seeds++
    if (this.seeds === 1 && this.numWithoutPeers > 0) this.dirty = true
  }

  /** A peer that has everything is gone, however its pieces were counted. */
  removeSeed(): void {
    if (this.seeds > 0) {
      this.seeds--
      if (this.seeds === 0 && this.numWithoutPeers > 0) this.dirty = true
      return
    }
    this.dirty = true
    for (let piece = 0; piece < this.layout.numPieces; piece++) this.decPeerCount(piece)
  }

  // Having and wanting

  setHave(piece: PieceIndex): void {
    if (this.have.get(piece)) return
    const before = this.keyBefore(piece)
    const running = this.inProgress.get(piece)
    if (running !== undefined) this.close(running)
    this.have.set(piece)
    if (this.priority[piece] === 0) {
      this.numFiltered--
      this.numHaveFiltered++
    }
    this.reorder(piece, before)
    this.advanceCursors()
  }

  /** We have every piece: nothing is in progress, nothing left to pick. */
  setHaveAll(): void {
    for (const running of [...this.inProgress.values()]) this.close(running)
    this.have.setAll()
    this.numHaveFiltered += this.numFiltered
    this.numFiltered = 0
    this.dirty = true
    this.advanceCursors()
  }

  /** Of `bits` we have every piece. */
  setHaveBits(bits: Bitfield): void {
    this.dirty = true
    bits.forEachSet((piece) => this.setHave(piece))
  }

  clearHave(piece: PieceIndex): void {
    const before = this.keyBefore(piece)
    const running = this.inProgress.get(piece)
    if (running !== undefined) this.close(running)
    if (this.have.get(piece)) {
      this.have.clear(piece)
      if (this.priority[piece] === 0) {
        this.numFiltered++
        this.numHaveFiltered--
      } else this.widenCursors(piece)
    }
    this.reorder(piece, before)
  }

  setPriority(piece: PieceIndex, priority: number): void {
    const old = this.priority[piece]
    if (old === priority) return
    const before = this.keyBefore(piece)
    const has = this.have.get(piece)
    this.priority[piece] = priority
    if (priority === 0) {
      if (has) this.numHaveFiltered++
      else this.numFiltered++
    } else if (old === 0) {
      if (has) this.numHaveFiltered--
      else this.numFiltered--
      if (!has) this.widenCursors(piece)
    }
    const running = this.inProgress.get(piece)
    if (running !== undefined) this.classify(running)
    this.reorder(piece, before)
    if (priority === 0) this.advanceCursors()
  }

  setPriorities(priorities: ArrayLike<number>): void {
    this.dirty = true
    for (let piece = 0; piece < this.layout.numPieces; piece++) this.setPriority(piece, priorities[piece])
  }

  // Pieces in progress

  inProgressOf(piece: PieceIndex): DownloadingPiece<P> | undefined {
    return this.inProgress.get(piece)
  }

  allInProgress(): IterableIterator<DownloadingPiece<P>> {
    return this.inProgress.values()
  }

  get numInProgress(): number {
    return this.inProgress.size
  }

  /** The piece's blocks, as of now in progress. Follow changes to them with `settle`. */
  open(piece: PieceIndex): DownloadingPiece<P> {
    let running = this.inProgress.get(piece)
    if (running !== undefined) return running
    running = this.spare.pop() ?? new DownloadingPiece<P>(this.layout.blocksPerPiece)
    running.reset(piece, this.blocksIn(piece))
    this.inProgress.set(piece, running)
    this.enqueue(running, DownloadQueue.downloading)
    return running
  }

  /** The blocks of a piece have changed: moves it to the queue and place where it now belongs. */
  settle(running: DownloadingPiece<P>): void {
    if (running.requested === 0) {
      running.speed = PieceState.none
      if (running.writing + running.finished === 0 && !running.locked) {
        this.drop(running)
        return
      }
    }
    const before = this.keyBefore(running.piece)
    this.classify(running)
    this.reorder(running.piece, before)
  }

  /** The piece is as if it had never been touched. */
  drop(running: DownloadingPiece<P>): void {
    const before = this.keyBefore(running.piece)
    this.close(running)
    this.reorder(running.piece, before)
  }

  /** Leaves the place in the order to the caller. */
  private close(running: DownloadingPiece<P>): void {
    this.dequeue(running)
    this.inProgress.delete(running.piece)
    this.spare.push(running)
    this.pickable[running.piece] = Pickable.open
  }

  private classify(running: DownloadingPiece<P>): void {
    let queue: DownloadQueue = DownloadQueue.downloading
    if (this.priority[running.piece] === 0) queue = DownloadQueue.zeroPriority
    else if (running.free === 0) queue = running.requested > 0 ? DownloadQueue.full : DownloadQueue.finished
    if (queue !== running.queue) {
      this.dequeue(running)
      this.enqueue(running, queue)
    }
    if (queue !== DownloadQueue.downloading || running.locked) this.pickable[running.piece] = Pickable.closed
    else this.pickable[running.piece] = running.reverse ? Pickable.reversePartial : Pickable.partial
  }

  private enqueue(running: DownloadingPiece<P>, queue: DownloadQueue): void {
    const list = this.queues[queue]
    running.queue = queue
    running.queueIndex = list.length
    list.push(running)
  }

  private dequeue(running: DownloadingPiece<P>): void {
    const list = this.queues[running.queue]
    const last = list.pop() as DownloadingPiece<P>
    if (last === running) return
    list[running.queueIndex] = last
    last.queueIndex = running.queueIndex
  }

  // Order

  /**
   * Place of a piece in the order of picking, lower is earlier; -1 when it cannot be picked from any peer.
   * (availability + 1) * (8 - priority) * 3, less 3 in progress, 2 untouched, 1 in progress by reverse peers only; the
   * availability leaves seeds out, as they add the same to every piece. That is libtorrent's order, but for the
   * top priority, where the manual wants availability disregarded.
   */
  private keyOf(piece: PieceIndex): number {
    const priority = this.priority[piece]
    const peers = this.peerCount[piece]
    const pickable = this.pickable[piece]
    if (priority === 0 || pickable === Pickable.closed || (peers === 0 && this.seeds === 0)) return -1
    if (this.have.get(piece)) return -1
    const rank = pickable === Pickable.partial ? 0 : pickable === Pickable.open ? 1 : 2
    if (priority === TOP_PRIORITY) return rank
    return (peers + 1) * (8 - priority) * 3 - 3 + rank
  }

  /** What `reorder` has to know; nothing while the order is to be built anew anyway. */
  private keyBefore(piece: PieceIndex): number {
    return this.dirty ? -1 : this.keyOf(piece)
  }

  private reorder(piece: PieceIndex, before: number): void {
    if (this.dirty) return
    const after = this.keyOf(piece)
    if (after === before) return
    if (before < 0) this.buckets.add(piece, after)
    else if (after < 0) this.buckets.remove(piece, before)
    else this.buckets.move(piece, before, after)
  }

  /**
   * A peer counted as a seed has lost a piece: from now on it is counted piece by piece.
   * @throws Error when no seed is counted: the caller takes away what it never added.
   */
  private breakOneSeed(piece: PieceIndex): void {
    if (this.seeds === 0) throw new Error(`no peer is counted as having piece ${piece}`)
    this.seeds--
    for (let each = 0; each < this.layout.numPieces; each++) this.peerCount[each]++
    this.numWithoutPeers = 0
    this.dirty = true
  }

  private advanceCursors(): void {
    const { numPieces } = this.layout
    while (this.cursor < numPieces && !this.isWanted(this.cursor)) this.cursor++
    while (this.reverseCursor > 0 && !this.isWanted(this.reverseCursor - 1)) this.reverseCursor--
  }

  private widenCursors(piece: PieceIndex): void {
    if (piece < this.cursor) this.cursor = piece
    if (piece >= this.reverseCursor) this.reverseCursor = piece + 1
  }
}
