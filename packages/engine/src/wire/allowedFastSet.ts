import { addressToBytes } from '../address/addressBytes.ts'
import { sha1 } from '../crypto/sha1.ts'
import { concatBytes, readU32 } from '../util/bytes.ts'

/** Bounds the search when nearly every piece is in the set already. */
const MAX_DRAWS = 500
const NUMBERS_PER_HASH = 5

/**
 * The pieces a peer at `address` may request while choked (BEP 6), in the order they are announced:
 * `count` of them, or all if the torrent has no more. The same peer always gets the same pieces.
 *
 * As libtorrent does, and other than BEP 6 says, the whole address is hashed and not its /24 network;
 * an IPv6 address with all its 16 bytes.
 */
export function allowedFastSet(address: string, infoHash: Uint8Array, pieceCount: number, count: number): number[] {
  if (count <= 0) return []
  if (count >= pieceCount) return Array.from({ length: pieceCount }, (_, piece) => piece)
  const addressBytes = addressToBytes(address)
  if (addressBytes === null) return []
  const set: number[] = []
  let hash = sha1(concatBytes(addressBytes, infoHash)).bytes
  for (let draws = 0; draws < MAX_DRAWS; draws += NUMBERS_PER_HASH) {
    for (let i = 0; i < NUMBERS_PER_HASH; i++) {
      const piece = readU32(hash, i * 4) % pieceCount
      if (set.includes(piece)) continue
      set.push(piece)
      if (set.length === count) return set
    }
    hash = sha1(hash).bytes
  }
  return set
}
