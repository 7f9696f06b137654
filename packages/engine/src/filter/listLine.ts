import { addressToBytes, isMappedV4 } from '../address/addressBytes.ts'
import { latin1, readU32 } from '../util/bytes.ts'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const HASH = 0x23
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const SLASH = 0x2f
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const SEMICOLON = 0x3b

/** eMule blocks what has a level below this. */
const FIRST_ALLOWED_LEVEL = 127
/** The longest text of an IPv6 address. */
const MAX_V6_LENGTH = 45

/** What a line says: a range to block, a range that is allowed, nothing, or nothing that can be understood. */
export type LineMeaning = 'range' | 'allowed' | 'blank' | 'bad'

/**
 * Reads the lines of lists, whatever their format, without making anything out of them: `first`, `last` and `family` hold
 * the range of the last line that had one.
 *
 *     001.002.003.004 - 001.002.003.255 , 000 , eMule .dat: decimal, level below 127 blocked
 *     Name: with colons:1.2.3.4-1.2.3.255      PeerGuardian .p2p
 *     1.2.3.0/24      2001:db8::/32      1.2.3.4      1.2.3.4 - 1.2.3.9
 *     # ; // comments, also after an address
 */
export class ListLine {
  /** Of IPv4 one word, of IPv6 four; most significant first. */
  readonly first = new Uint32Array(4)
  readonly last = new Uint32Array(4)
  family: 4 | 6 = 4
  private bytes: Uint8Array = new Uint8Array(0)
  private at = 0
  private end = 0

  /** The line from `begin` to `end`, without what ends it. */
  read(bytes: Uint8Array, begin: number, end: number): LineMeaning {
    this.bytes = bytes
    this.at = begin
    this.end = end
    this.skipSpace()
    if (this.isAtEnd()) return 'blank'
    const meaning = this.readAddresses()
    return meaning === 'bad' ? this.readNamed(begin) : meaning
  }

  private readAddresses(): LineMeaning {
    const family = this.readAddress(this.first)
    if (family === 0) return 'bad'
    this.family = family
    this.skipSpace()
    if (this.isAtEnd()) {
      this.last.set(this.first)
      return 'range'
    }
    const separator = this.bytes[this.at++]
    if (separator === SLASH) return this.readPrefix()
    if (separator !== MINUS) return 'bad'
    this.skipSpace()
    if (this.readAddress(this.last) !== family || this.isReversed()) return 'bad'
    this.skipSpace()
    if (this.isAtEnd()) return 'range'
    return this.bytes[this.at++] === COMMA ? this.readLevel() : 'bad'
  }

  /** `NAME:FIRST-LAST`; the name may be anything. */
  private readNamed(begin: number): LineMeaning {
    const colon = this.bytes.subarray(begin, this.end).lastIndexOf(COLON)
    if (colon === -1) return 'bad'
    this.at = begin + colon + 1
    this.skipSpace()
    if (this.readAddress(this.first) !== 4) return 'bad'
    this.skipSpace()
    if (this.at >= this.end || this.bytes[this.at++] !== MINUS) return 'bad'
    this.skipSpace()
    this.family = 4
    if (this.readAddress(this.last) !== 4 || this.isReversed()) return 'bad'
    this.skipSpace()
    return this.at >= this.end ? 'range' : 'bad'
  }

  private readPrefix(): LineMeaning {
    const length = this.readNumber(3)
    this.skipSpace()
    const words = this.family === 4 ? 1 : 4
    if (length === -1 || length > words * 32 || !this.isAtEnd()) return 'bad'
    for (let i = 0; i < words; i++) {
      const bits = Math.min(32, Math.max(0, length - i * 32))
      const hostMask = bits === 32 ? 0 : 0xffff_ffff >>> bits
      this.first[i] &= ~hostMask
      this.last[i] = this.first[i] | hostMask
    }
    return 'range'
  }

  private readLevel(): LineMeaning {
    this.skipSpace()
    // For eMule a range without a level is one to block.
    if (this.at === this.end || this.bytes[this.at] === COMMA) return 'range'
    const level = this.readNumber(5)
    this.skipSpace()
    if (level === -1 || (this.at < this.end && this.bytes[this.at] !== COMMA)) return 'bad'
    return level < FIRST_ALLOWED_LEVEL ? 'range' : 'allowed'
  }

  /** Reads an address into `words`. 0, and nothing read, when there is none. */
  private readAddress(words: Uint32Array): 0 | 4 | 6 {
    return this.readV4(words) ? 4 : this.readV6(words)
  }

  /** Leading zeros mean nothing: eMule's lists have them. */
  private readV4(words: Uint32Array): boolean {
    const begin = this.at
    let word = 0
    for (let i = 0; i < 4; i++) {
      const octet = i > 0 && this.bytes[this.at++] !== DOT ? -1 : this.readNumber(3)
      if (octet === -1 || octet > 255) {
        this.at = begin
        return false
      }
      word = word * 256 + octet
    }
    if (this.at < this.end && isAddressByte(this.bytes[this.at])) {
      this.at = begin
      return false
    }
    words[0] = word
    return true
  }

  private readV6(words: Uint32Array): 0 | 4 | 6 {
    const { bytes, at: begin } = this
    const limit = Math.min(this.end, begin + MAX_V6_LENGTH + 1)
    let at = begin
    while (at < limit && isAddressByte(bytes[at])) at++
    if (at - begin < 2 || !bytes.subarray(begin, at).includes(COLON)) return 0
    const address = addressToBytes(latin1(bytes.subarray(begin, at)))
    if (address === null) return 0
    this.at = at
    if (isMappedV4(address)) {
      words[0] = readU32(address, 12)
      return 4
    }
    for (let i = 0; i < 4; i++) words[i] = readU32(address, i * 4)
    return 6
  }

  /** Up to so many digits, -1 for none or more. */
  private readNumber(maxDigits: number): number {
    const begin = this.at
    let number = 0
    while (this.at < this.end) {
      const byte = this.bytes[this.at]
      if (byte < ZERO || byte > NINE) break
      if (this.at - begin === maxDigits) return -1
      number = number * 10 + byte - ZERO
      this.at++
    }
    return this.at === begin ? -1 : number
  }

  private isReversed(): boolean {
    const words = this.family === 4 ? 1 : 4
    for (let i = 0; i < words; i++) if (this.first[i] !== this.last[i]) return this.first[i] > this.last[i]
    return false
  }

  private skipSpace(): void {
    while (this.at < this.end && isSpace(this.bytes[this.at])) this.at++
  }

  /** Nothing follows but a comment. */
  private isAtEnd(): boolean {
    if (this.at >= this.end) return true
    const byte = this.bytes[this.at]
    return byte === HASH || byte === SEMICOLON || (byte === SLASH && this.bytes[this.at + 1] === SLASH)
  }
}

/** Whether a line ends here: `\n`, `\r\n` or `\r`. */
export function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB
}

/** Hexadecimal digits, `:` and `.`. */
function isAddressByte(byte: number): boolean {
  if (byte >= ZERO && byte <= COLON) return true
  const letter = byte | 0x20
  return byte === DOT || (letter >= 0x61 && letter <= 0x66)
}
