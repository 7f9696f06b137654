/** Castagnoli's polynomial 0x1EDC6F41, bit-reversed. */
const POLYNOMIAL = 0x82f63b78

const TABLE = new Uint32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0)
  TABLE[byte] = value
}

/** CRC-32C (Castagnoli) of `bytes`, unsigned: the checksum of BEP 40 and BEP 42. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff]
  return (crc ^ 0xffffffff) >>> 0
}
