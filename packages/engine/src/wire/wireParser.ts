import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import { EMPTY_BYTES, readU16, readU32 } from '../util/bytes.ts'
import { MessageId, PIECE_HEADER_SIZE } from './messageId.ts'
import type { WireHandler } from './wireHandler.ts'

export interface WireParserLimits {
  /** Largest length prefix of anything but a piece message, extension messages included. Default 2 MiB. */
  readonly maxMessageBytes?: number
  /** Largest block of a piece message. Default 1 MiB: whether it was asked for is the handler's to judge. */
  readonly maxBlockBytes?: number
  /** Whether both sides announced the fast extension; without it its messages are invalid (BEP 6). Default true. */
  readonly supportsFast?: boolean
}

const DEFAULT_MAX_MESSAGE_BYTES = 2 * 1024 * 1024
const DEFAULT_MAX_BLOCK_BYTES = 1024 * 1024

/** Length prefix and id. */
const PREFIX_SIZE = 5
/** What is first set aside for a message cut between two chunks: any fixed-size message fits. */
const FIRST_GATHER_SIZE = 32

/**
 * Cuts the byte stream of a peer, after the handshake, into messages.
 *
 * The body of a piece message is never copied here: the handler gets ranges of the chunks it arrived in.
 * Other messages are read in place when they lie whole inside a chunk. One that does not is gathered
 * in a small buffer, which grows as bytes really arrive and never by the length the peer claims.
 * Ids and lengths are judged as soon as they are seen, not when the message is complete.
 */
export class WireParser {
  private readonly maxMessageBytes: number
  private readonly maxBlockBytes: number
  private readonly supportsFast: boolean

  /** `messages`: between or inside other messages. `body`: inside a block. `refused`: the handler had no room. */
  private state: 'messages' | 'body' | 'refused' | 'dead' = 'messages'

  /** The start of a message that was cut by the end of a chunk. */
  private gathered: Uint8Array = EMPTY_BYTES
  private gatheredLength = 0

  private bodyPiece = 0
  private bodyBegin = 0
  private bodyLength = 0
  private bodyOffset = 0

  private payload = 0

  constructor(
    private readonly handler: WireHandler,
    limits: WireParserLimits = {},
  ) {
    this.maxMessageBytes = limits.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES
    this.maxBlockBytes = limits.maxBlockBytes ?? DEFAULT_MAX_BLOCK_BYTES
    this.supportsFast = limits.supportsFast ?? true
  }

  /** True while a block waits because `onPieceBegin` answered false; the next push, even of nothing, asks again. */
  get isRefused(): boolean {
    return this.state === 'refused'
  }

  /** True after `onInvalid` or `stop`. */
  get isDead(): boolean {
    return this.state === 'dead'
  }

  /** Bytes of blocks handed over so far; all else that was consumed is protocol. */
  get payloadBytes(): number {
    return this.payload
  }

  /**
   * Parses a chunk and returns how many of its bytes were consumed: fewer than all only when `onPieceBegin`
   * answered false, or after `onInvalid` or `stop`. The rest is to be pushed again, before anything else.
   */
  push(bytes: Uint8Array): number {
    // A plain view, once a chunk: `slice` of a Buffer's part shares memory where whoever keeps bytes expects a copy.
    const chunk = Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes
    const end = chunk.length
    let at = 0
    if (this.state === 'refused') this.offerBlock()
    for (;;) {
      if (this.state === 'body') {
        if (at === end) return at
        at = this.passBody(chunk, at)
      } else if (this.state !== 'messages' || at === end) {
        return at
      } else if (this.gatheredLength > 0) {
        at = this.gather(chunk, at)
      } else {
        const next = this.parseInPlace(chunk, at)
        if (next === at) return this.isDead ? at : this.keep(chunk, at)
        at = next
      }
    }
  }

  /** Ends parsing: the owner has destroyed the peer, perhaps inside a callback. Nothing is called or consumed any more. */
  stop(): void {
    this.state = 'dead'
    this.gathered = EMPTY_BYTES
    this.gatheredLength = 0
  }

