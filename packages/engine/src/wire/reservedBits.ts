/** Number of reserved bytes in the handshake (BEP 3). */
export const RESERVED_SIZE = 8

/** What the eight reserved bytes of a handshake announce. */
export interface ReservedFeatures {
  /** Extension protocol, BEP 10: byte 5, 0x10. */
  readonly supportsExtensions: boolean
  /** Fast extension, BEP 6: byte 7, 0x04. */
  readonly supportsFast: boolean
  /** DHT, BEP 5: byte 7, 0x01. */
  readonly supportsDht: boolean
  /** The torrent may be upgraded to v2, BEP 52: byte 7, 0x10. */
  readonly supportsV2: boolean
}

const EXTENSIONS_BYTE = 5
const EXTENSIONS_BIT = 0x10
const LAST_BYTE = 7
const DHT_BIT = 0x01
const FAST_BIT = 0x04
const V2_BIT = 0x10

/** The reserved bytes that announce `features`; what is left out is not announced. */
export function encodeReserved(features: Partial<ReservedFeatures>): Uint8Array {
  const reserved = new Uint8Array(RESERVED_SIZE)
  if (features.supportsExtensions) reserved[EXTENSIONS_BYTE] |= EXTENSIONS_BIT
  if (features.supportsDht) reserved[LAST_BYTE] |= DHT_BIT
  if (features.supportsFast) reserved[LAST_BYTE] |= FAST_BIT
  if (features.supportsV2) reserved[LAST_BYTE] |= V2_BIT
  return reserved
}

/** What `reserved` (8 bytes) announces; unknown bits are ignored, as BEP 3 asks. */
export function decodeReserved(reserved: Uint8Array): ReservedFeatures {
  return {
    supportsExtensions: (reserved[EXTENSIONS_BYTE] & EXTENSIONS_BIT) !== 0,
    supportsFast: (reserved[LAST_BYTE] & FAST_BIT) !== 0,
    supportsDht: (reserved[LAST_BYTE] & DHT_BIT) !== 0,
    supportsV2: (reserved[LAST_BYTE] & V2_BIT) !== 0,
  }
}
