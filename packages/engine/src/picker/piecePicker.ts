import type { Random } from '../platform/random.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { BlockIndex, PieceIndex } from '../util/flavored.ts'
import { BlockPick, type PickOptions } from './blockPick.ts'
import { type DistributedCopies, distributedCopies } from './distributedCopies.ts'
import { BlockState, type DownloadingPiece, DownloadQueue, PieceState } from './downloadingPiece.ts'
import { type PickerLayout, PieceTable } from './pieceTable.ts'
import { RecentExtents } from './recentExtents.ts'

/** A block of a piece in progress, as `get_download_queue()` shows it (manual, `block_info`). */
export interface BlockInfo<P> {
  readonly state: BlockState
  /** Who it was last requested or received from, null when not known (any more). */
  readonly peer: P | null
  /** Bytes received: all or nothing here; the caller knows of blocks on their way. */
  readonly bytesProgress: number
  readonly blockSize: number
  /** Peers that have an unanswered request for it. */
  readonly numPeers: number
}

/** A piece in progress (manual, `partial_piece_info`). */
export interface PartialPieceInfo<P> {
  readonly pieceIndex: PieceIndex
  readonly blocksInPiece: number
  readonly finished: number
  readonly writing: number
  readonly requested: number
  readonly blocks: readonly BlockInfo<P>[]
  readonly pieceState: PieceState
}

/**
 * Decides which blocks to ask a peer for, and keeps what that takes: which pieces we have and want, how many peers
 * have each, and the state of every block of the pieces in progress. libtorrent's `piece_picker`.
 *
 * `P` is what stands for a peer: the entry of the peer list, which outlives the connection, compared by identity.
 * A block is named by one number, `blockId(piece, block)`; the last piece being shorter leaves some numbers unused.
 *
 * Whether a peer is interesting is counted by the caller as bits come in: it is while it has a piece that `isWanted`.
 *
 * Costs: a pick is about proportional to the blocks it returns; a HAVE, a block, a piece gained move one piece in an
 * ordered array; a seed that comes or goes is a counter. Only bitfields and bulk changes cost O(pieces), once each,
 * at the next pick.
 */
export class PiecePicker<P extends object> {
  private readonly table: PieceTable<P>
  private readonly picking: BlockPick<P>
  private readonly blocksPerPiece: number
  private readonly extents: RecentExtents<P>

  /** Nothing had, everything wanted, no peer. The layout is taken as valid: at most 2,097,152 pieces. */
  constructor(
    readonly layout: PickerLayout,
    random: Random,
  ) {
    this.table = new PieceTable(layout, random)
    this.extents = new RecentExtents(this.table)
    this.picking = new BlockPick(this.table, this.extents, random)
    this.blocksPerPiece = layout.blocksPerPiece
  }

  // Blocks by number

  blockId(piece: PieceIndex, block: BlockIndex): number {
    return piece * this.blocksPerPiece + block
  }

  pieceOf(blockId: number): PieceIndex {
    return Math.floor(blockId / this.blocksPerPiece)
  }

  /** Index of the block inside its piece. */
  blockOf(blockId: number): BlockIndex {
    return blockId % this.blocksPerPiece
  }

  blocksInPiece(piece: PieceIndex): number {
    return this.table.blocksIn(piece)
  }

  // Availability

  /** One more peer has `piece`: it sent HAVE. */
  incRefcount(piece: PieceIndex): void {
    this.table.incPeerCount(piece)
  }

  /**
   * A peer has `piece` no more (BEP 54), or is gone.
   * @throws Error when no peer is counted as having it.
   */
  decRefcount(piece: PieceIndex): void {
    this.table.decPeerCount(piece)
  }

  /** A peer with every piece has come. It may go by `decRefcountBits` as well. */
  incRefcountAll(): void {
    this.table.addSeed()
  }

  /** A peer with every piece is gone, also when it came with fewer and was counted piece by piece. */
  decRefcountAll(): void {
    this.table.removeSeed()
  }

  /** A peer has sent its bitfield. */
  incRefcountBits(bits: Bitfield): void {
    if (bits.isAllSet) this.table.addSeed()
    else this.table.changePeerCounts(bits, 1)
  }

  /** A peer with these pieces is gone. */
  decRefcountBits(bits: Bitfield): void {
    if (bits.isAllSet) this.table.removeSeed()
    else this.table.changePeerCounts(bits, -1)
  }

  /** How many connected peers have `piece`. */
  availability(piece: PieceIndex): number {
    return this.table.peerCount[piece] + this.table.seeds
  }

