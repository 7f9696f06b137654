import { EMPTY_BYTES, writeU16, writeU32 } from '../util/bytes.ts'
import { MessageId, PIECE_HEADER_SIZE } from './messageId.ts'

const FIRST_SIZE = 256
/** Larger buffers (a bitfield, metadata) are left to the collector instead of being kept for each peer. */
const MAX_KEPT_SIZE = 16 * 1024
const MAX_KEPT = 2

/**
 * Gathers outgoing messages in one buffer, to be sent with one write.
 *
 * `take` hands the gathered bytes over; they stay unchanged, because the next message starts another buffer.
 * Once they have been sent, `recycle` gives the buffer back for reuse.
 */
export class MessageWriter {
  private buffer: Uint8Array = EMPTY_BYTES
  private length = 0
  private readonly kept: ArrayBufferLike[] = []
  private written = 0

  /** Bytes gathered and not yet taken. */
  get pendingBytes(): number {
    return this.length
  }

  /** Bytes appended since the start, all of them protocol overhead: the blocks themselves do not pass through here. */
  get protocolBytes(): number {
    return this.written
  }

  /** The bytes gathered since the last call, or null when there are none. They belong to the caller until recycled. */
  take(): Uint8Array | null {
    if (this.length === 0) return null
    const taken = this.buffer.subarray(0, this.length)
    this.buffer = EMPTY_BYTES
    this.length = 0
    return taken
  }

  /** Takes back what `take` gave, once it has been sent. Nothing may refer to it any more. */
  recycle(taken: Uint8Array): void {
    if (this.kept.length < MAX_KEPT && taken.buffer.byteLength <= MAX_KEPT_SIZE) this.kept.push(taken.buffer)
  }

  keepAlive(): void {
    const at = this.reserve(4)
    writeU32(this.buffer, at, 0)
  }

  choke(): void {
    this.bare(MessageId.choke)
  }

  unchoke(): void {
    this.bare(MessageId.unchoke)
  }

  interested(): void {
    this.bare(MessageId.interested)
  }

  notInterested(): void {
    this.bare(MessageId.notInterested)
  }

  have(piece: number): void {
    this.onePiece(MessageId.have, piece)
  }

  /** `bytes` as from `Bitfield.asBytes`; copied. */
  bitfield(bytes: Uint8Array): void {
    const body = this.start(MessageId.bitfield, bytes.length)
    this.buffer.set(bytes, body)
  }

  request(piece: number, begin: number, length: number): void {
    this.range(MessageId.request, piece, begin, length)
  }

  cancel(piece: number, begin: number, length: number): void {
    this.range(MessageId.cancel, piece, begin, length)
  }

  /** The 13 bytes before a block of `length` bytes. The block must be the very next thing on the stream. */
  pieceHeader(piece: number, begin: number, length: number): void {
    const at = this.reserve(PIECE_HEADER_SIZE)
    const buffer = this.buffer
    writeU32(buffer, at, 9 + length)
    buffer[at + 4] = MessageId.piece
    writeU32(buffer, at + 5, piece)
    writeU32(buffer, at + 9, begin)
  }

  dhtPort(port: number): void {
    const body = this.start(MessageId.dhtPort, 2)
    writeU16(this.buffer, body, port)
  }

  suggest(piece: number): void {
    this.onePiece(MessageId.suggest, piece)
  }

  haveAll(): void {
    this.bare(MessageId.haveAll)
  }

  haveNone(): void {
    this.bare(MessageId.haveNone)
  }

  reject(piece: number, begin: number, length: number): void {
    this.range(MessageId.reject, piece, begin, length)
  }

  allowedFast(piece: number): void {
    this.onePiece(MessageId.allowedFast, piece)
  }

  /** An extension message (BEP 10). `id` is what the peer's `m` dictionary says, 0 for the handshake; `payload` is copied. */
  extended(id: number, payload: Uint8Array): void {
    const body = this.start(MessageId.extended, 1 + payload.length)
    this.buffer[body] = id
    this.buffer.set(payload, body + 1)
  }

  private bare(id: number): void {
    this.start(id, 0)
  }

  private onePiece(id: number, piece: number): void {
    const body = this.start(id, 4)
    writeU32(this.buffer, body, piece)
  }

  private range(id: number, piece: number, begin: number, length: number): void {
    const body = this.start(id, 12)
    writeU32(this.buffer, body, piece)
    writeU32(this.buffer, body + 4, begin)
    writeU32(this.buffer, body + 8, length)
  }

  /** Writes the length prefix and the id; returns where the `bodySize` bytes of the body go. */
  private start(id: number, bodySize: number): number {
    const at = this.reserve(5 + bodySize)
    writeU32(this.buffer, at, 1 + bodySize)
    this.buffer[at + 4] = id
    return at + 5
  }

  /** Makes room for `size` more bytes and returns where they begin. */
  private reserve(size: number): number {
    const at = this.length
    if (at + size > this.buffer.length) this.grow(at + size)
    this.length = at + size
    this.written += size
    return at
  }

  private grow(needed: number): void {
    const reused = this.length === 0 ? this.kept.pop() : undefined
    const grown =
      reused !== undefined && reused.byteLength >= needed
        ? new Uint8Array(reused)
        : new Uint8Array(Math.max(needed, this.buffer.length * 2, FIRST_SIZE))
    grown.set(this.buffer.subarray(0, this.length))
    this.buffer = grown
  }
}
