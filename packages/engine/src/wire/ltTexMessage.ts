import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import { latin1, utf8 } from '../util/bytes.ts'

/** Room for all trackers anybody should have; a longer message is an attack. */
export const MAX_LT_TEX_MESSAGE_SIZE = 64 * 1024
/** Of each message no more URLs are read, and no longer ones. */
const MAX_URLS = 100
const MAX_URL_LENGTH = 1024
const DECODE_LIMITS = { depth: 10, tokens: 1000 }

/** An `lt_tex` message: trackers that were added since the one before (BEP 28). */
export function encodeLtTex(added: readonly string[]): Uint8Array {
  return bencode({ added: added.filter((url) => url.length <= MAX_URL_LENGTH).map(utf8) })
}

/**
 * Reads a payload; null when it is no dictionary (`invalidLtTrackerMessage`). Texts that cannot be URLs are left out:
 * too long ones, and those with other bytes than visible ASCII, as in libtorrent.
 */
export function decodeLtTex(payload: Uint8Array): string[] | null {
  if (payload.length > MAX_LT_TEX_MESSAGE_SIZE) return null
  const decoded = bdecode(payload, DECODE_LIMITS)
  if (!decoded.ok || decoded.root.type !== 'dict') return null
  const urls: string[] = []
  let read = 0
  for (const item of decoded.root.getList('added') ?? []) {
    if (read++ === MAX_URLS) break
    const bytes = item.asString()
    if (bytes !== null && bytes.length <= MAX_URL_LENGTH && isVisibleAscii(bytes)) urls.push(latin1(bytes))
  }
  return urls
}

function isVisibleAscii(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((byte) => byte > 0x20 && byte < 0x7f)
}