  private passBody(chunk: Uint8Array, at: number): number {
    const offset = this.bodyOffset
    const to = Math.min(chunk.length, at + this.bodyLength - offset)
    this.bodyOffset = offset + to - at
    this.payload += to - at
    // The state changes first: `stop` inside the callbacks must have the last word.
    const finished = this.bodyOffset === this.bodyLength
    if (finished) this.state = 'messages'
    this.handler.onPieceBytes(chunk, at, to, offset)
    if (finished && !this.isDead) this.handler.onPieceEnd()
    return to
  }

  private offerBlock(): void {
    const taken = this.handler.onPieceBegin(this.bodyPiece, this.bodyBegin, this.bodyLength)
    if (!this.isDead) this.state = taken ? 'body' : 'refused'
  }

  /** Parses the message at `at` if all of it that is needed is there. Returns where the next begins, or `at`. */
  private parseInPlace(chunk: Uint8Array, at: number): number {
    const there = chunk.length - at
    const needed = this.bytesNeeded(chunk, at, there)
    if (needed > there) return at
    this.dispatch(chunk, at, needed)
    return at + needed
  }

  /** Sets the rest of `chunk`, the start of a message, aside. Returns the chunk's end. */
  private keep(chunk: Uint8Array, at: number): number {
    this.append(chunk, at, chunk.length)
    return chunk.length
  }

  /** Adds to the gathered message what it needs next, and parses it when it is complete. Returns the new position. */
  private gather(chunk: Uint8Array, at: number): number {
    let position = at
    for (;;) {
      const needed = this.bytesNeeded(this.gathered, 0, this.gatheredLength)
      if (this.isDead) return position
      if (needed <= this.gatheredLength) {
        // Out of the gathering state before the callback, which may stop the parser.
        this.gatheredLength = 0
        const message = this.gathered
        if (message.length > FIRST_GATHER_SIZE) this.gathered = EMPTY_BYTES
        this.dispatch(message, 0, needed)
        return position
      }
      if (position === chunk.length) return position
      const to = Math.min(chunk.length, position + needed - this.gatheredLength)
      this.append(chunk, position, to)
      position = to
    }
  }

  private append(chunk: Uint8Array, from: number, to: number): void {
    const length = this.gatheredLength + to - from
    if (this.gathered.length < length) {
      const grown = new Uint8Array(Math.max(length, this.gathered.length * 2, FIRST_GATHER_SIZE))
      grown.set(this.gathered.subarray(0, this.gatheredLength))
      this.gathered = grown
    }
    // Few bytes are copied faster one by one than through a view.
    if (to - from <= 16) {
      for (let i = from, j = this.gatheredLength; i < to; i++, j++) this.gathered[j] = chunk[i]
    } else {
      this.gathered.set(chunk.subarray(from, to), this.gatheredLength)
    }
    this.gatheredLength = length
  }

  /**
   * How many bytes from the message's first are needed before it can be dispatched, as far as the `there` bytes tell:
   * all of it, or of a piece message the header. Kills the parser when what is there is already wrong.
   */
  private bytesNeeded(bytes: Uint8Array, at: number, there: number): number {
    if (there < 4) return 4
    const length = readU32(bytes, at)
    if (length === 0) return 4
    if (length > this.maxMessageBytes && length > this.maxBlockBytes + 9) return this.fail('packetTooLarge')
    if (there < PREFIX_SIZE) return PREFIX_SIZE
    const id = bytes[at + 4]
    if (id === MessageId.piece) {
      if (length < 9) return this.fail('invalidPiece')
      if (length === 9) return this.fail('peerSentEmptyPiece')
      return length - 9 > this.maxBlockBytes ? this.fail('packetTooLarge') : PIECE_HEADER_SIZE
    }
    const wrong = this.wrongLength(id, length)
    if (wrong !== null) return this.fail(wrong)
    return length > this.maxMessageBytes ? this.fail('packetTooLarge') : 4 + length
  }

