import { bdecode } from '../bencode/bdecode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { EMPTY_BYTES, fromUtf8 } from '../util/bytes.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'

/** Longest transaction id we send back: others use 2 to 8 bytes. */
const MAX_TRANSACTION_BYTES = 64
/** A packet that is shorter cannot hold a message. */
const MIN_PACKET_BYTES = 20
/** As libtorrent: no message is nested deeper, or has more parts; an item (BEP 44) may be a small tree of its own. */
const LIMITS = { depth: 10, tokens: 500, whole: true }
const MAX_ERROR_TEXT = 200

/** A question. `id` is null when it is missing or has the wrong size: an error is the answer then. */
export interface KrpcQuery {
  readonly type: 'query'
  /** `t`, to be sent back; a view of the packet. */
  readonly transaction: Uint8Array
  /** `q`; empty when it is missing. */
  readonly method: string
  /** `a`, or null when it is missing. */
  readonly args: BNode | null
  readonly id: Uint8Array | null
  /** BEP 43: the sender does not answer. */
  readonly readOnly: boolean
}

/** An answer. */
export interface KrpcReply {
  readonly type: 'reply'
  readonly transaction: Uint8Array
  /** `r`, or null when it is missing. */
  readonly values: BNode | null
  /** Null when missing or of the wrong size. */
  readonly id: Uint8Array | null
  /** `ip` (BEP 42): 6 or 18 bytes, where the sender sees us; a view. Null when missing or malformed. */
  readonly externalContact: Uint8Array | null
  readonly root: BNode
}

/** A refusal. */
export interface KrpcError {
  readonly type: 'error'
  readonly transaction: Uint8Array
  /** 0 when malformed. */
  readonly code: number
  readonly message: string
  readonly externalContact: Uint8Array | null
  readonly root: BNode
}

export type KrpcMessage = KrpcQuery | KrpcReply | KrpcError

const KEYS = ['y', 't', 'q', 'a', 'ro', 'r', 'e', 'ip']
const found: (BNode | null)[] = []

/**
 * The message in a packet (BEP 5), or null when it is none. Decodes once, copies nothing: everything in the result is a
 * view of the packet and valid as long as that is.
 */
export function decodeKrpc(packet: Uint8Array): KrpcMessage | null {
  if (packet.length <= MIN_PACKET_BYTES || packet[0] !== 0x64 || packet[packet.length - 1] !== 0x65) return null
  const decoded = bdecode(packet, LIMITS)
  if (!decoded.ok) return null
  const { root } = decoded
  root.getAll(KEYS, found)
  const [y, t, q, a, ro, r, e, ip] = found
  const type = y?.asString()
  if (type === null || type === undefined || type.length !== 1) return null
  const transaction = t?.asString() ?? EMPTY_BYTES
  if (transaction.length > MAX_TRANSACTION_BYTES) return null
  switch (type[0]) {
    case 0x71: {
      const args = a !== null && a.type === 'dict' ? a : null
      return {
        type: 'query',
        transaction,
        method: q?.asLatin1() ?? '',
        args,
        id: idIn(args),
        readOnly: (ro?.asInt() ?? 0) !== 0,
      }
    }
    case 0x72: {
      const values = r !== null && r.type === 'dict' ? r : null
      return { type: 'reply', transaction, values, id: idIn(values), externalContact: contactIn(ip), root }
    }
    case 0x65: {
      const code = e?.at(0)?.asInt() ?? 0
      const text = e?.at(1)?.asString() ?? EMPTY_BYTES
      return {
        type: 'error',
        transaction,
        code,
        message: fromUtf8(text.subarray(0, MAX_ERROR_TEXT)),
        externalContact: contactIn(ip),
        root,
      }
    }
    default:
      return null
  }
}

/** The 20 bytes of `key`, or null when there are not exactly as many. */
export function idOf(dict: BNode, key: string): Uint8Array | null {
  const id = dict.getString(key)
  return id !== null && id.length === NODE_ID_SIZE ? id : null
}

function idIn(dict: BNode | null): Uint8Array | null {
  return dict === null ? null : idOf(dict, 'id')
}

/** libtorrent takes longer strings too, and reads their beginning; some nodes leave the port out. */
function contactIn(node: BNode | null): Uint8Array | null {
  const bytes = node?.asString() ?? null
  if (bytes === null) return null
  if (bytes.length === 4 || bytes.length === 6) return bytes
  return bytes.length === 16 || bytes.length === 18 ? bytes : null
}
