import { fromHex, toHex } from '../util/bytes.ts'

/** What a mutable torrent is known by (BEP 46): its publisher names the newest version in an item of the DHT. */
export interface MutableTorrent {
  /** Of the publisher: 32 bytes. */
  readonly publicKey: Uint8Array
  /** Which of the publisher's items: up to 64 bytes; empty: the one without. */
  readonly salt: Uint8Array
}

const KEY_BYTES = 32
const MAX_SALT_BYTES = 64

/** Of `xs` and `s` of a magnet link; null when they name none. A salt that cannot be one would name another item. */
export function readMutableTorrent(xs: string, s: string): MutableTorrent | null {
  const publicKey = /^urn:btpk:/i.test(xs) ? fromHex(xs.slice(9)) : null
  return mutableTorrentOf(publicKey, s.length <= MAX_SALT_BYTES * 2 ? fromHex(s) : null)
}

/** Null where key or salt are none. */
export function mutableTorrentOf(publicKey: Uint8Array | null, salt: Uint8Array | null): MutableTorrent | null {
  if (publicKey?.length !== KEY_BYTES || salt === null || salt.length > MAX_SALT_BYTES) return null
  return { publicKey, salt }
}

/** The parameters of a magnet link that `readMutableTorrent` reads. */
export function mutableTorrentParts({ publicKey, salt }: MutableTorrent): string[] {
  const key = `xs=urn:btpk:${toHex(publicKey)}`
  return salt.length === 0 ? [key] : [key, `s=${toHex(salt)}`]
}