  /** The error of a message with `id` and the length prefix `length`, or null when the two agree. */
  private wrongLength(id: number, length: number): LibtorrentErrorCode | null {
    switch (id) {
      case MessageId.choke:
        return length === 1 ? null : 'invalidChoke'
      case MessageId.unchoke:
        return length === 1 ? null : 'invalidUnchoke'
      case MessageId.interested:
        return length === 1 ? null : 'invalidInterested'
      case MessageId.notInterested:
        return length === 1 ? null : 'invalidNotInterested'
      case MessageId.have:
        return length === 5 ? null : 'invalidHave'
      case MessageId.bitfield:
        return null
      case MessageId.request:
        return length === 13 ? null : 'invalidRequest'
      case MessageId.cancel:
        return length === 13 ? null : 'invalidCancel'
      case MessageId.dhtPort:
        return length === 3 ? null : 'invalidDhtPort'
      case MessageId.suggest:
        return this.supportsFast && length === 5 ? null : 'invalidSuggest'
      case MessageId.haveAll:
        return this.supportsFast && length === 1 ? null : 'invalidHaveAll'
      case MessageId.haveNone:
        return this.supportsFast && length === 1 ? null : 'invalidHaveNone'
      case MessageId.reject:
        return this.supportsFast && length === 13 ? null : 'invalidReject'
      case MessageId.allowedFast:
        return this.supportsFast && length === 5 ? null : 'invalidAllowFast'
      case MessageId.extended:
        return length >= 2 ? null : 'invalidExtended'
      default:
        return 'invalidMessage'
    }
  }

  /** Returns a number no chunk can satisfy, so that nothing more is consumed. */
  private fail(code: LibtorrentErrorCode): number {
    this.stop()
    this.handler.onInvalid(code)
    return Number.POSITIVE_INFINITY
  }

  /** Hands the message at `bytes[at, at + size)` to the handler; its length has been checked. */
  private dispatch(bytes: Uint8Array, at: number, size: number): void {
    const handler = this.handler
    if (size === 4) {
      handler.onKeepAlive()
      return
    }
    const body = at + PREFIX_SIZE
    switch (bytes[at + 4]) {
      case MessageId.choke:
        handler.onChoke()
        break
      case MessageId.unchoke:
        handler.onUnchoke()
        break
      case MessageId.interested:
        handler.onInterested()
        break
      case MessageId.notInterested:
        handler.onNotInterested()
        break
      case MessageId.have:
        handler.onHave(readU32(bytes, body))
        break
      case MessageId.bitfield:
        handler.onBitfield(bytes.subarray(body, at + size))
        break
      case MessageId.request:
        handler.onRequest(readU32(bytes, body), readU32(bytes, body + 4), readU32(bytes, body + 8))
        break
      case MessageId.piece:
        this.bodyPiece = readU32(bytes, body)
        this.bodyBegin = readU32(bytes, body + 4)
        this.bodyLength = readU32(bytes, at) - 9
        this.bodyOffset = 0
        this.offerBlock()
        break
      case MessageId.cancel:
        handler.onCancel(readU32(bytes, body), readU32(bytes, body + 4), readU32(bytes, body + 8))
        break
      case MessageId.dhtPort:
        handler.onDhtPort(readU16(bytes, body))
        break
      case MessageId.suggest:
        handler.onSuggest(readU32(bytes, body))
        break
      case MessageId.haveAll:
        handler.onHaveAll()
        break
      case MessageId.haveNone:
        handler.onHaveNone()
        break
      case MessageId.reject:
        handler.onReject(readU32(bytes, body), readU32(bytes, body + 4), readU32(bytes, body + 8))
        break
      case MessageId.allowedFast:
        handler.onAllowedFast(readU32(bytes, body))
        break
      case MessageId.extended:
        handler.onExtended(bytes[body], bytes.subarray(body + 1, at + size))
        break
    }
  }
}