  /** How many connected peers have each piece. */
  pieceAvailability(): number[] {
    return Array.from(this.table.peerCount, (count) => count + this.table.seeds)
  }

  /** Copies of the torrent among the peers and us. */
  distributedCopies(): DistributedCopies {
    return distributedCopies(this.table.peerCount, this.table.seeds, this.table.have)
  }

  // What we have

  /** The pieces we have. A view: change it only through the picker. */
  get have(): Bitfield {
    return this.table.have
  }

  havePiece(piece: PieceIndex): boolean {
    return this.table.have.get(piece)
  }

  /** We have the piece: it passed the hash check. Its blocks are forgotten. */
  weHave(piece: PieceIndex): void {
    this.table.setHave(piece)
  }

  /** We have these pieces: as `weHave` for each. */
  weHaveBits(bits: Bitfield): void {
    this.table.setHaveBits(bits)
  }

  weHaveAll(): void {
    this.table.setHaveAll()
  }

  /** The piece turned out to be bad, or gone from the disk: it is as if it had never been touched. */
  weDontHave(piece: PieceIndex): void {
    this.table.clearHave(piece)
  }

  get numPieces(): number {
    return this.layout.numPieces
  }

  get numHave(): number {
    return this.table.have.count
  }

  /** Pieces of a priority above 0, had or not. */
  get numWanted(): number {
    return this.layout.numPieces - this.table.numFiltered - this.table.numHaveFiltered
  }

  /** Pieces of a priority above 0 that we do not have. */
  get numWantLeft(): number {
    return this.table.numWantLeft
  }

  /** Pieces of priority 0 that we do not have. */
  get numFiltered(): number {
    return this.table.numFiltered
  }

  /** Pieces of priority 0 that we have. */
  get numHaveFiltered(): number {
    return this.table.numHaveFiltered
  }

  /** Every wanted piece is had. */
  get isFinished(): boolean {
    return this.table.numWantLeft === 0
  }

  /** Every piece is had. */
  get isSeeding(): boolean {
    return this.table.have.isAllSet
  }

  /** Whether the piece is to be downloaded: not had, priority above 0. Constant time. */
  isWanted(piece: PieceIndex): boolean {
    return this.table.isWanted(piece)
  }

  /** Whether a peer with these pieces has one that is wanted. Looks through them all until one is found. */
  hasWantedPiece(peerHas: Bitfield | 'all'): boolean {
    if (this.isFinished) return false
    if (peerHas === 'all') return true
    for (let piece = this.table.cursor; piece < this.table.reverseCursor; piece++) {
      if (peerHas.get(piece) && this.table.isWanted(piece)) return true
    }
    return false
  }

  /** The first piece that is wanted and not had; `numPieces` when there is none. */
  get cursor(): PieceIndex {
    return this.table.cursor
  }

  /** One past the last piece that is wanted and not had; 0 when there is none. */
  get reverseCursor(): PieceIndex {
    return this.table.reverseCursor
  }

  // Priorities

  /**
   * `priority` is 0 to 7 (manual, `piece_priority()`): 0 is not downloaded, 7 comes before all others, in between the
   * priority weighs against rarity. Blocks already asked for stay so. True when the piece became wanted or unwanted.
   */
  setPiecePriority(piece: PieceIndex, priority: number): boolean {
    const changed = (this.table.priority[piece] === 0) !== (priority === 0)
    this.table.setPriority(piece, priority)
    return changed
  }

  /** One priority per piece. */
  setPiecePriorities(priorities: ArrayLike<number>): void {
    this.table.setPriorities(priorities)
  }

  piecePriority(piece: PieceIndex): number {
    return this.table.priority[piece]
  }

  piecePriorities(): number[] {
    return Array.from(this.table.priority)
  }

  // Picking

  /**
   * Puts into `out`, in place of what it holds, blocks to request from a peer that has the pieces `peerHas`, best
   * first, and returns how many. About `numBlocks`: more when whole pieces are preferred, fewer when there are none.
   *
   * They are free blocks, each once. Only if there is none may there be a single block others were asked for
   * (`numPeers(id) > 0`): end game.
   *
   * Nothing is marked: call `markAsDownloading` for each that is requested before picking again.
   */
  pickPieces(peerHas: Bitfield | 'all', out: number[], numBlocks: number, options: PickOptions<P>): number {
    return this.picking.run(peerHas, out, numBlocks, options)
  }

  // What happens to blocks

