import { fromLatin1 } from '../util/bytes.ts'
import { decodeReserved, RESERVED_SIZE, type ReservedFeatures } from './reservedBits.ts'

/** Bytes of a handshake: length byte, protocol string, reserved bytes, info-hash, peer id (BEP 3). */
export const HANDSHAKE_SIZE = 68

const PROTOCOL_PREFIX = fromLatin1('\x13BitTorrent protocol')
/** Bytes of it that are the same in all: the length byte and the protocol string. */
export const PROTOCOL_PREFIX_SIZE = PROTOCOL_PREFIX.length
const RESERVED_AT = PROTOCOL_PREFIX_SIZE
const INFO_HASH_AT = RESERVED_AT + RESERVED_SIZE
const PEER_ID_AT = INFO_HASH_AT + 20

export interface HandshakeFields {
  /** 20 bytes; of a v2 torrent the truncated hash. */
  readonly infoHash: Uint8Array
  /** 20 bytes. */
  readonly peerId: Uint8Array
  /** 8 bytes, from `encodeReserved`. */
  readonly reserved: Uint8Array
}

/** What a peer said in its handshake; the arrays are copies. */
export interface Handshake extends HandshakeFields, ReservedFeatures {}

/**
 * The 68 bytes to send first on a connection.
 * @throws RangeError when a field has the wrong number of bytes.
 */
export function encodeHandshake(fields: HandshakeFields): Uint8Array {
  const { infoHash, peerId, reserved } = fields
  if (infoHash.length !== 20) throw new RangeError(`an info-hash has 20 bytes, not ${infoHash.length}`)
  if (peerId.length !== 20) throw new RangeError(`a peer id has 20 bytes, not ${peerId.length}`)
  if (reserved.length !== RESERVED_SIZE) throw new RangeError(`there are 8 reserved bytes, not ${reserved.length}`)
  const out = new Uint8Array(HANDSHAKE_SIZE)
  out.set(PROTOCOL_PREFIX, 0)
  out.set(reserved, RESERVED_AT)
  out.set(infoHash, INFO_HASH_AT)
  out.set(peerId, PEER_ID_AT)
  return out
}

/** Reads the first 68 bytes of `bytes`. Null when there are fewer, or the protocol string is another. */
export function decodeHandshake(bytes: Uint8Array): Handshake | null {
  if (bytes.length < HANDSHAKE_SIZE || !startsLikeHandshake(bytes)) return null
  const reserved = copyOf(bytes, RESERVED_AT, INFO_HASH_AT)
  return {
    infoHash: copyOf(bytes, INFO_HASH_AT, PEER_ID_AT),
    peerId: copyOf(bytes, PEER_ID_AT, HANDSHAKE_SIZE),
    reserved,
    ...decodeReserved(reserved),
  }
}

/** A copy even of a part of a Buffer, whose own `slice` shares memory. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to))
}

/**
 * False as soon as the bytes there are cannot begin a plain handshake: the peer speaks another protocol,
 * or begins with an encrypted handshake. True for an empty array.
 */
export function startsLikeHandshake(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, PROTOCOL_PREFIX.length)
  for (let i = 0; i < length; i++) if (bytes[i] !== PROTOCOL_PREFIX[i]) return false
  return true
}

/**
 * `collecting`: more bytes are needed. `complete`: `handshake` can be read.
 * `invalid`: another protocol; what came so far is in `collected`.
 */
export type HandshakeReaderState = 'collecting' | 'complete' | 'invalid'

/**
 * Collects the first 68 bytes of a connection, however they are cut, and takes not one byte more.
 * A wrong protocol string is noticed at its first wrong byte, so nothing waits for bytes that will never come.
 */
export class HandshakeReader {
  private readonly buffer = new Uint8Array(HANDSHAKE_SIZE)
  private length = 0
  private current: HandshakeReaderState = 'collecting'
  private decoded: Handshake | null = null

  get state(): HandshakeReaderState {
    return this.current
  }

  /** The handshake once the state is `complete`, else null. */
  get handshake(): Handshake | null {
    return this.decoded
  }

  /**
   * The info-hash as soon as its bytes are there, before the peer id: enough to answer an incoming connection,
   * which is what trackers that check for reachability wait for. Else null.
   */
  get infoHash(): Uint8Array | null {
    return this.current !== 'invalid' && this.length >= PEER_ID_AT ? this.buffer.slice(INFO_HASH_AT, PEER_ID_AT) : null
  }

  /** The bytes taken so far; a view. */
  get collected(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** Takes what it needs from the start of `chunk` and returns how many bytes that were; 0 once not `collecting`. */
  push(chunk: Uint8Array): number {
    if (this.current !== 'collecting') return 0
    const take = Math.min(chunk.length, HANDSHAKE_SIZE - this.length)
    this.buffer.set(chunk.subarray(0, take), this.length)
    this.length += take
    if (!startsLikeHandshake(this.collected)) {
      this.current = 'invalid'
    } else if (this.length === HANDSHAKE_SIZE) {
      this.decoded = decodeHandshake(this.buffer)
      this.current = 'complete'
    }
    return take
  }
}
