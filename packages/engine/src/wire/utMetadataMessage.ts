import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { EntryObject } from '../bencode/entry.ts'
import { concatBytes } from '../util/bytes.ts'

/** The info section travels in pieces of this many bytes, the last one shorter (BEP 9). */
export const METADATA_PIECE_SIZE = 16 * 1024

/** A message is a dictionary and at most one piece; anything longer is an attack (libtorrent's 17 KiB). */
export const MAX_METADATA_MESSAGE_SIZE = 17 * 1024

/** A `ut_metadata` message (BEP 9). `piece` is not checked against anything. */
export type UtMetadataMessage =
  | { readonly type: 'request'; readonly piece: number }
  /** `totalSize` is of the whole info section, 0 when not said; `data` is a view into the payload it was read from. */
  | { readonly type: 'data'; readonly piece: number; readonly totalSize: number; readonly data: Uint8Array }
  | { readonly type: 'reject'; readonly piece: number }

const TYPES = ['request', 'data', 'reject'] as const

export function encodeUtMetadata(message: UtMetadataMessage): Uint8Array {
  const entry: EntryObject = {
    msg_type: TYPES.indexOf(message.type),
    piece: message.piece,
    total_size: message.type === 'data' ? message.totalSize : undefined,
  }
  const header = bencode(entry)
  return message.type === 'data' ? concatBytes(header, message.data) : header
}

/**
 * Reads a payload. `invalid`: not such a message, or too long; the peer is closed with `invalidMetadataMessage`.
 * `unknown`: of a type that may come to exist, to be ignored (BEP 9).
 */
export function decodeUtMetadata(payload: Uint8Array): UtMetadataMessage | 'invalid' | 'unknown' {
  if (payload.length > MAX_METADATA_MESSAGE_SIZE) return 'invalid'
  const decoded = bdecode(payload, { depth: 10, tokens: 1000 })
  if (!decoded.ok || decoded.root.type !== 'dict') return 'invalid'
  const { root } = decoded
  const type = root.getInt('msg_type')
  const piece = root.getInt('piece')
  if (type === null || piece === null) return 'invalid'
  switch (TYPES[type]) {
    case 'request':
      return { type: 'request', piece }
    case 'data':
      return { type: 'data', piece, totalSize: root.getInt('total_size') ?? 0, data: payload.subarray(root.end) }
    case 'reject':
      return { type: 'reject', piece }
    default:
      return 'unknown'
  }
}
