import { isUtf8 } from 'node:buffer'

/** A UTF-8 sequence that is none, as `readCodePoint` reports it. */
const INVALID_CODE_POINT = -1

/**
 * The code point at `offset` of `bytes`, packed with the number of bytes it takes: `(codePoint << 3) | length`, or
 * `INVALID_CODE_POINT << 3 | length` with the bytes to skip. As in libtorrent a broken sequence takes all the bytes its
 * first byte announces, so that names come out the same.
 */
export function readCodePoint(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset]
  if (first < 0x80) return (first << 3) | 1
  const length = sequenceLength(first)
  if (length === 0) return (INVALID_CODE_POINT << 3) | 1
  const left = bytes.length - offset
  if (length > left) return (INVALID_CODE_POINT << 3) | left
  const invalid = (INVALID_CODE_POINT << 3) | length
  if (length > 4) return invalid
  let point = first & (0x7f >> length)
  for (let i = 1; i < length; i++) {
    const byte = bytes[offset + i]
    if ((byte & 0xc0) !== 0x80) return invalid
    point = (point << 6) | (byte & 0x3f)
  }
  const overlong = point < (length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000)
  if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return invalid
  return (point << 3) | length
}

/** Bytes of the sequence that `first` announces; 0 for a byte that begins none. Five is skipped but never valid. */
function sequenceLength(first: number): number {
  if (first >= 0xfc || first < 0xc0) return 0
  return first >= 0xf8 ? 5 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
}

/** Text of `bytes` as UTF-8; each broken sequence becomes `_`, as in libtorrent. */
export function verifiedText(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const packed = readCodePoint(bytes, at)
    text += packed < 0 ? '_' : String.fromCodePoint(packed >> 3)
    at += packed & 7
  }
  return text
}