  /**
   * The block is being requested from `peer`. False, and nothing changes, when it is downloaded already or this peer
   * was asked for it before.
   */
  markAsDownloading(blockId: number, peer: P, options: MarkOptions = {}): boolean {
    const piece = this.pieceOf(blockId)
    if (this.table.have.get(piece)) return false
    const known = this.table.inProgressOf(piece)
    const running = known ?? this.table.open(piece)
    const wasIdle = running.requested === 0
    if (!running.request(this.blockOf(blockId), peer)) return false
    if (known === undefined && options.extentAffinity) this.extents.record(piece)
    const reverse = options.reverse ?? false
    if (known === undefined || wasIdle || !reverse) running.reverse = reverse
    if (wasIdle) running.speed = options.speed ?? PieceState.none
    if (options.onParole) running.parolePeer = peer
    else if (running.parolePeer === peer) running.parolePeer = null
    this.table.settle(running)
    return true
  }

  /**
   * The block has arrived, from `peer` if known, and is being written. It counts as requested from nobody now.
   * False when it was downloaded already.
   */
  markAsWriting(blockId: number, peer: P | null): boolean {
    const piece = this.pieceOf(blockId)
    if (this.table.have.get(piece)) return false
    const running = this.table.open(piece)
    const changed = running.write(this.blockOf(blockId), peer)
    this.table.settle(running)
    return changed
  }

  /** The block is on disk: written just now, or found there. `peer` null keeps the one `markAsWriting` named. */
  markAsFinished(blockId: number, peer: P | null): void {
    const piece = this.pieceOf(blockId)
    if (this.table.have.get(piece)) return
    const running = this.table.open(piece)
    running.finish(this.blockOf(blockId), peer)
    this.table.settle(running)
  }

  /**
   * The block could not be written: it is free again, but its piece is locked until `unlockPiece` or `restorePiece`,
   * so that nothing is asked for that cannot be stored.
   */
  writeFailed(blockId: number): void {
    const running = this.table.inProgressOf(this.pieceOf(blockId))
    const block = this.blockOf(blockId)
    if (running === undefined || running.states[block] !== BlockState.writing) return
    running.locked = true
    running.toNone(block)
    this.table.settle(running)
  }

  /**
   * The request to `peer` is cancelled, rejected or lost. The block is free unless others were asked for it too.
   * Does nothing when the block is not requested from this peer.
   */
  abortDownload(blockId: number, peer: P): void {
    const running = this.table.inProgressOf(this.pieceOf(blockId))
    if (running?.abort(this.blockOf(blockId), peer)) this.table.settle(running)
  }

  /**
   * The piece failed its hash check: all its blocks, or those given, are free again, and it is unlocked. Of the blocks
   * given, those that are requested stay so.
   */
  restorePiece(piece: PieceIndex, blocks?: readonly BlockIndex[]): void {
    const running = this.table.inProgressOf(piece)
    if (running === undefined) return
    if (blocks === undefined) {
      this.table.drop(running)
      return
    }
    running.locked = false
    for (const block of blocks) if (running.states[block] >= BlockState.writing) running.toNone(block)
    this.table.settle(running)
  }

  /** Nothing is picked from the piece until `unlockPiece` or `restorePiece`. Only for pieces in progress. */
  lockPiece(piece: PieceIndex): void {
    const running = this.table.inProgressOf(piece)
    if (running === undefined) return
    running.locked = true
    this.table.settle(running)
  }

  unlockPiece(piece: PieceIndex): void {
    const running = this.table.inProgressOf(piece)
    if (running === undefined) return
    running.locked = false
    this.table.settle(running)
  }

  /** Forgets a peer that leaves the peer list. Its requests must have been aborted. */
  clearPeer(peer: P): void {
    for (const running of this.table.allInProgress()) running.clearPeer(peer)
  }

  // What is known of blocks and pieces in progress

  blockState(blockId: number): BlockState {
    const piece = this.pieceOf(blockId)
    if (this.table.have.get(piece)) return BlockState.finished
    const running = this.table.inProgressOf(piece)
    return running === undefined ? BlockState.none : (running.states[this.blockOf(blockId)] as BlockState)
  }

  /** Requested, and not downloaded. */
  isRequested(blockId: number): boolean {
    return this.blockState(blockId) === BlockState.requested
  }

  /** Arrived, perhaps not yet written. */
  isDownloaded(blockId: number): boolean {
    return this.blockState(blockId) >= BlockState.writing
  }

