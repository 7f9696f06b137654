import type { Random } from '../platform/random.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { BlockIndex, PieceIndex } from '../util/flavored.ts'
import { BlockState, type DownloadingPiece, DownloadQueue, PieceState } from './downloadingPiece.ts'
import { PickerFlags } from './pickerFlags.ts'
import { Pickable, type PieceTable, TOP_PRIORITY } from './pieceTable.ts'
import type { RecentExtents } from './recentExtents.ts'

export interface PickOptions<P extends object> {
  /** Who will be asked. */
  readonly peer: P
  /** `PickerFlags`, or-ed; see `pickerFlags()`. */
  readonly flags: number
  /** Blocks wanted in one run, from whole pieces if possible; 0 for no such wish. See `contiguousBlocks()`. */
  readonly preferContiguousBlocks?: number
  /** Pieces the peer suggested (BEP 6), tried before others. */
  readonly suggestedPieces?: readonly PieceIndex[]
  /** Connected peers of the torrent: there may be one and a half as many partial pieces. */
  readonly numPeers: number
  /** Rate category of the peer. Default none: any piece is as good. */
  readonly speed?: PieceState
  /** Setting `strict_end_game_mode`: no block twice while a wanted piece has not been started. Default true. */
  readonly strictEndGameMode?: boolean
  /** Requests the peer has not answered. A block others were asked for is given only to a peer with none. Default 0. */
  readonly outstandingRequests?: number
}

/** More blocks than this in partial pieces, 32 MiB, and partial pieces come first, whatever the number of peers. */
const MAX_PARTIAL_BLOCKS = 2048

/** A peer with fewer pieces than the 32nd part of those to choose from: its pieces are looked through, not the order. */
const SPARSE_RATIO = 32

/**
 * Chooses blocks for a peer. Holds what one choice needs while it lasts, in arrays that are used again.
 * It changes nothing in the table: blocks count as asked for once they are marked.
 */
export class BlockPick<P extends object> {
  private out: number[] = []
  /** Blocks still to be found. */
  private left = 0
  private has: Bitfield | 'all' = 'all'
  private bits: Uint8Array = new Uint8Array(0)
  private peer: P | null = null
  private flags = 0
  private contiguous = 0
  private speed: PieceState = PieceState.none
  /** Free blocks to take if nothing better is found, best list first. */
  private readonly backups: readonly number[][] = [[], [], []]
  /** Pieces that were chosen from out of their turn. */
  private readonly taken = new Set<PieceIndex>()
  private readonly candidates: PieceIndex[] = []
  private readonly partials: DownloadingPiece<P>[] = []

  constructor(
    private readonly table: PieceTable<P>,
    private readonly extents: RecentExtents<P>,
    private readonly random: Random,
  ) {}

  run(has: Bitfield | 'all', out: number[], numBlocks: number, options: PickOptions<P>): number {
    this.begin(has, out, numBlocks, options)
    this.pickFree(options)
    if (this.left > 0) this.useBackups(this.backups.length)
    if (out.length === 0 && this.mayPickBusy(options)) this.pickBusy(options.peer)
    this.peer = null
    this.has = 'all'
    return out.length
  }

  private begin(has: Bitfield | 'all', out: number[], numBlocks: number, options: PickOptions<P>): void {
    out.length = 0
    this.out = out
    this.left = numBlocks
    this.has = has
    if (has !== 'all') this.bits = has.asBytes()
    this.peer = options.peer
    this.flags = options.flags
    this.contiguous = options.preferContiguousBlocks ?? 0
    this.speed = options.speed ?? PieceState.none
    for (const list of this.backups) list.length = 0
    this.taken.clear()

    const partials = this.table.queues[DownloadQueue.downloading].length
    if (partials > options.numPeers * 1.5 || partials * this.table.layout.blocksPerPiece > MAX_PARTIAL_BLOCKS) {
      this.flags |= PickerFlags.prioritizePartials
      // The wish for whole pieces would put the partial ones last.
      this.contiguous = 0
    }
  }

