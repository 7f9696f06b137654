import type { PeerConnection } from '../peer/peerConnection.ts'
import { SuggestPieces } from '../picker/suggestPieces.ts'
import { SuggestMode } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'
import type { PieceIndex } from '../util/flavored.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentPieces } from './torrentPieces.ts'

export interface PieceSuggesterHost {
  readonly settings: Readonly<Settings>
  readonly swarm: Swarm
  /** Null until the metadata is known. */
  readonly pieces: TorrentPieces | null
}

/** Pieces suggested at a time (libtorrent). */
const SUGGESTED_AT_ONCE = 2

/**
 * Tells peers which pieces to ask us for (BEP 6, setting `suggest_mode`): when we unchoke them, and when they have one
 * that was suggested. How many peers have a piece is known by the picker; a seed keeps one only in this mode.
 */
export class PieceSuggester {
  private readonly pieces = new SuggestPieces()
  /** What each peer was told since it was unchoked. */
  private told: WeakMap<PeerConnection, PieceIndex[]> | null = null
  /** Many blocks of one piece are read in a row: they count once. */
  private lastPiece: PieceIndex = -1

  constructor(private readonly host: PieceSuggesterHost) {}

  get isOn(): boolean {
    return this.host.settings.suggestMode === SuggestMode.suggestReadCache
  }

  /** A block of `piece` was read for a peer, or the piece was downloaded: it is in memory. */
  onPieceInMemory(piece: PieceIndex): void {
    const { pieces, settings, swarm } = this.host
    if (!this.isOn || pieces === null || piece === this.lastPiece) return
    this.lastPiece = piece
    const picker = pieces.keepPicker((fresh) => {
      for (const peer of swarm.connections) fresh.incRefcountBits(peer.pieces)
    })
    const availability = Math.floor((picker.availability(piece) * 100) / Math.max(1, swarm.connections.size))
    this.pieces.add(piece, availability, settings.maxSuggestPieces)
  }

  /** We are about to unchoke `peer`. */
  onUnchoke(peer: PeerConnection): void {
    if (!this.isOn) return
    this.told?.delete(peer)
    this.suggest(peer)
  }

  /** `peer` has got a piece: if it was one it was told to ask for, there may be others. */
  onPeerHave(peer: PeerConnection, piece: PieceIndex): void {
    if (!this.isOn || peer.upload.isChoked) return
    if (this.told?.get(peer)?.includes(piece)) this.suggest(peer)
  }

  onSettingsChanged(): void {
    if (this.isOn || this.pieces.size === 0) return
    this.pieces.clear()
    this.lastPiece = -1
    this.host.pieces?.dropPicker()
  }

  private suggest(peer: PeerConnection): void {
    if (!peer.supportsFast || this.pieces.size === 0) return
    const told = this.told?.get(peer) ?? []
    const chosen = this.pieces.choose(peer.pieces, told, SUGGESTED_AT_ONCE)
    if (chosen.length === 0) return
    // The last one suggested is the one to ask for first.
    for (const piece of chosen) peer.writer.suggest(piece)
    peer.touch()
    this.told ??= new WeakMap()
    this.told.set(peer, [...told, ...chosen].slice(-this.host.settings.maxSuggestPieces))
  }
}
