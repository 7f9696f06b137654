import type { BlockIndex, PieceIndex } from '../util/flavored.ts'

/** Where a block stands (manual, `get_download_queue()`); the numbers are libtorrent's. */
export const BlockState = {
  /** Neither downloaded nor requested from anybody: free to be picked. */
  none: 0,
  /** Requested from at least one peer. */
  requested: 1,
  /** Downloaded, queued to be written to disk. */
  writing: 2,
  /** Written to disk. */
  finished: 3,
} as const
export type BlockState = (typeof BlockState)[keyof typeof BlockState]

/**
 * Rate category of the peers a piece is downloaded from, and of a peer itself (manual, `get_download_queue()`).
 * Peers prefer pieces of their own category, which keeps the number of partial pieces down.
 */
export const PieceState = { none: 0, slow: 1, medium: 2, fast: 3 } as const
export type PieceState = (typeof PieceState)[keyof typeof PieceState]

/** The list a piece in progress is in; which one follows from its blocks and its priority. */
export const DownloadQueue = {
  /** Has free blocks. */
  downloading: 0,
  /** Every block is requested or downloaded, at least one only requested. */
  full: 1,
  /** Every block is downloaded: writing or finished. */
  finished: 2,
  /** Priority 0: nothing of it is picked, whatever its blocks. */
  zeroPriority: 3,
} as const
export type DownloadQueue = (typeof DownloadQueue)[keyof typeof DownloadQueue]

/**
 * One piece in progress: the state of each of its blocks and who they come from. Only block bookkeeping: what it means
 * for the piece is `PieceTable`'s. Objects are used again for later pieces.
 */
export class DownloadingPiece<P extends object> {
  piece: PieceIndex = 0
  numBlocks = 0
  readonly states: Uint8Array
  /** Who each block was last requested or received from; null when unknown, or cleared. */
  readonly peers: (P | null)[]
  /** Blocks in each state but `none`. */
  requested = 0
  writing = 0
  finished = 0
  /** Not picked from until it is restored or unlocked. */
  locked = false
  /** All its requests come from peers picking in reverse order: it is worth less than an untouched piece. */
  reverse = false
  speed: PieceState = PieceState.none
  /** A peer on parole that is to have this piece for itself, so that the hash check tells whether it sends bad data. */
  parolePeer: P | null = null
  queue: DownloadQueue = DownloadQueue.downloading
  /** Position in the list of its queue. */
  queueIndex = -1
  /** Blocks below this one are not free; at it and above they may be. */
  firstFree: BlockIndex = 0
  /** Requesters of a block besides `peers[block]`: only in end game. */
  private others: Map<BlockIndex, P[]> | null = null

  constructor(blocksPerPiece: number) {
    this.states = new Uint8Array(blocksPerPiece)
    this.peers = new Array<P | null>(blocksPerPiece).fill(null)
  }

  reset(piece: PieceIndex, numBlocks: number): void {
    this.piece = piece
    this.numBlocks = numBlocks
    this.states.fill(BlockState.none)
    this.peers.fill(null)
    this.requested = this.writing = this.finished = 0
    this.locked = this.reverse = false
    this.speed = PieceState.none
    this.parolePeer = null
    this.queue = DownloadQueue.downloading
    this.queueIndex = -1
    this.firstFree = 0
    this.others = null
  }

  /** Blocks neither requested nor downloaded. */
  get free(): number {
    return this.numBlocks - this.requested - this.writing - this.finished
  }

  /** How many peers have an unanswered request for `block`. */
  numPeers(block: BlockIndex): number {
    if (this.states[block] !== BlockState.requested) return 0
    return 1 + (this.others?.get(block)?.length ?? 0)
  }

  isRequestedFrom(block: BlockIndex, peer: P): boolean {
    if (this.states[block] !== BlockState.requested) return false
    return this.peers[block] === peer || (this.others?.get(block)?.includes(peer) ?? false)
  }

  /** none or requested -> requested, from `peer` too. False when downloaded, or requested from this peer already. */
  request(block: BlockIndex, peer: P): boolean {
    const state = this.states[block]
    if (state === BlockState.none) {
      this.states[block] = BlockState.requested
      this.requested++
      this.peers[block] = peer
      if (block === this.firstFree) this.firstFree++
      return true
    }
    if (state !== BlockState.requested || this.isRequestedFrom(block, peer)) return false
    const previous = this.peers[block]
    if (previous !== null) {
      this.others ??= new Map()
      const list = this.others.get(block)
      if (list) list.push(previous)
      else this.others.set(block, [previous])
    }
    this.peers[block] = peer
    return true
  }

  /** requested -> none, unless others have requested the block too. False when `peer` had not requested it. */
  abort(block: BlockIndex, peer: P): boolean {
    if (!this.isRequestedFrom(block, peer)) return false
    const list = this.others?.get(block)
    if (list === undefined) {
      this.toNone(block)
      return true
    }
    if (this.peers[block] === peer) this.peers[block] = list.pop() as P
    else list.splice(list.indexOf(peer), 1)
    if (list.length === 0) this.others?.delete(block)
    return true
  }

  /** none or requested -> writing. False when it is downloaded already. */
  write(block: BlockIndex, peer: P | null): boolean {
    if (!this.leaveOpen(block)) return false
    this.states[block] = BlockState.writing
    this.writing++
    this.peers[block] = peer
    return true
  }

  /** any -> finished. The peer known so far stays when `peer` is null. */
  finish(block: BlockIndex, peer: P | null): void {
    const state = this.states[block]
    if (state === BlockState.finished) return
    if (state === BlockState.writing) this.writing--
    else this.leaveOpen(block)
    this.states[block] = BlockState.finished
    this.finished++
    if (state !== BlockState.writing || peer !== null) this.peers[block] = peer
  }

  /** any -> none. */
  toNone(block: BlockIndex): void {
    const state = this.states[block]
    if (state === BlockState.requested) {
      this.requested--
      this.others?.delete(block)
    } else if (state === BlockState.writing) this.writing--
    else if (state === BlockState.finished) this.finished--
    this.states[block] = BlockState.none
    this.peers[block] = null
    if (block < this.firstFree) this.firstFree = block
  }

  /** Forgets `peer` as the source of its blocks. */
  clearPeer(peer: P): void {
    const peers = this.peers
    for (let block = 0; block < this.numBlocks; block++) if (peers[block] === peer) peers[block] = null
    if (this.parolePeer === peer) this.parolePeer = null
  }

  private leaveOpen(block: BlockIndex): boolean {
    const state = this.states[block]
    if (state === BlockState.requested) {
      this.requested--
      this.others?.delete(block)
    } else if (state !== BlockState.none) return false
    if (block === this.firstFree) this.firstFree++
    return true
  }
}
