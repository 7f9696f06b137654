import { Bitfield } from '../util/bitfield.ts'
import { fitted, libtorrentSeries, MODERN_SERIES, type ResumeState } from './resumeState.ts'

/** What resume data says of the disk. */
export type DiskClaim = Pick<
  ResumeState,
  'allocation' | 'blocksPerPiece' | 'have' | 'verified' | 'slots' | 'unfinished' | 'fileSizes' | 'seedMode'
>

/** The beginning of `libtorrentVersion` in what we write. */
const OURS = 'libtorrent-ts '
/** The first libtorrent that saves which pieces it had checked so far, and goes on with the others. */
const FIRST_WITH_UNFINISHED_CHECKS = 101

/**
 * The pieces that were checked when `have` was saved, of a torrent of `numPieces`; the others are still to be.
 * As a fault: there are more than that, or fewer and the writer does not save unfinished checks.
 */
export function checkedPieces(
  state: ResumeState,
  have: Bitfield,
  numPieces: number,
): Bitfield | 'tooManySlots' | 'missingPieces' {
  // Version 2 fills the last byte up: up to 7 of its bits say nothing.
  const spare = state.fileVersion === 2 ? 7 : 0
  const expected = spare === 0 ? numPieces : Math.ceil(numPieces / 8) * 8
  if (have.size > expected) return 'tooManySlots'
  if (have.size === expected) return fitted(have, numPieces)
  return savesUnfinishedChecks(state) ? fitted(have, Math.max(0, have.size - spare)) : 'missingPieces'
}

/**
 * What `state` says of the disk, to be written anew as our own before anybody has compared it with the files: it must
 * be believed neither more nor less than what it was. Null: nothing can be said.
 * `numPieces` is null while the metadata is not known.
 */
export function restateClaim(state: ResumeState, numPieces: number | null): DiskClaim | null {
  const { allocation, blocksPerPiece, have, verified, slots, unfinished, fileSizes, seedMode } = state
  const claim = { allocation, blocksPerPiece, have, verified, slots, unfinished, fileSizes, seedMode }
  // Without file sizes only what a modern libtorrent wrote is believed; the sizes of today say as much as it did.
  if (fileSizes === null && (libtorrentSeries(state.libtorrentVersion) ?? 0) < MODERN_SERIES) return null
  // Then `slots` counts.
  if (have === null || allocation === 'compact') return claim
  if (numPieces === null) return state.fileVersion === 2 ? null : claim
  const checked = checkedPieces(state, have, numPieces)
  if (!(checked instanceof Bitfield)) return null
  return { ...claim, have: checked, verified: verified === null ? null : fitted(verified, checked.size) }
}

/** Whether too few pieces are no mistake: the check of the files was under way, and had come that far. */
function savesUnfinishedChecks({ libtorrentVersion }: ResumeState): boolean {
  const series = libtorrentSeries(libtorrentVersion) ?? 0
  return libtorrentVersion.startsWith(OURS) || series >= FIRST_WITH_UNFINISHED_CHECKS
}
