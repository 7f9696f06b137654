import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { PeerHost } from './peerHost.ts'

/** Each bitfield costs time for each of its bits: a peer that keeps sending some is stopped after about a second of it. */
const MAX_REPLACED_BITS = 20_000_000
/** Bits of pieces a peer claims before we know how many there are: as many as a torrent may have. */
const MAX_PIECES_BEFORE_METADATA = 0x20_0000

export type ClaimedPiecesHost = Pick<PeerHost, 'layout'>

/** What a peer says it has, which it may do before we know how many pieces there are. */
export class ClaimedPieces {
  /** Sized to the torrent once its metadata is known. */
  bits: Bitfield
  /** The peer said have-all before we knew how many pieces that is. */
  private claimsAll = false
  /** Bits of all bitfields that were replaced. */
  private replacedBits = 0
  /** Length of a bitfield that came before we knew how long it has to be, otherwise 0. */
  private bitfieldBytes = 0

  constructor(private readonly host: ClaimedPiecesHost) {
    this.bits = new Bitfield(host.layout?.numPieces ?? 0)
  }

  /** Whether there may be such a piece; there is a bit for it then. */
  exists(piece: number): boolean {
    const { layout } = this.host
    if (layout !== null) return piece < layout.numPieces
    if (piece >= MAX_PIECES_BEFORE_METADATA) return false
    // By doubling, so that a long row of haves does not copy all bits for each.
    if (piece >= this.bits.size) this.bits.resize(Math.max(piece + 1, this.bits.size * 2))
    return true
  }

  /** A bitfield message replaces what was said before. False: it has not the right size, or is one too many. */
  replaceBy(bytes: Uint8Array): boolean {
    // BEP 3 and 6 want it first, and one only. As libtorrent we take the last word.
    const { layout } = this.host
    if (layout === null) this.bitfieldBytes = bytes.length
    const size = layout?.numPieces ?? bytes.length * 8
    if (size > MAX_PIECES_BEFORE_METADATA) return false
    const field = Bitfield.fromWire(bytes, size)
    if (field === null) return false
    this.claimsAll = false
    return this.replace(field)
  }

  /** Have-all and have-none do the same (BEP 6). False: it is one too many. */
  replaceByAll(all: boolean): boolean {
    this.claimsAll = all
    this.bitfieldBytes = 0
    return this.replace(new Bitfield(this.host.layout?.numPieces ?? 0, all))
  }

  private replace(field: Bitfield): boolean {
    this.replacedBits += this.bits.size
    if (this.replacedBits > MAX_REPLACED_BITS) return false
    this.bits = field
    return true
  }

  /** The torrent's metadata became known. False: what was claimed so far is about another torrent. */
  metadataKnown(layout: PieceLayout): boolean {
    const { bits, bitfieldBytes } = this
    const claimed = bits.count
    bits.resize(layout.numPieces)
    const isWrongSize = bitfieldBytes !== 0 && bitfieldBytes !== (layout.numPieces + 7) >> 3
    // Nothing may have been beyond the last piece.
    if (isWrongSize || bits.count !== claimed) return false
    if (this.claimsAll) bits.setAll()
    return true
  }
}
