import { verifiedText } from './textEncoding.ts'

/** Characters that stand in a URL as they are; `%` because what it begins is escaped already. */
const PLAIN = new Uint8Array(256)
for (const char of "%+;?:@=&,$/-_!.~*()'#[]") PLAIN[char.charCodeAt(0)] = 1
for (let byte = 0; byte < 256; byte++) if (/[A-Za-z0-9]/.test(String.fromCharCode(byte))) PLAIN[byte] = 1

/** A URL from a torrent with spaces, controls and non-ASCII bytes percent-encoded, as web seeds need it. */
export function encodedUrl(bytes: Uint8Array): string {
  let url = ''
  for (const byte of bytes) {
    url += PLAIN[byte] ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`
  }
  return url
}

/**
 * A tracker's URL from a torrent or magnet link without the white space around it; empty when it has characters that no
 * URL has and that could forge a request (controls, spaces).
 */
export function trackerUrlText(bytes: Uint8Array): string {
  const url = verifiedText(bytes).trim()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\x00-\x20\x7f]/.test(url) ? '' : url
}

/** Percent-encodes everything but letters, digits and `-_!.~*()`, as UTF-8: libtorrent's `escape_string`. */
export function escapeUrlText(text: string): string {
  return encodeURIComponent(wellFormed(text)).replaceAll("'", '%27')
}

/** `text` with surrogates that stand alone replaced by U+FFFD, so that it has a UTF-8 form. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** Undoes percent-encoding, with `+` for a space: null when an escape is broken. */
export function unescapeUrlBytes(text: string): Uint8Array | null {
  const source = Buffer.from(text, 'utf8')
  const out = new Uint8Array(source.length)
  let length = 0
  for (let at = 0; at < source.length; at++) {
    let byte = source[at]
    if (byte === 0x2b) byte = 0x20
    else if (byte === 0x25) {
      const high = hexDigit(source[at + 1])
      const low = hexDigit(source[at + 2])
      if (high < 0 || low < 0) return null
      byte = high * 16 + low
      at += 2
    }
    out[length++] = byte
  }
  return out.subarray(0, length)
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}
