import { bdecode } from '../bencode/bdecode.ts'
import type { Entry } from '../bencode/entry.ts'
import { Sha1Hash } from '../util/digest.ts'

/** The value of an item that names a torrent (BEP 46). */
export function torrentItem(infoHash: Sha1Hash): Entry {
  return { ih: infoHash.bytes }
}

/** The torrent an item's bencoded value names; null when it is about something else. Other keys are passed over. */
export function torrentInItem(value: Uint8Array): Sha1Hash | null {
  const result = bdecode(value)
  const bytes = result.ok && result.root.type === 'dict' ? result.root.getString('ih') : null
  return bytes !== null && bytes.length === Sha1Hash.size ? new Sha1Hash(bytes.slice()) : null
}