  private pickFree(options: PickOptions<P>): void {
    if (this.left <= 0) return
    if (this.is(PickerFlags.prioritizePartials)) this.pickPartials()
    const suggested = options.suggestedPieces
    if (suggested !== undefined) {
      for (let i = 0; i < suggested.length && this.left > 0; i++) this.takeOutOfTurn(suggested[i])
    }
    if (this.left <= 0) return
    if (this.is(PickerFlags.rarestFirst)) {
      if (this.is(PickerFlags.pieceExtentAffinity)) this.pickFromExtents()
      this.pickInOrder()
    } else {
      this.pickTopPriority()
      if (this.is(PickerFlags.sequential)) this.pickSequential()
      else this.pickFromRandomStart()
    }
  }

  private is(flag: number): boolean {
    return (this.flags & flag) !== 0
  }

  private peerHas(piece: PieceIndex): boolean {
    return this.has === 'all' || (this.bits[piece >> 3] & (0x80 >> (piece & 7))) !== 0
  }

  private isFree(piece: PieceIndex): boolean {
    const table = this.table
    return this.peerHas(piece) && table.pickable[piece] !== Pickable.closed && table.isWanted(piece)
  }

  // Which piece

  /**
   * Pieces in progress first: the rarest and then the fullest, or in order. A full sort would cost more than the pick:
   * the best is searched for as often as one is needed, which is mostly once.
   */
  private pickPartials(): void {
    const partials = this.partials
    partials.length = 0
    const queue = this.table.queues[DownloadQueue.downloading]
    for (let i = 0; i < queue.length; i++) if (!queue[i].locked && this.peerHas(queue[i].piece)) partials.push(queue[i])
    const [near, far] = this.backups
    while (partials.length > 0 && this.left > 0 && near.length + far.length < this.left) {
      let best = 0
      for (let i = 1; i < partials.length; i++) if (this.isBetterPartial(partials[i], partials[best])) best = i
      const chosen = partials[best]
      partials[best] = partials[partials.length - 1]
      partials.pop()
      this.addPartial(chosen)
    }
    partials.length = 0
    if (this.left > 0) this.useBackups(2)
  }

  private isBetterPartial(a: DownloadingPiece<P>, b: DownloadingPiece<P>): boolean {
    if (this.is(PickerFlags.sequential)) return a.piece < b.piece !== this.is(PickerFlags.reverse)
    if (this.is(PickerFlags.rarestFirst)) {
      const difference = this.table.peerCount[a.piece] - this.table.peerCount[b.piece]
      if (difference !== 0) return difference < 0
    }
    return a.numBlocks - a.free > b.numBlocks - b.free
  }

  private takeOutOfTurn(piece: PieceIndex): void {
    if (piece >= this.table.layout.numPieces || !this.isFree(piece)) return
    this.addPiece(piece)
    this.taken.add(piece)
  }

  private pickTopPriority(): void {
    const order = this.table.order.order
    const end = this.table.numTopPriority
    for (let i = 0; i < end && this.left > 0; i++) if (this.peerHas(order[i])) this.addPiece(order[i])
  }

  private pickSequential(): void {
    const { table } = this
    const reverse = this.is(PickerFlags.reverse)
    const step = reverse ? -1 : 1
    let piece = reverse ? table.reverseCursor - 1 : table.cursor
    for (; piece >= table.cursor && piece < table.reverseCursor && this.left > 0; piece += step) {
      if (table.priority[piece] !== TOP_PRIORITY && this.isFree(piece)) this.addPiece(piece)
    }
  }

  private pickFromRandomStart(): void {
    const { order, length } = this.table.order
    const first = this.table.numTopPriority
    const count = length - first
    if (count <= 0 || this.left <= 0) return
    const start = this.random.below(count)
    for (let i = 0; i < count && this.left > 0; i++) {
      const piece = order[first + ((start + i) % count)]
      if (this.peerHas(piece)) this.addPiece(piece)
    }
  }

