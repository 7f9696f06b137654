import { addressToBytes, isMappedV4 } from '../address/addressBytes.ts'

/**
 * The bytes of an address that a socket names, as tightly as a busy tracker needs: no garbage for IPv4. IPv4 addresses
 * mapped into IPv6 are the IPv4 addresses they stand for; what cannot be read has length 0.
 */
export class SourceAddress {
  readonly bytes = new Uint8Array(16)
  /** 4, 16, or 0 for none. */
  length: 0 | 4 | 16 = 0

  /** Takes the address written in `text`. */
  parse(text: string): this {
    this.length = this.parseV4(text) ? 4 : 0
    if (this.length === 0 && text.includes(':')) this.set(addressToBytes(text))
    return this
  }

  /** Takes an address in 4 or 16 bytes; null: none. */
  set(address: Uint8Array | null): this {
    this.length = 0
    if (address === null) return this
    const bytes = isMappedV4(address) ? address.subarray(12) : address
    this.bytes.set(bytes)
    this.length = bytes.length === 4 ? 4 : 16
    return this
  }

  /** Dotted quads as sockets write them. */
  private parseV4(text: string): boolean {
    let value = 0
    let digits = 0
    let part = 0
    for (let i = 0; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 0x30
      if (digit >= 0 && digit <= 9 && digits < 3) {
        value = value * 10 + digit
        digits++
      } else if (digit === -2 && digits > 0 && value < 256 && part < 3) {
        this.bytes[part++] = value
        value = digits = 0
      } else return false
    }
    if (part !== 3 || digits === 0 || value > 255) return false
    this.bytes[3] = value
    return true
  }
}
