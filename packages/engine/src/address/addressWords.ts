import { readU32, writeU32 } from '../util/bytes.ts'
import { addressToBytes, formatV6, isMappedV4 } from './addressBytes.ts'
import { parseV4Word } from './parseV4Word.ts'

/** The dotted quad of an unsigned number of 32 bits. */
export function v4WordToAddress(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** The IPv6 text of four numbers of 32 bits, most significant first; never a dotted quad. */
export function v6WordsToAddress(words: Uint32Array): string {
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 4; i++) writeU32(bytes, i * 4, words[i])
  return formatV6(bytes)
}

/**
 * Parses an address of either family into `words`: gives 4 for IPv4, which takes `words[0]`, 6 for IPv6, which takes all
 * four, and 0 for text that is no address. An IPv4-mapped address (`::ffff:1.2.3.4`) is IPv4.
 */
export function parseAddressWords(text: string, words: Uint32Array): 0 | 4 | 6 {
  const word = parseV4Word(text)
  if (word !== -1) {
    words[0] = word
    return 4
  }
  const bytes = text.includes(':') ? addressToBytes(text) : null
  if (bytes === null) return 0
  if (isMappedV4(bytes)) {
    words[0] = readU32(bytes, 12)
    return 4
  }
  for (let i = 0; i < 4; i++) words[i] = readU32(bytes, i * 4)
  return 6
}
