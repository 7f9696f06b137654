import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import { absolvePeer, penalizePiecePeers, rewardPiecePeers } from '../peers/pieceFailure.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { TorrentStorage } from '../platform/disk.ts'
import type { Settings } from '../settings/settings.ts'
import { BLOCK_SIZE_BYTES, type PieceIndex, type SlotIndex } from '../util/flavored.ts'
import type { BlockSource } from './blockSource.ts'
import type { DiskTrouble } from './diskTrouble.ts'
import type { PeerNews } from './peerNews.ts'
import { SmartBan } from './smartBan.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost } from './torrentHost.ts'

export interface PieceReceiverHost {
  readonly session: Pick<TorrentHost, 'pool'>
  readonly settings: Readonly<Settings>
  readonly peerNews: PeerNews
  /** Null once every piece is had. */
  readonly picker: PiecePicker<TorrentPeer> | null
  hashMatches(piece: PieceIndex, digest: Uint8Array): boolean
  readonly counters: TorrentCounters
  readonly diskTrouble: DiskTrouble
  /** Tells other peers that were asked for the same block (end game) that it is no longer needed. */
  cancelElsewhere(blockId: number, peer: BlockSource): void
  onPiecePassed(piece: PieceIndex, senders: readonly TorrentPeer[]): void
  /** `banned` are those with no trust left; closing and banning them is the host's. */
  onPieceFailed(piece: PieceIndex, banned: readonly TorrentPeer[]): void
  /** The peer has sent a wrong block: it is to be closed and banned, if it is not yet. */
  onLiar(peer: TorrentPeer, piece: PieceIndex): void
}

/** Takes blocks to disk, has complete pieces hashed, and judges them. */
export class PieceReceiver {
  /** Pieces whose hash was asked for and has not come. */
  private readonly hashing = new Set<PieceIndex>()
  /** Of those, the ones with a block that could not be written: their hash means nothing. */
  private readonly spoilt = new Set<PieceIndex>()
  /** Complete pieces that are believed without a hash, as soon as they are on disk. */
  private readonly unchecked = new Set<PieceIndex>()
  /** Made when first needed: a torrent that only seeds needs none. */
  private smartBanMade: SmartBan | null = null

  constructor(
    private readonly host: PieceReceiverHost,
    private readonly layout: PieceLayout,
    private readonly storage: TorrentStorage,
  ) {}

  private get smartBan(): SmartBan {
    const { host, layout, storage } = this
    this.smartBanMade ??= new SmartBan({
      hashBlock: (piece, block) => storage.hashBlock(piece, block * BLOCK_SIZE_BYTES, layout.blockSize(piece, block)),
      onLiar: (peer, piece) => host.onLiar(peer, piece),
      onInnocent: absolvePeer,
    })
    return this.smartBanMade
  }

  /** A block has arrived whole. Takes `slot`. */
  onBlock(peer: BlockSource, blockId: number, slot: SlotIndex): void {
    const contested = this.isAskedElsewhere(blockId, peer)
    if (!this.write(blockId, peer.entry, slot)) {
      // Somebody else has sent it before.
      this.host.counters.redundantBytes += this.blockSize(blockId)
      return
    }
    if (contested) this.host.cancelElsewhere(blockId, peer)
    this.host.peerNews.blockFinished(peer, blockId)
  }

  /** Forgets the blocks there are of a piece that is not complete, unless its hash is being judged already. */
  forgetPiece(piece: PieceIndex): void {
    if (this.hashing.has(piece)) return
    this.unchecked.delete(piece)
    this.host.picker?.restorePiece(piece)
    this.storage.clearPiece(piece)
  }

  /** In end game, or when the block was given up as late and asked of somebody else. */
  private isAskedElsewhere(blockId: number, peer: BlockSource): boolean {
    const { picker } = this.host
    if (picker === null || peer.entry === null) return false
    return picker.numPeers(blockId) > (picker.isRequestedFrom(blockId, peer.entry) ? 1 : 0)
  }

  /** A block the user brought. Takes `slot`. */
  onOwnBlock(blockId: number, slot: SlotIndex): void {
    this.write(blockId, null, slot)
  }

  private write(blockId: number, sender: TorrentPeer | null, slot: SlotIndex): boolean {
    const { layout, storage } = this
    const { picker, session } = this.host
    if (picker === null || !picker.markAsWriting(blockId, sender)) {
      session.pool.release(slot)
      return false
    }
    const piece = layout.pieceOf(blockId)
    const block = layout.blockOf(blockId)
    storage.writeBlock(piece, block * BLOCK_SIZE_BYTES, layout.blockSize(piece, block), slot)
    this.hashIfComplete(piece)
    return true
  }

