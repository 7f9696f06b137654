import { readU16, readU32, writeU16, writeU32 } from '../util/bytes.ts'

/** Bytes of a header without extensions. */
export const HEADER_BYTES = 20

/** Kinds of packets (BEP 29, "type"). */
export const PacketType = { data: 0, fin: 1, state: 2, reset: 3, syn: 4 } as const

/**
 * Header extensions: the selective ack of BEP 29; `bits`, 8 bytes that once told of abilities and now of nothing; and
 * ours, which receivers skip like any they do not know.
 */
export const Extension = { none: 0, selectiveAck: 1, bits: 2, padding: 0x50 } as const

const VERSION = 1
const LONGEST_EXTENSION_BYTES = 255

/** The fields of a header; one object is read into again and again. */
export class UtpHeader {
  /** A `PacketType`. */
  type = 0
  connectionId = 0
  /** The sender's clock, microseconds modulo 2^32. */
  timestamp = 0
  /** What the sender measured of our last packet: its clock minus our timestamp. 0: nothing yet. */
  timestampDifference = 0
  /** Bytes the sender is ready to take beyond what it has acknowledged. */
  window = 0
  seq = 0
  ack = 0
  /** Where the bits of the selective ack are, and how many bytes; 0 bytes: there is none. */
  sackAt = 0
  sackBytes = 0
  /** Where the payload begins. */
  payloadAt = 0
}

/** True when the packet claims to be uTP: no message of the DHT or of a UDP tracker begins like that. */
export function looksLikeUtp(packet: Uint8Array): boolean {
  return packet.length >= HEADER_BYTES && (packet[0] & 0x0f) === VERSION && packet[0] >> 4 <= PacketType.syn
}

/** Reads the header of a packet that `looksLikeUtp`. False when its extensions reach beyond its end. */
export function readHeader(packet: Uint8Array, header: UtpHeader): boolean {
  header.type = packet[0] >> 4
  header.connectionId = readU16(packet, 2)
  header.timestamp = readU32(packet, 4)
  header.timestampDifference = readU32(packet, 8)
  header.window = readU32(packet, 12)
  header.seq = readU16(packet, 16)
  header.ack = readU16(packet, 18)
  header.sackBytes = 0
  let extension = packet[1]
  let at = HEADER_BYTES
  // Each round takes two bytes at least, so that it ends.
  while (extension !== Extension.none) {
    if (at + 2 > packet.length) return false
    const length = packet[at + 1]
    if (at + 2 + length > packet.length) return false
    if (extension === Extension.selectiveAck && header.sackBytes === 0) {
      header.sackAt = at + 2
      header.sackBytes = length
    }
    extension = packet[at]
    at += 2 + length
  }
  header.payloadAt = at
  return true
}

/** Writes what of a header stays the same however often the packet is sent. */
export function writeHeader(packet: Uint8Array, type: number, connectionId: number, seq: number): void {
  packet[0] = (type << 4) | VERSION
  packet[1] = Extension.none
  writeU16(packet, 2, connectionId)
  writeU16(packet, 16, seq)
}

/** Writes what of a header is of the moment it is sent. */
export function stampHeader(
  packet: Uint8Array,
  timestamp: number,
  timestampDifference: number,
  window: number,
  ack: number,
): void {
  writeU32(packet, 4, timestamp)
  writeU32(packet, 8, timestampDifference)
  writeU32(packet, 12, window)
  writeU16(packet, 18, ack)
}

const BITS_BYTES = 2 + 8
/** Least that `writePadding` can fill. */
export const LEAST_PADDING_BYTES = BITS_BYTES + 2

/**
 * Fills `count` bytes behind a header without extensions, `LEAST_PADDING_BYTES` or more, with ones that say nothing. The
 * first is one that everybody knows: libutp drops packets that begin with another.
 */
export function writePadding(packet: Uint8Array, count: number): void {
  packet[1] = Extension.bits
  packet[HEADER_BYTES] = Extension.padding
  packet[HEADER_BYTES + 1] = BITS_BYTES - 2
  packet.fill(0, HEADER_BYTES + 2, HEADER_BYTES + BITS_BYTES)
  let at = HEADER_BYTES + BITS_BYTES
  let left = count - BITS_BYTES
  while (left > 0) {
    let take = Math.min(left, 2 + LONGEST_EXTENSION_BYTES)
    // A single byte would be left over, which is no extension.
    if (left - take === 1) take--
    left -= take
    packet[at] = left > 0 ? Extension.padding : Extension.none
    packet[at + 1] = take - 2
    packet.fill(0, at + 2, at + take)
    at += take
  }
}
