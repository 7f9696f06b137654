import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import { BLOCK_SIZE_BYTES } from '../util/flavored.ts'
import type { WireHandler } from '../wire/wireHandler.ts'
import type { PeerConnection } from './peerConnection.ts'
import { PeerExtensions } from './peerExtensions.ts'
import type { PeerHost } from './peerHost.ts'

/** Grants beyond this are ignored: BEP 6 speaks of ten. */
const MAX_ALLOWED_FAST = 100

/** What each message of a peer means: notes it on the connection, and reports to the torrent what it has to know. */
export class PeerMessages implements WireHandler {
  constructor(
    private readonly peer: PeerConnection,
    private readonly host: PeerHost,
  ) {}

  onKeepAlive(): void {}

  onInvalid(code: LibtorrentErrorCode): void {
    this.peer.fail(code)
  }

  // --- choking and interest -------------------------------------------------------------------------------------

  onChoke(): void {
    const { peer } = this
    if (peer.isPeerChoking) return
    peer.isPeerChoking = true
    this.host.onPeerChoke(peer)
  }

  onUnchoke(): void {
    this.peer.isPeerChoking = false
    this.host.onPeerUnchoke(this.peer)
  }

  onInterested(): void {
    this.setInterest(true)
  }

  onNotInterested(): void {
    this.setInterest(false)
  }

  private setInterest(interested: boolean): void {
    const { peer } = this
    if (peer.isPeerInterested === interested) return
    peer.lastInterest = this.host.now()
    peer.isPeerInterested = interested
    this.host.onPeerInterest(peer)
  }

  // --- what it has ----------------------------------------------------------------------------------------------

  onHave(piece: number): void {
    const { peer } = this
    if (!peer.claimed.exists(piece)) return peer.fail('invalidHave')
    if (peer.pieces.get(piece)) return
    peer.pieces.set(piece)
    const { layout } = this.host
    if (layout !== null) peer.remoteRate.gotPiece(layout.pieceSize(piece), this.peer.lastReceived)
    this.host.onPeerHave(peer, piece)
  }

  onBitfield(bytes: Uint8Array): void {
    const { peer } = this
    const before = peer.pieces
    if (!peer.claimed.replaceBy(bytes)) return peer.fail('invalidBitfieldSize')
    this.host.onPeerBitfield(peer, before)
  }

  onHaveAll(): void {
    const { peer } = this
    const before = peer.pieces
    if (!peer.claimed.replaceByAll(true)) return peer.fail('invalidHaveAll')
    this.host.onPeerBitfield(peer, before)
  }

  onHaveNone(): void {
    const { peer } = this
    const before = peer.pieces
    if (!peer.claimed.replaceByAll(false)) return peer.fail('invalidHaveNone')
    this.host.onPeerBitfield(peer, before)
  }

  // --- what it asks for -----------------------------------------------------------------------------------------

  onRequest(piece: number, begin: number, length: number): void {
    const { peer } = this
    peer.lastRequested = this.host.now()
    const error = peer.upload.onRequest(piece, begin, length)
    if (error !== null) return peer.fail(error)
    peer.pumpUploads()
    peer.touch()
  }

  onCancel(piece: number, begin: number, length: number): void {
    this.peer.upload.onCancel(piece, begin, length)
    this.peer.touch()
  }

  // --- what it sends --------------------------------------------------------------------------------------------

  onPieceBegin(piece: number, begin: number, length: number): boolean {
    const verdict = this.peer.download.begin(piece, begin, length)
    if (verdict === 'taken') return true
    if (verdict !== 'later') this.peer.fail(verdict)
    return false
  }

  onPieceBytes(chunk: Uint8Array, from: number, to: number, offset: number): void {
    this.peer.download.bytes(chunk, from, to, offset)
  }

  onPieceEnd(): void {
    this.peer.download.end(this.peer.lastReceived)
  }

  onReject(piece: number, begin: number, length: number): void {
    const { peer } = this
    const { layout } = this.host
    if (layout === null || !layout.isBlock(piece, begin, length)) return
    // A reject also takes back the leave to ask while choked.
    if (peer.isPeerChoking) peer.allowedFast.delete(piece)
    else peer.suggested.remove(piece)
    const blockId = layout.blockId(piece, begin / BLOCK_SIZE_BYTES)
    if (peer.download.requests.remove(blockId)) this.host.onPeerReject(peer, blockId)
  }

  onSuggest(piece: number): void {
    const { suggested, claimed } = this.peer
    if (!claimed.exists(piece)) return this.peer.fail('invalidSuggest')
    if (!this.host.havePiece(piece)) suggested.add(piece, this.host.settings.maxSuggestPieces)
    else suggested.remove(piece)
  }

  onAllowedFast(piece: number): void {
    const { peer } = this
    const { allowedFast } = peer
    if (!peer.claimed.exists(piece)) return peer.fail('invalidAllowFast')
    if (allowedFast.size >= MAX_ALLOWED_FAST || allowedFast.has(piece)) return
    allowedFast.add(piece)
    this.host.onPeerAllowedFast(peer, piece)
  }

  // --- extensions -----------------------------------------------------------------------------------------------

  onDhtPort(port: number): void {
    if (port !== 0) this.host.onPeerDhtPort(this.peer, port)
  }

  onExtended(id: number, payload: Uint8Array): void {
    const { peer } = this
    if (!peer.supportsExtensions) return peer.fail('invalidExtended')
    if (id === 0) {
      peer.extensions.onHandshake(payload)
      this.host.onPeerExtensions(peer)
      return
    }
    const name = PeerExtensions.nameOf(id)
    if (name === null) return peer.fail('invalidExtended')
    this.host.onPeerExtended(peer, name, payload)
  }
}