  /** Neighbours of pieces in progress, whatever their rarity. */
  private pickFromExtents(): void {
    this.extents.prune()
    for (const extent of this.extents.list) {
      const end = this.extents.endOf(extent)
      for (let piece = this.extents.startOf(extent); piece < end && this.left > 0; piece++) this.takeOutOfTurn(piece)
    }
  }

  private pickInOrder(): void {
    if (this.left <= 0) return
    const { order, length } = this.table.order
    if (this.has !== 'all' && this.has.count * SPARSE_RATIO < length) {
      this.pickFromFew(this.has)
      return
    }
    if (this.is(PickerFlags.reverse)) {
      for (let i = length - 1; i >= 0 && this.left > 0; i--) if (this.peerHas(order[i])) this.addPiece(order[i])
    } else {
      for (let i = 0; i < length && this.left > 0; i++) if (this.peerHas(order[i])) this.addPiece(order[i])
    }
  }

  /** The same choice as walking through the order, for a peer with few pieces. */
  private pickFromFew(has: Bitfield): void {
    const { table, candidates } = this
    const { position } = table.order
    const sign = this.is(PickerFlags.reverse) ? -1 : 1
    candidates.length = 0
    has.forEachSet((piece) => {
      if (table.isInOrder(piece)) candidates.push(piece)
    })
    while (candidates.length > 0 && this.left > 0) {
      let best = 0
      for (let i = 1; i < candidates.length; i++) {
        if ((position[candidates[i]] - position[candidates[best]]) * sign < 0) best = i
      }
      const piece = candidates[best]
      candidates[best] = candidates[candidates.length - 1]
      candidates.pop()
      this.addPiece(piece)
    }
  }

  // Which blocks of it

  private addPiece(piece: PieceIndex): void {
    if (this.taken.size > 0 && this.taken.has(piece)) return
    if (this.table.pickable[piece] === Pickable.open) {
      if (this.contiguous > 0) this.addNeighbours(piece)
      else this.addUntouched(piece)
    } else if (!this.is(PickerFlags.prioritizePartials)) {
      const running = this.table.inProgressOf(piece)
      if (running !== undefined) this.addPartial(running)
    }
  }

  private addUntouched(piece: PieceIndex): void {
    const count = Math.min(this.table.blocksIn(piece), this.left)
    for (let block = 0; block < count; block++) this.add(piece, block)
  }

  /** A run of untouched pieces around `piece`, long enough for the contiguous blocks that are wished for. */
  private addNeighbours(piece: PieceIndex): void {
    const { blocksPerPiece, numPieces } = this.table.layout
    const wanted = Math.ceil(this.contiguous / blocksPerPiece)
    let start = piece
    while (start > 0 && piece - start + 1 < wanted && this.isUntouched(start - 1)) start--
    for (let each = start; each < Math.min(start + wanted, numPieces); each++) {
      if (each > piece && !this.isUntouched(each)) return
      this.taken.add(each)
      const count = this.table.blocksIn(each)
      for (let block = 0; block < count; block++) {
        if (this.left <= 0 && this.contiguous <= 0) return
        this.add(each, block)
        this.contiguous--
      }
    }
  }

  private isUntouched(piece: PieceIndex): boolean {
    const { table } = this
    return this.isFree(piece) && table.pickable[piece] === Pickable.open && !this.taken.has(piece)
  }

  /** Free blocks of a piece in progress: chosen at once, or kept for the case that nothing better is found. */
  private addPartial(running: DownloadingPiece<P>): void {
    const peer = this.peer as P
    const parole = this.is(PickerFlags.onParole)
    if (parole && !isExclusiveTo(running, peer)) return
    let from = running.firstFree
    let backup: number[] | null = null
    if (running.parolePeer !== null && running.parolePeer !== peer) backup = this.backups[2]
    else if (this.contiguous > 0) {
      const run = longestFreeRun(running)
      from = run.start
      if (run.length < this.contiguous && !parole && !isOnlyRequester(running, peer)) backup = this.backups[1]
    }
    if (backup === null && !parole) backup = this.backupForSpeed(running, peer)
    if (backup === null) this.addFree(running, from)
    else if (backup.length < this.left) this.addToBackup(running, from, backup)
  }

