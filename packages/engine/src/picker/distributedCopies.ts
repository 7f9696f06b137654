import type { Bitfield } from '../util/bitfield.ts'

/** How often the torrent exists among the connected peers and us (manual, `torrent_status`). */
export interface DistributedCopies {
  /** Copies of the rarest piece. */
  readonly fullCopies: number
  /** The share of pieces with more copies than that, in thousandths: 0 to 999. */
  readonly fraction: number
  /** Both in one number: 2.25 is two copies, and a quarter of the pieces has more. */
  readonly copies: number
}

/** Looks at every piece; -1, 0 and -1 for a torrent without pieces. */
export function distributedCopies(peerCount: Uint16Array, seeds: number, have: Bitfield): DistributedCopies {
  if (peerCount.length === 0) return { fullCopies: -1, fraction: 0, copies: -1 }
  let fewest = Number.MAX_SAFE_INTEGER
  let rarest = 0
  for (let piece = 0; piece < peerCount.length; piece++) {
    const copies = peerCount[piece] + (have.get(piece) ? 1 : 0)
    if (copies < fewest) {
      fewest = copies
      rarest = 1
    } else if (copies === fewest) rarest++
  }
  const more = peerCount.length - rarest
  return {
    fullCopies: fewest + seeds,
    fraction: Math.floor((more * 1000) / peerCount.length),
    copies: fewest + seeds + more / peerCount.length,
  }
}
