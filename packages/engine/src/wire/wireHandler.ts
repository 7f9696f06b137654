import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'

/**
 * What a peer said, one call a message, in the order it was said.
 * Numbers are as found on the wire, unsigned 32 bits: the receiver checks that pieces and ranges exist.
 * Views are plain `Uint8Array`s, valid only during the call. A handler may call `WireParser.stop`, but not `push`.
 */
export interface WireHandler {
  onKeepAlive(): void
  onChoke(): void
  onUnchoke(): void
  onInterested(): void
  onNotInterested(): void
  onHave(piece: number): void
  /** The bits as sent, spare bits included; a view. */
  onBitfield(bytes: Uint8Array): void
  onRequest(piece: number, begin: number, length: number): void
  onCancel(piece: number, begin: number, length: number): void
  /**
   * The header of a piece message; `length` is that of the block, at least 1.
   * False: cannot take it now (no free slot). Parsing then stops before the block, and asks again at the next push.
   */
  onPieceBegin(piece: number, begin: number, length: number): boolean
  /** The next bytes of the block: `chunk[from, to)` belongs at `offset` of the block. */
  onPieceBytes(chunk: Uint8Array, from: number, to: number, offset: number): void
  /** The whole block has been handed over. */
  onPieceEnd(): void
  onDhtPort(port: number): void
  onSuggest(piece: number): void
  onHaveAll(): void
  onHaveNone(): void
  onReject(piece: number, begin: number, length: number): void
  onAllowedFast(piece: number): void
  /** An extension message (BEP 10): `id` is one of ours, 0 for the handshake; `payload` is a view. */
  onExtended(id: number, payload: Uint8Array): void
  /** The peer broke the protocol. The parser is dead and consumes nothing more. */
  onInvalid(code: LibtorrentErrorCode): void
}