  private backupForSpeed(running: DownloadingPiece<P>, peer: P): number[] | null {
    if (this.speed === PieceState.none || running.speed === PieceState.none || running.speed === this.speed) return null
    if (isOnlyRequester(running, peer)) return null
    return this.backups[Math.abs(running.speed - this.speed) - 1]
  }

  private addFree(running: DownloadingPiece<P>, from: BlockIndex): void {
    const { states, numBlocks, piece } = running
    for (let i = 0; i < numBlocks; i++) {
      if (this.left <= 0 && this.contiguous <= 0) return
      const block = from + i < numBlocks ? from + i : from + i - numBlocks
      if (states[block] !== BlockState.none) continue
      this.add(piece, block)
      if (this.contiguous > 0) this.contiguous--
    }
  }

  private addToBackup(running: DownloadingPiece<P>, from: BlockIndex, backup: number[]): void {
    const { states, numBlocks, piece } = running
    for (let i = 0; i < numBlocks && backup.length < this.left; i++) {
      const block = from + i < numBlocks ? from + i : from + i - numBlocks
      if (states[block] === BlockState.none) backup.push(piece * this.table.layout.blocksPerPiece + block)
    }
  }

  private add(piece: PieceIndex, block: BlockIndex): void {
    this.out.push(piece * this.table.layout.blocksPerPiece + block)
    this.left--
  }

  /** Takes what is needed from the first `count` lists of backups. */
  private useBackups(count: number): void {
    for (let list = 0; list < count; list++) {
      const blocks = this.backups[list]
      for (let i = 0; i < blocks.length && this.left > 0; i++, this.left--) this.out.push(blocks[i])
      blocks.length = 0
    }
  }

  // End game

  /**
   * The peer would be idle. In strict mode a block may be asked for twice only when each piece that is left has been
   * started (manual, `strict_end_game_mode`). What a peer on parole sends must come from it alone.
   */
  private mayPickBusy(options: PickOptions<P>): boolean {
    if (this.left <= 0 || this.is(PickerFlags.onParole) || (options.outstandingRequests ?? 0) > 0) return false
    if (options.strictEndGameMode === false) return true
    const [downloading, full, finished] = this.table.queues
    return downloading.length + full.length + finished.length >= this.table.numWantLeft
  }

  /** One block, at random, that somebody else was asked for. */
  private pickBusy(peer: P): void {
    const full = this.table.queues[DownloadQueue.full]
    if (full.length === 0) return
    const start = this.random.below(full.length)
    for (let i = 0; i < full.length; i++) {
      const running = full[(start + i) % full.length]
      if (running.locked || !this.peerHas(running.piece)) continue
      const from = this.random.below(running.numBlocks)
      for (let j = 0; j < running.numBlocks; j++) {
        const block = (from + j) % running.numBlocks
        if (running.states[block] !== BlockState.requested || running.isRequestedFrom(block, peer)) continue
        this.add(running.piece, block)
        return
      }
    }
  }
}

/** Whether every block of the piece that is not free was asked of or came from `peer`. */
function isExclusiveTo<P extends object>(running: DownloadingPiece<P>, peer: P): boolean {
  for (let block = 0; block < running.numBlocks; block++) {
    if (running.states[block] !== BlockState.none && running.peers[block] !== peer) return false
  }
  return true
}

/** Whether nobody but `peer` is being waited for. */
function isOnlyRequester<P extends object>(running: DownloadingPiece<P>, peer: P): boolean {
  for (let block = 0; block < running.numBlocks; block++) {
    if (running.states[block] === BlockState.requested && running.peers[block] !== peer) return false
  }
  return true
}

function longestFreeRun<P extends object>(running: DownloadingPiece<P>): { start: BlockIndex; length: number } {
  let best = { start: running.firstFree, length: 0 }
  let length = 0
  for (let block = running.firstFree; block < running.numBlocks; block++) {
    length = running.states[block] === BlockState.none ? length + 1 : 0
    if (length > best.length) best = { start: block + 1 - length, length }
  }
  return best
}
