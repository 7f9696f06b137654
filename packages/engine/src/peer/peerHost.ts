import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { BlockPool } from '../platform/disk.ts'
import type { Settings } from '../settings/settings.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { Millis, SlotIndex } from '../util/flavored.ts'
import type { BlockSender } from './blockSender.ts'
import type { PeerBandwidthHost } from './peerBandwidth.ts'
import type { PeerConnection } from './peerConnection.ts'

/**
 * What a connection needs from the torrent it belongs to, and what it reports to it.
 * Any of the `onPeer...` calls may close the connection.
 */
export interface PeerHost extends PeerBandwidthHost {
  readonly settings: Readonly<Settings>
  readonly pool: BlockPool
  /** The disk is behind: nothing is to be received until `resumeInput`. */
  readonly isDiskCongested: boolean
  readonly blockSender: BlockSender
  /** UDP port of our DHT node, to be told to peers; 0: none. */
  readonly dhtPort: number
  /** Null until the metadata is known. */
  readonly layout: PieceLayout | null
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** Our peer id for this torrent, 20 bytes. */
  readonly peerId: Uint8Array
  now(): Millis
  /** Calls `peer.flush()` at the end of this turn of the event loop. */
  scheduleFlush(peer: PeerConnection): void

  /** Both handshakes are done. */
  onPeerReady(peer: PeerConnection): void
  /** The connection is over and holds nothing any more. Called exactly once. */
  onPeerClosed(peer: PeerConnection, error: LibtorrentError): void
  /** Our code threw while it handled what the peer sent: a bug of ours. The connection is to be closed. */
  onPeerFault(peer: PeerConnection, cause: unknown): void
  /** `peer.pieces` was replaced: bitfield, have-all or have-none. `before` is what it held. */
  onPeerBitfield(peer: PeerConnection, before: Bitfield): void
  onPeerHave(peer: PeerConnection, piece: number): void
  onPeerDontHave(peer: PeerConnection, piece: number): void
  onPeerInterest(peer: PeerConnection): void
  onPeerChoke(peer: PeerConnection): void
  onPeerUnchoke(peer: PeerConnection): void
  onPeerAllowedFast(peer: PeerConnection, piece: number): void
  /** The extension handshake arrived (BEP 10). */
  onPeerExtensions(peer: PeerConnection): void
  /** The UDP port of its DHT node (BEP 5). */
  onPeerDhtPort(peer: PeerConnection, port: number): void
  /** A message of one of our extensions; `payload` is a view. */
  onPeerExtended(peer: PeerConnection, name: string, payload: Uint8Array): void

  /** False when the block came from elsewhere meanwhile, so that this copy is redundant. */
  wantsBlock(peer: PeerConnection, blockId: number): boolean
  /** Takes `slot`, which holds the whole block. */
  onPeerBlock(peer: PeerConnection, blockId: number, slot: SlotIndex): void
  /** `length` bytes arrived that nobody waited for. */
  onPeerRedundantBytes(peer: PeerConnection, length: number): void
  /** The peer was snubbed, and delivers again. */
  onPeerUnsnubbed(peer: PeerConnection): void
  /** The peer will not answer this request. */
  onPeerReject(peer: PeerConnection, blockId: number): void
  /** All input of this turn has been handled: time to ask for more. */
  onPeerInputDone(peer: PeerConnection): void
  /** The pool is empty: the connection has stopped reading until `peer.resumeInput()`. */
  onPeerStalled(peer: PeerConnection): void

  havePiece(piece: number): boolean
  /** Asks the disk for a block; `peer.sendBlock` or `peer.readFailed` answers. */
  readBlock(peer: PeerConnection, piece: number, begin: number, length: number): void
  /** The upload limits let more pass: what `peer.takeMessageQuota` refused may be asked for again. */
  onPeerUploadQuota(peer: PeerConnection): void
  onPeerInvalidRequest(peer: PeerConnection, piece: number, begin: number, length: number): void
}
