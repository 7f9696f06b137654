import { SeededRandom } from '../../../sim/seededRandom.ts'
import type { PickOptions } from '../../../src/picker/blockPick.ts'
import { PickerFlags } from '../../../src/picker/pickerFlags.ts'
import { PiecePicker } from '../../../src/picker/piecePicker.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'

export interface Peer {
  readonly name: string
}

export const alice: Peer = { name: 'alice' }
export const bob: Peer = { name: 'bob' }
export const carol: Peer = { name: 'carol' }

/** A picker for as many pieces as `availability` has numbers: how many peers have each. */
export function aPicker(availability: readonly number[], blocksPerPiece = 4, seed = 1): PiecePicker<Peer> {
  const picker = new PiecePicker<Peer>(
    { numPieces: availability.length, blocksPerPiece, blocksInLastPiece: blocksPerPiece },
    new SeededRandom(seed),
  )
  availability.forEach((count, piece) => {
    for (let i = 0; i < count; i++) picker.incRefcount(piece)
  })
  return picker
}

/** Bits from text: `*` set, anything else not. */
export function bits(text: string): Bitfield {
  const field = new Bitfield(text.length)
  for (let i = 0; i < text.length; i++) if (text[i] === '*') field.set(i)
  return field
}

export interface Picked {
  readonly blocks: number[]
  /** Pieces of `blocks`, each once, in order. */
  readonly pieces: number[]
}

/** Picks for alice, rarest first, with plenty of peers, unless told otherwise. */
export function pick(
  picker: PiecePicker<Peer>,
  numBlocks: number,
  options: Partial<PickOptions<Peer>> = {},
  has: Bitfield | 'all' = 'all',
): Picked {
  const blocks: number[] = []
  const all: PickOptions<Peer> = { peer: alice, flags: PickerFlags.rarestFirst, numPeers: 100, ...options }
  picker.pickPieces(has, blocks, numBlocks, all)
  return { blocks, pieces: [...new Set(blocks.map((id) => picker.pieceOf(id)))] }
}

/** Asks `peer` for these blocks of `piece`. */
export function request(picker: PiecePicker<Peer>, piece: number, blocks: readonly number[], peer: Peer): void {
  for (const block of blocks) picker.markAsDownloading(picker.blockId(piece, block), peer)
}

/** Brings these blocks of `piece` from `peer` to the disk. */
export function finish(picker: PiecePicker<Peer>, piece: number, blocks: readonly number[], peer: Peer | null): void {
  for (const block of blocks) {
    picker.markAsWriting(picker.blockId(piece, block), peer)
    picker.markAsFinished(picker.blockId(piece, block), peer)
  }
}
