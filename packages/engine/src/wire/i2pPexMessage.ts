import type { Endpoint } from '../address/endpoint.ts'
import { I2P_PORT, i2pAddressHash, i2pAddressOf } from '../address/i2pAddress.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { concatBytes } from '../util/bytes.ts'
import type { PexCodec, UtPexMessage } from './utPexMessage.ts'

const HASH_BYTES = 32
const DECODE_LIMITS = { depth: 10, tokens: 1000 }
/** Of each list no more are read: nobody keeps as many. */
const MAX_ENTRIES = 1000

/**
 * An `i2p_pex` message (libtorrent 2.1): `ut_pex` among peers in I2P, who are named by the hashes of their destinations.
 * No flags are known; a zero for each is sent.
 */
export function encodeI2pPex({ added, dropped }: UtPexMessage): Uint8Array {
  return bencode({ added: hashes(added), 'added.f': new Uint8Array(added.length), dropped: hashes(dropped) })
}

/** Reads a payload; null when it is none. A list whose length is no multiple of 32 counts as not there. */
export function decodeI2pPex(payload: Uint8Array): UtPexMessage | null {
  const decoded = bdecode(payload, DECODE_LIMITS)
  if (!decoded.ok || decoded.root.type !== 'dict') return null
  const { root } = decoded
  return { added: readList(root, 'added').map((peer) => ({ ...peer, flags: 0 })), dropped: readList(root, 'dropped') }
}

/** Peers whose address is no base 32 name are left out. */
function hashes(peers: readonly Endpoint[]): Uint8Array {
  return concatBytes(...peers.map(({ address }) => i2pAddressHash(address) ?? new Uint8Array(0)))
}

function readList(root: BNode, key: string): Endpoint[] {
  const bytes = root.getString(key)
  if (bytes === null || bytes.length % HASH_BYTES !== 0) return []
  const peers: Endpoint[] = []
  for (let at = 0; at < bytes.length && peers.length < MAX_ENTRIES; at += HASH_BYTES) {
    peers.push({ address: i2pAddressOf(bytes.subarray(at, at + HASH_BYTES)), port: I2P_PORT })
  }
  return peers
}

/** `i2p_pex`. */
export const i2pPexCodec: PexCodec = { maxAdded: 50, encode: encodeI2pPex, decode: decodeI2pPex }
