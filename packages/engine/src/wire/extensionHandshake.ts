import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { BNode } from '../bencode/bNode.ts'
import type { EntryObject } from '../bencode/entry.ts'
import { fromUtf8 } from '../util/bytes.ts'

/** What one side says in its extension handshake (BEP 10). What is undefined was not said. */
export interface ExtensionHandshake {
  /** `m`: extension messages by name, and the id (1 to 255) under which the sender wants each; 0 turns one off. */
  readonly messages?: ReadonlyMap<string, number>
  /** `v`: name and version of the client. A stranger's text: to be escaped wherever it is shown. */
  readonly client?: string
  /** `p`: port it listens on. */
  readonly listenPort?: number
  /** `yourip`: our address as the sender sees it, canonical text. */
  readonly yourAddress?: string
  /** `ipv4`, `ipv6`: other addresses of the sender. We tell ours, and as libtorrent we go by nobody's. */
  readonly ipv4?: string
  readonly ipv6?: string
  /** `reqq`: requests it queues before it drops some. */
  readonly maxRequests?: number
  /** `metadata_size`: bytes of the info section (BEP 9). */
  readonly metadataSize?: number
  /** `upload_only`: it wants nothing (more) (BEP 21). */
  readonly isUploadOnly?: boolean
  /** `complete_ago`: seconds since it last saw a complete copy of the torrent. */
  readonly completeAgo?: number
  /** `tr`: hash of the sender's list of trackers, 20 bytes (BEP 28). */
  readonly trackersHash?: Uint8Array
}

/** Names beyond these are ignored, as are longer ones: nobody speaks so many extensions. */
const MAX_MESSAGES = 256
const MAX_NAME_LENGTH = 64
/** Longer client names are cut. */
const MAX_CLIENT_BYTES = 256
const MAX_INT32 = 0x7fffffff
/** `reqq` beyond this is taken as this: more than any client queues, and nothing to plan memory by. */
const MAX_REQUESTS = 10_000
/** Room for every key there is; a larger dictionary is an attack on the reader. */
const DECODE_LIMITS = { depth: 10, tokens: 50_000 }

/** The payload of an extension handshake. */
export function encodeExtensionHandshake(handshake: ExtensionHandshake): Uint8Array {
  const entry: EntryObject = {
    m: new Map(handshake.messages),
    v: handshake.client,
    p: handshake.listenPort,
    yourip: addressEntry(handshake.yourAddress),
    ipv4: addressEntry(handshake.ipv4),
    ipv6: addressEntry(handshake.ipv6),
    reqq: handshake.maxRequests,
    metadata_size: handshake.metadataSize,
    upload_only: handshake.isUploadOnly === undefined ? undefined : Number(handshake.isUploadOnly),
    complete_ago: handshake.completeAgo,
    tr: handshake.trackersHash,
  }
  return bencode(entry)
}

/**
 * Reads the payload of an extension handshake. Null when it is not a bencoded dictionary; members of a wrong type or
 * out of range count as not said, and large ones are cut down. libtorrent ignores a handshake it cannot read.
 */
export function decodeExtensionHandshake(payload: Uint8Array): ExtensionHandshake | null {
  const decoded = bdecode(payload, DECODE_LIMITS)
  if (!decoded.ok || decoded.root.type !== 'dict') return null
  const { root } = decoded
  const uploadOnly = root.getInt('upload_only')
  return {
    messages: readMessages(root.getDict('m')),
    client: readClient(root.getString('v')),
    listenPort: intBetween(root, 'p', 1, 0xffff),
    yourAddress: readAddress(root.getString('yourip')),
    ipv4: readAddress(root.getString('ipv4'), 4),
    ipv6: readAddress(root.getString('ipv6'), 16),
    maxRequests: clamped(root, 'reqq', 1, MAX_REQUESTS),
    metadataSize: intBetween(root, 'metadata_size', 1, MAX_INT32),
    isUploadOnly: uploadOnly === null ? undefined : uploadOnly !== 0,
    completeAgo: intBetween(root, 'complete_ago', 0, MAX_INT32),
    trackersHash: readHash(root.getString('tr')),
  }
}

function readMessages(node: BNode | null): ReadonlyMap<string, number> | undefined {
  if (node === null) return undefined
  const messages = new Map<string, number>()
  for (const [name, value] of node.entries()) {
    if (messages.size >= MAX_MESSAGES) break
    const id = value.asInt()
    // Of duplicate names the first counts, as everywhere in bencoded input.
    if (id === null || id < 0 || id > 255 || name.length > MAX_NAME_LENGTH || messages.has(name)) continue
    messages.set(name, id)
  }
  return messages
}

function readClient(bytes: Uint8Array | null): string | undefined {
  return bytes === null || bytes.length === 0 ? undefined : fromUtf8(bytes.subarray(0, MAX_CLIENT_BYTES))
}

function readAddress(bytes: Uint8Array | null, size = 0): string | undefined {
  if (bytes === null || (bytes.length !== 4 && bytes.length !== 16)) return undefined
  return size === 0 || bytes.length === size ? bytesToAddress(bytes) : undefined
}

function readHash(bytes: Uint8Array | null): Uint8Array | undefined {
  return bytes?.length === 20 ? bytes.slice() : undefined
}

function addressEntry(address: string | undefined): Uint8Array | undefined {
  return address === undefined ? undefined : (addressToBytes(address) ?? undefined)
}

function intBetween(node: BNode, key: string, min: number, max: number): number | undefined {
  const value = node.getInt(key)
  return value !== null && value >= min && value <= max ? value : undefined
}

function clamped(node: BNode, key: string, min: number, max: number): number | undefined {
  const value = node.getInt(key)
  return value !== null && value >= min ? Math.min(value, max) : undefined
}
