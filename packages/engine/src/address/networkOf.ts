import { toHex } from '../util/bytes.ts'
import { addressToBytes } from './addressBytes.ts'

/**
 * What strangers are counted by: the address itself, or of IPv6 the /64, which one subscriber has whole. The text is a key
 * and nothing more.
 */
export function networkOf(address: string): string {
  const bytes = addressToBytes(address)
  return bytes === null || bytes.length === 4 ? address : toHex(bytes.subarray(0, 8))
}