  /** On disk. */
  isFinishedBlock(blockId: number): boolean {
    return this.blockState(blockId) === BlockState.finished
  }

  /** Every block of the piece has arrived, or we have it. */
  isPieceFinished(piece: PieceIndex): boolean {
    if (this.table.have.get(piece)) return true
    const running = this.table.inProgressOf(piece)
    return running !== undefined && running.writing + running.finished === running.numBlocks
  }

  /** Every block of the piece is on disk, or we have it. */
  isPieceWritten(piece: PieceIndex): boolean {
    if (this.table.have.get(piece)) return true
    const running = this.table.inProgressOf(piece)
    return running !== undefined && running.finished === running.numBlocks
  }

  /** Some block of the piece is requested or downloaded, and we do not have it. */
  isDownloading(piece: PieceIndex): boolean {
    return this.table.inProgressOf(piece) !== undefined
  }

  isLocked(piece: PieceIndex): boolean {
    return this.table.inProgressOf(piece)?.locked ?? false
  }

  /** How many peers have an unanswered request for the block. */
  numPeers(blockId: number): number {
    return this.table.inProgressOf(this.pieceOf(blockId))?.numPeers(this.blockOf(blockId)) ?? 0
  }

  isRequestedFrom(blockId: number, peer: P): boolean {
    return this.table.inProgressOf(this.pieceOf(blockId))?.isRequestedFrom(this.blockOf(blockId), peer) ?? false
  }

  /** Who the block was last requested or received from. */
  getDownloader(blockId: number): P | null {
    return this.table.inProgressOf(this.pieceOf(blockId))?.peers[this.blockOf(blockId)] ?? null
  }

  /** The same for each block of a piece. All null when it is not in progress. */
  getDownloaders(piece: PieceIndex): (P | null)[] {
    const running = this.table.inProgressOf(piece)
    if (running === undefined) return new Array<P | null>(this.table.blocksIn(piece)).fill(null)
    return running.peers.slice(0, running.numBlocks)
  }

  /** Pieces in progress. */
  get downloadQueueSize(): number {
    return this.table.numInProgress
  }

  /** Pieces in progress in each state: with free blocks, all requested, all downloaded, priority 0. */
  downloadQueueSizes(): { partial: number; full: number; finished: number; zeroPriority: number } {
    const { queues } = this.table
    return {
      partial: queues[DownloadQueue.downloading].length,
      full: queues[DownloadQueue.full].length,
      finished: queues[DownloadQueue.finished].length,
      zeroPriority: queues[DownloadQueue.zeroPriority].length,
    }
  }

  /** Visits the pieces in progress without building anything: for resume data and statistics. */
  forEachInProgress(visit: (running: Readonly<DownloadingPiece<P>>) => void): void {
    for (const running of this.table.allInProgress()) visit(running)
  }

  /**
   * The pieces in progress, by index, as `get_download_queue()` gives them.
   * `blockSize` tells the bytes of a block: only the last one of a piece may be short.
   */
  downloadQueue(blockSize: (piece: PieceIndex, block: BlockIndex) => number): PartialPieceInfo<P>[] {
    const rows = Array.from(this.table.allInProgress(), (running) => describe(running, blockSize))
    return rows.sort((a, b) => a.pieceIndex - b.pieceIndex)
  }
}

/** How the block was picked. */
export interface MarkOptions {
  /** Picked with `PickerFlags.reverse`. Default false. */
  readonly reverse?: boolean
  /** Picked with `PickerFlags.pieceExtentAffinity`: its neighbours are wanted next. Default false. */
  readonly extentAffinity?: boolean
  /** Picked with `PickerFlags.onParole`: others should keep off the piece. Default false. */
  readonly onParole?: boolean
  /** Rate category of the peer. Default none. */
  readonly speed?: PieceState
}

function describe<P extends object>(
  running: DownloadingPiece<P>,
  blockSize: (piece: PieceIndex, block: BlockIndex) => number,
): PartialPieceInfo<P> {
  const { piece } = running
  return {
    pieceIndex: piece,
    blocksInPiece: running.numBlocks,
    finished: running.finished,
    writing: running.writing,
    requested: running.requested,
    blocks: Array.from({ length: running.numBlocks }, (_, block) => {
      const state = running.states[block] as BlockState
      const size = blockSize(piece, block)
      return {
        state,
        peer: running.peers[block],
        bytesProgress: state >= BlockState.writing ? size : 0,
        blockSize: size,
        numPeers: running.numPeers(block),
      }
    }),
    pieceState: running.speed,
  }
}
