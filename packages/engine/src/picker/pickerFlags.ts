import type { Millis } from '../util/flavored.ts'

/** How pieces are chosen; bits to be or-ed. With neither `rarestFirst` nor `sequential`: from a random start. */
export const PickerFlags = {
  /** The piece the fewest peers have comes first. */
  rarestFirst: 1,
  /** The most common piece first, or the last one if sequential. */
  reverse: 2,
  /** Only pieces that come from this peer alone: it is suspected to send bad data. */
  onParole: 4,
  /** Pieces in progress before any other. */
  prioritizePartials: 8,
  /** Pieces in the order of their index. */
  sequential: 16,
  /** Pieces next to ones in progress first. With `rarestFirst` only. */
  pieceExtentAffinity: 32,
} as const

export interface PickerSituation {
  /** The torrent downloads in order. */
  readonly sequentialDownload: boolean
  /** Pieces we have. */
  readonly numHave: number
  /** Setting `initial_picker_threshold`: before we have this many pieces, whatever can be completed soonest. */
  readonly initialPickerThreshold: number
  /** The peer has not answered for `request_timeout`. */
  readonly snubbed: boolean
  readonly onParole: boolean
  /** Setting `prioritize_partial_pieces`. */
  readonly prioritizePartialPieces: boolean
  /** Setting `piece_extent_affinity`. Default false. */
  readonly pieceExtentAffinity?: boolean
}

/** The flags to pick with for a peer, by libtorrent's rules. */
export function pickerFlags(situation: PickerSituation): number {
  let flags = 0
  if (situation.sequentialDownload) flags |= PickerFlags.sequential
  else if (situation.numHave < situation.initialPickerThreshold) flags |= PickerFlags.prioritizePartials
  else {
    flags |= PickerFlags.rarestFirst
    // All snubbed peers meet at the common pieces, where they hold up nobody else.
    if (situation.snubbed) flags |= PickerFlags.reverse
    else if (situation.pieceExtentAffinity) flags |= PickerFlags.pieceExtentAffinity
  }
  if (situation.prioritizePartialPieces) flags |= PickerFlags.prioritizePartials
  if (situation.onParole) flags |= PickerFlags.onParole | PickerFlags.prioritizePartials
  return flags
}

/** However fast a peer is, it is not asked to fetch more than this in one run of pieces. */
const MAX_CONTIGUOUS_BYTES = 8 * 1024 * 1024

/**
 * How many blocks of neighbouring whole pieces to ask of a peer: as many pieces as it delivers within
 * `threshold` (setting `whole_pieces_threshold`, given here in milliseconds; 0 turns this off), or 0 when it
 * needs longer for one. `downloadRate` is in bytes per second.
 */
export function contiguousBlocks(
  downloadRate: number,
  threshold: Millis,
  pieceLength: number,
  blocksPerPiece: number,
): number {
  const window = Math.min((downloadRate * threshold) / 1000, MAX_CONTIGUOUS_BYTES)
  return Math.floor(window / pieceLength) * blocksPerPiece
}