  private blockSize(blockId: number): number {
    const { layout } = this
    return layout.blockSize(layout.pieceOf(blockId), layout.blockOf(blockId))
  }

  /** Has `piece` judged when all its blocks are there; also those completed by resume data. */
  hashIfComplete(piece: PieceIndex): void {
    const { picker } = this.host
    if (picker === null || !picker.isPieceFinished(piece)) return
    if (picker.havePiece(piece) || this.hashing.has(piece)) return
    if (this.host.settings.disableHashChecks) {
      this.unchecked.add(piece)
      this.passIfWritten(picker, piece)
      return
    }
    this.hashing.add(piece)
    this.storage.hashPiece(piece)
  }

  private passIfWritten(picker: PiecePicker<TorrentPeer>, piece: PieceIndex): void {
    if (!picker.isPieceWritten(piece)) return
    this.unchecked.delete(piece)
    // What was hashed of it while it was written is of no use.
    this.storage.clearPiece(piece)
    this.pass(picker, piece)
  }

  onBlockWritten(piece: PieceIndex, offset: number, error: LibtorrentError | null): void {
    const { layout } = this
    const { picker } = this.host
    if (picker === null) return
    const blockId = layout.blockId(piece, offset / BLOCK_SIZE_BYTES)
    if (error === null) {
      picker.markAsFinished(blockId, null)
      if (this.unchecked.size > 0 && this.unchecked.has(piece)) this.passIfWritten(picker, piece)
      return
    }
    picker.writeFailed(blockId)
    this.unchecked.delete(piece)
    if (this.hashing.has(piece)) this.spoilt.add(piece)
    else picker.unlockPiece(piece)
    this.host.diskTrouble.onWriteError(error)
  }

  /** False when nobody here asked for the hash of this piece. */
  onPieceHashed(piece: PieceIndex, digest: Uint8Array | null, error: LibtorrentError | null): boolean {
    if (!this.hashing.delete(piece)) return false
    const { host } = this
    const { picker } = host
    if (picker === null) return true
    if (this.spoilt.delete(piece)) {
      // The blocks that were written stay; those that were not are free again.
      picker.unlockPiece(piece)
      return true
    }
    if (!picker.isPieceFinished(piece)) return true
    if (digest === null) {
      picker.restorePiece(piece)
      this.storage.clearPiece(piece)
      if (error !== null) host.diskTrouble.onWriteError(error)
      return true
    }
    if (host.settings.disableHashChecks || host.hashMatches(piece, digest)) this.pass(picker, piece)
    else this.fail(picker, piece)
    return true
  }

  onBlockHashed(piece: PieceIndex, offset: number, digest: Uint8Array | null): void {
    this.smartBanMade?.onBlockHashed(piece, offset / BLOCK_SIZE_BYTES, digest)
  }

  /** The peer has left the peer list. */
  clearPeer(peer: TorrentPeer): void {
    this.smartBanMade?.clearPeer(peer)
  }

  /** Forgets what was asked for: what is on disk is to be found out anew. */
  clear(): void {
    this.smartBanMade?.clear()
    this.hashing.clear()
    this.spoilt.clear()
    this.unchecked.clear()
  }

  private pass(picker: PiecePicker<TorrentPeer>, piece: PieceIndex): void {
    const senders = knownSenders(picker.getDownloaders(piece))
    rewardPiecePeers(senders)
    this.smartBanMade?.onPiecePassed(piece)
    picker.weHave(piece)
    this.host.onPiecePassed(piece, senders)
  }

  private fail(picker: PiecePicker<TorrentPeer>, piece: PieceIndex): void {
    const senders = picker.getDownloaders(piece)
    const suspects = penalizePiecePeers(senders, this.host.settings.useParoleMode)
    // Before anything else is asked of the piece: its wrong blocks are about to be replaced.
    this.smartBan.onPieceFailed(piece, senders)
    const banned = suspects.filter((peer) => isOnlySender(peer, senders) || !this.smartBan.mayAbsolve(peer))
    picker.restorePiece(piece)
    this.storage.clearPiece(piece)
    this.host.onPieceFailed(piece, banned)
  }
}

function isOnlySender(peer: TorrentPeer, senders: readonly (TorrentPeer | null)[]): boolean {
  return senders.every((sender) => sender === peer)
}

function knownSenders(downloaders: readonly (TorrentPeer | null)[]): TorrentPeer[] {
  return [...new Set(downloaders)].filter((peer) => peer !== null)
}
