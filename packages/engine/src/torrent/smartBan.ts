import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { BlockIndex, PieceIndex } from '../util/flavored.ts'
import { FailedPiece } from './failedPiece.ts'

/** Failed pieces remembered at a time; beyond that the oldest is forgotten. */
const MAX_FAILED_PIECES = 64
/** Blocks of them remembered at a time, about 150 bytes each; the latest piece is kept in any case. */
const MAX_VERSIONS = 16_384
/**
 * A peer with more open suspicions than this is judged without waiting for proof. A session that begins with liars has
 * dozens of pieces under way, and all may fail before the first one passes; four would cost an honest peer its trust.
 */
const MAX_OPEN_SUSPICIONS = 32

export interface SmartBanHost {
  /**
   * Asks for the SHA-1 of a block as it is on disk now, before anything is written there that was not asked for yet;
   * `onBlockHashed` answers, for each piece in the order of the questions.
   */
  hashBlock(piece: PieceIndex, block: BlockIndex): void
  /** The peer is known to have sent a wrong block. May come several times. */
  onLiar(peer: TorrentPeer, piece: PieceIndex): void
  /** None of the blocks it sent was wrong of a piece that has failed that often. */
  onInnocent(peer: TorrentPeer, failures: number): void
}

/**
 * Finds out who sent the wrong block of a piece that came from several peers: when the piece fails, the hash of each
 * block is remembered with its sender; when it has passed at last, the blocks that differ tell. So does a peer that
 * sends two versions of the same block. While no piece fails nothing is read, hashed or kept.
 * @see libtorrent manual, "smart ban" plugin
 */
export class SmartBan {
  /** Oldest failure first. */
  private readonly failed = new Map<PieceIndex, FailedPiece>()
  /** Pieces that have passed since, until their good blocks are read. */
  private readonly comparing = new Map<PieceIndex, FailedPiece>()

  constructor(
    private readonly host: SmartBanHost,
    private readonly maxPieces = MAX_FAILED_PIECES,
    private readonly maxVersions = MAX_VERSIONS,
  ) {}

  /** Pieces remembered. */
  get size(): number {
    return this.failed.size + this.comparing.size
  }

  /**
   * A piece has failed its hash check, and its blocks are still on disk. `senders`: who sent each block, null where
   * it is unknown.
   */
  onPieceFailed(piece: PieceIndex, senders: readonly (TorrentPeer | null)[]): void {
    const record = this.failed.get(piece) ?? new FailedPiece()
    const blocks = record.failed(senders)
    if (blocks.length === 0) return
    this.failed.delete(piece)
    this.failed.set(piece, record)
    this.dropOldest()
    for (const block of blocks) this.host.hashBlock(piece, block)
  }

  /** A piece has passed, and what is on disk is right. */
  onPiecePassed(piece: PieceIndex): void {
    if (this.failed.size === 0) return
    const record = this.failed.get(piece)
    if (record === undefined) return
    this.failed.delete(piece)
    const blocks = record.passed()
    if (blocks.length === 0) return
    this.comparing.set(piece, record)
    for (const block of blocks) this.host.hashBlock(piece, block)
  }

  /** The answer to `hashBlock`; `digest` is null when the block could not be read. */
  onBlockHashed(piece: PieceIndex, block: BlockIndex, digest: Uint8Array | null): void {
    // A string takes a quarter of the memory.
    const text = digest === null ? null : String.fromCharCode(...digest)
    const good = this.comparing.get(piece)
    if (good !== undefined) return this.compare(piece, good, block, text)
    const bad = this.failed.get(piece)
    if (bad === undefined) return
    const liar = bad.addSent(block, text)
    this.dropOldest()
    if (liar !== null) this.host.onLiar(liar, piece)
  }

  /** Whether it is open if the peer has lied, and will be known soon: too early to ban it for lack of trust alone. */
  mayAbsolve(peer: TorrentPeer): boolean {
    let open = 0
    for (const record of this.failed.values()) open += record.failuresOf(peer)
    for (const record of this.comparing.values()) open += record.failuresOf(peer)
    return open > 0 && open <= MAX_OPEN_SUSPICIONS
  }

  /** The peer has left the peer list. */
  clearPeer(peer: TorrentPeer): void {
    for (const record of this.failed.values()) record.clearPeer(peer)
    for (const record of this.comparing.values()) record.clearPeer(peer)
  }

  /** Forgets everything: what is on disk is to be found out anew. */
  clear(): void {
    this.failed.clear()
    this.comparing.clear()
  }

  private compare(piece: PieceIndex, record: FailedPiece, block: BlockIndex, digest: string | null): void {
    const liars = record.compare(block, digest)
    const isDone = record.awaited === 0
    if (isDone) this.comparing.delete(piece)
    for (const liar of liars) this.host.onLiar(liar, piece)
    if (isDone) for (const [peer, failures] of record.innocents()) this.host.onInnocent(peer, failures)
  }

  private dropOldest(): void {
    while (this.failed.size > 1 && (this.failed.size > this.maxPieces || this.numVersions > this.maxVersions)) {
      for (const oldest of this.failed.keys()) {
        this.failed.delete(oldest)
        break
      }
    }
  }

  private get numVersions(): number {
    let sum = 0
    for (const record of this.failed.values()) sum += record.numVersions
    return sum
  }
}
