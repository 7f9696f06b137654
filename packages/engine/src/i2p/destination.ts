import { i2pAddressOf } from '../address/i2pAddress.ts'
import { sha256 } from '../crypto/sha1.ts'

/** Keys and an empty certificate. */
const MIN_BYTES = 387
/** Nothing is as long. */
const MAX_BYTES = 4096
/** I2P's base 64 has `-` and `~` where others have `+` and `/`. */
const TEXT = /^[A-Za-z0-9~-]+={0,2}$/

/** The address of a destination, from its full form in I2P's base 64 (without `.i2p`); null when it is none. */
export function addressOfDestination(destination: string): string | null {
  const bytes = decodeDestination(destination)
  return bytes === null ? null : i2pAddressOf(sha256(bytes).bytes)
}

/** Whether it is a full destination, not one of its names. */
export function isDestination(text: string): boolean {
  return decodeDestination(text) !== null
}

function decodeDestination(text: string): Uint8Array | null {
  if (text.length > MAX_BYTES * 2 || !TEXT.test(text)) return null
  const bytes = Buffer.from(text.replaceAll('-', '+').replaceAll('~', '/'), 'base64')
  return bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES ? bytes : null
}
