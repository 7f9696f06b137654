import type { Random } from '../platform/random.ts'
import type { MessageWriter } from '../wire/messageWriter.ts'

/** Pieces left out of a bitfield: one of ten, and never more than these (libtorrent 1.0). */
const MAX_LAZY_PIECES = 50
const PIECES_PER_LAZY_PIECE = 10

/**
 * Tells a peer of every piece without a message that says "seed": a few are left out of the bitfield and come as haves
 * (setting `lazy_bitfields`).
 */
export function sendLazyBitfield(writer: MessageWriter, numPieces: number, random: Random): void {
  const bits = fullBitfield(numPieces)
  const lazy = lazyPieces(numPieces, random)
  for (const piece of lazy) bits[piece >> 3] &= ~(0x80 >> (piece & 7))
  writer.bitfield(bits)
  for (const piece of lazy) writer.have(piece)
}

/** The body of a bitfield message of a seed. */
export function fullBitfield(numPieces: number): Uint8Array {
  const bytes = new Uint8Array((numPieces + 7) >> 3).fill(0xff)
  const spare = bytes.length * 8 - numPieces
  if (spare > 0) bytes[bytes.length - 1] &= 0xff << spare
  return bytes
}

function lazyPieces(numPieces: number, random: Random): Set<number> {
  const count = Math.min(MAX_LAZY_PIECES, Math.max(1, Math.floor(numPieces / PIECES_PER_LAZY_PIECE)))
  const pieces = new Set<number>()
  while (pieces.size < count) pieces.add(random.below(numPieces))
  return pieces
}
