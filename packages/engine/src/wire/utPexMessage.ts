import {
  COMPACT_V4_SIZE,
  COMPACT_V6_SIZE,
  decodeCompactEndpoints,
  encodeCompactEndpoint,
} from '../address/compactEndpoint.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { concatBytes } from '../util/bytes.ts'

/** A longer message is an attack (libtorrent's 500 KiB). */
export const MAX_PEX_MESSAGE_SIZE = 500 * 1024

/** A peer somebody told us of, with the `PexFlags` that are said of it. */
export interface PexPeer extends Endpoint {
  readonly flags: number
}

/** A `ut_pex` message (BEP 11): who came and who left since the one before. */
export interface UtPexMessage {
  readonly added: readonly PexPeer[]
  readonly dropped: readonly Endpoint[]
}

/** How peers are named to each other. */
export interface PexCodec {
  /** Of those who came no more are in one message (libtorrent's numbers). */
  readonly maxAdded: number
  encode(message: UtPexMessage): Uint8Array
  /** Null when it is no message. */
  decode(payload: Uint8Array): UtPexMessage | null
}

const DECODE_LIMITS = { depth: 10, tokens: 1000 }
/** Of each list no more are read: nobody keeps as many. */
const MAX_ENTRIES = 1000

export function encodeUtPex({ added, dropped }: UtPexMessage): Uint8Array {
  const [added4, added6] = byFamily(added)
  const [dropped4, dropped6] = byFamily(dropped)
  return bencode({
    added: compact(added4),
    'added.f': flags(added4),
    added6: compact(added6),
    'added6.f': flags(added6),
    dropped: compact(dropped4),
    dropped6: compact(dropped6),
  })
}

/**
 * Reads a payload; null when it is none. A list of odd length counts as not there, and so do added peers whose flags are
 * missing or of another number, as in libtorrent.
 */
export function decodeUtPex(payload: Uint8Array): UtPexMessage | null {
  const decoded = bdecode(payload, DECODE_LIMITS)
  if (!decoded.ok || decoded.root.type !== 'dict') return null
  const { root } = decoded
  return {
    added: [...readAdded(root, 'added', COMPACT_V4_SIZE), ...readAdded(root, 'added6', COMPACT_V6_SIZE)],
    dropped: [...readList(root, 'dropped', COMPACT_V4_SIZE), ...readList(root, 'dropped6', COMPACT_V6_SIZE)],
  }
}

function byFamily<E extends Endpoint>(peers: readonly E[]): [E[], E[]] {
  return [peers.filter(({ address }) => !isV6(address)), peers.filter(({ address }) => isV6(address))]
}

function compact(peers: readonly Endpoint[]): Uint8Array {
  return concatBytes(...peers.map(encodeCompactEndpoint))
}

function flags(peers: readonly PexPeer[]): Uint8Array {
  return Uint8Array.from(peers, (peer) => peer.flags)
}

function readAdded(root: BNode, key: string, size: typeof COMPACT_V4_SIZE | typeof COMPACT_V6_SIZE): PexPeer[] {
  const peerFlags = root.getString(`${key}.f`)
  const bytes = root.getString(key)
  if (bytes === null || peerFlags === null || bytes.length !== peerFlags.length * size) return []
  return readList(root, key, size).map((peer, i) => ({ ...peer, flags: peerFlags[i] }))
}

function readList(root: BNode, key: string, size: typeof COMPACT_V4_SIZE | typeof COMPACT_V6_SIZE): Endpoint[] {
  const bytes = root.getString(key)
  return bytes === null ? [] : (decodeCompactEndpoints(bytes, size, MAX_ENTRIES) ?? [])
}

/** `ut_pex`. */
export const utPexCodec: PexCodec = { maxAdded: 100, encode: encodeUtPex, decode: decodeUtPex }
