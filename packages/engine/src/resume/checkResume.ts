import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { FileStat, StorageFile } from '../platform/disk.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { Sha1Hash, Sha256Hash } from '../util/digest.ts'
import { BLOCK_SIZE_BYTES, type BlockIndex, type PieceIndex } from '../util/flavored.ts'
import { checkedPieces } from './restateClaim.ts'
import { fitted, libtorrentSeries, MODERN_SERIES, type ResumeFileSize, type ResumeState } from './resumeState.ts'

/** The torrent the resume data is to be for. */
export interface ResumeTarget {
  readonly infoHash: Sha1Hash | null
  readonly infoHash2?: Sha256Hash | null
  readonly layout: PieceLayout
  /** In the order of their offsets. */
  readonly files: readonly StorageFile[]
}

export interface ResumeCheckOptions {
  /** Setting `ignore_resume_timestamps`: a file may have been written to since. Default false. */
  readonly ignoreTimestamps?: boolean
}

/** What is taken on trust. All of it is on disk, as far as the sizes of the files tell. */
export interface AcceptedResume {
  readonly kind: 'accepted'
  /** Pieces that need no check. */
  readonly have: Bitfield
  /** It was saved in the middle of a check: that goes on with this piece. The number of pieces when all were checked. */
  readonly checkFrom: PieceIndex
  /** Not checked piece by piece yet: every piece is hashed before its first upload, but those in `verified`. */
  readonly seedMode: boolean
  readonly verified: Bitfield
  /** Ids (`PieceLayout.blockId`) of blocks of other pieces. A piece that has all its blocks is still to be hashed. */
  readonly unfinishedBlocks: readonly number[]
}

export interface RejectedResume {
  readonly kind: 'rejected'
  /** For `fastresume_rejected_alert`; `path` names the file at fault, if one is. */
  readonly error: LibtorrentError
  /** False when no file has anything in it: there is nothing to check, and the download begins from nothing. */
  readonly needsFullCheck: boolean
}

export type ResumeVerdict = AcceptedResume | RejectedResume

/** libtorrent's allowance in seconds: FAT keeps even seconds, and the clock of a file server may be slow. */
const TIMESTAMP_SLACK = 1
/** `blocks per piece` is never more in the manual. */
const MAX_TOLD_BLOCKS = 256
/** In sparse files what was written after the resume data was saved does no harm, if it is not too long ago. */
const NEWER_SLACK = 5 * 60

/**
 * Decides whether `state` may be trusted for a torrent, given what its files on disk are like (`stats`, one for each
 * file). A piece or block is trusted only if every file it lies in reaches that far; that holds for any input.
 *
 * Rejected with (manual, error codes): `mismatchingInfoHash`, `invalidBlocksPerPiece`, `missingFileSizes`,
 * `noFilesInResumeData`, `mismatchingNumberOfFiles`, `mismatchingFilesSize`, `mismatchingFileTimestamp`,
 * `missingPieces`, `missingSlots`, `tooManySlots`, `invalidSlotList`, `invalidPieceIndex`, `piecesNeedReorder`.
 *
 * libtorrent since 1.2 writes no file sizes: its data is accepted when the files are as long as the pieces demand.
 * Since 1.1 it writes, as we do, the pieces checked so far when it is saved in the middle of a check.
 */
export function checkResume(
  state: ResumeState,
  target: ResumeTarget,
  stats: readonly FileStat[],
  options: ResumeCheckOptions = {},
): ResumeVerdict {
  const verdict = new ResumeCheck(state, target, stats, options).run()
  if (!('code' in verdict)) return verdict
  const error = libtorrentError(verdict.code, { operation: 'checkResume', path: verdict.path })
  return { kind: 'rejected', error, needsFullCheck: needsFullCheck(target.files, stats) }
}

/** Whether some file has something in it, so that without resume data the torrent must be checked. */
export function needsFullCheck(files: readonly StorageFile[], stats: readonly FileStat[]): boolean {
  return files.some((file, i) => !file.pad && stats[i].size > 0)
}

interface Fault {
  readonly code: LibtorrentErrorCode
  readonly path?: string
}

class ResumeCheck {
  private readonly layout: PieceLayout
  private readonly files: readonly StorageFile[]
  private readonly numPieces: number
  /** Bytes of each file that may be trusted to be there. */
  private readonly present: number[]
  private checkFrom: PieceIndex

  constructor(
    private readonly state: ResumeState,
    private readonly target: ResumeTarget,
    private readonly stats: readonly FileStat[],
    private readonly options: ResumeCheckOptions,
  ) {
    this.layout = target.layout
    this.files = target.files
    this.numPieces = target.layout.numPieces
    this.present = target.files.map((_, i) => Math.max(stats[i].size, 0))
    this.checkFrom = this.numPieces
  }

  run(): AcceptedResume | Fault {
    const fault = this.identityFault() ?? this.blocksFault() ?? this.fileSizesFault()
    if (fault !== null) return fault
    const have = this.claimedPieces()
    if (!(have instanceof Bitfield)) return have
    for (const { piece } of this.state.unfinished) have.clear(piece)
    return this.filesFault(have) ?? this.accept(have)
  }

  private identityFault(): Fault | null {
    const { state, target } = this
    const v1 = state.infoHash !== null && target.infoHash !== null
    const v2 = state.infoHash2 !== null && target.infoHash2 != null
    if (v1 && !state.infoHash.equals(target.infoHash)) return { code: 'mismatchingInfoHash' }
    if (v2 && !state.infoHash2.equals(target.infoHash2)) return { code: 'mismatchingInfoHash' }
    return v1 || v2 ? null : { code: 'mismatchingInfoHash' }
  }

  /**
   * The manual limits the number to 256 and lets blocks grow with the piece; libtorrent does not, and drops the rest
   * of a piece length that is no multiple of a block.
   */
  private blocksFault(): Fault | null {
    const told = this.state.blocksPerPiece
    const { blocksPerPiece, pieceLength } = this.layout
    if (told === null || told === blocksPerPiece) return null
    const whole = Math.max(Math.floor(pieceLength / BLOCK_SIZE_BYTES), 1)
    if (told === whole || (told === MAX_TOLD_BLOCKS && blocksPerPiece % MAX_TOLD_BLOCKS === 0)) return null
    return { code: 'invalidBlocksPerPiece' }
  }

  /** What the data says of the files against what they are. */
  private fileSizesFault(): Fault | null {
    const { state, files } = this
    const sizes = state.fileSizes
    if (sizes === 'invalid') return { code: 'missingFileSizes' }
    if (sizes === null) return this.mayLackFileSizes() ? null : { code: 'missingFileSizes' }
    if (sizes.length === 0 && files.length > 0) return { code: 'noFilesInResumeData' }
    if (sizes.length !== files.length) return { code: 'mismatchingNumberOfFiles' }
    for (let i = 0; i < sizes.length; i++) {
      const file = files[i]
      if (file.pad || file.size === 0) continue
      // Files of full allocation are not compared (manual, "file format", `allocation`).
      const code = state.allocation === 'allocate' ? null : this.mismatch(sizes[i], this.stats[i])
      if (code !== null) return { code, path: file.path }
      this.present[i] = Math.min(this.present[i], sizes[i].size)
    }
    return null
  }

  /** Data of a libtorrent that has given up on file sizes, or saved before there were files to know of. */
  private mayLackFileSizes(): boolean {
    const { libtorrentVersion, have } = this.state
    return have?.size === 0 || (libtorrentSeries(libtorrentVersion) ?? 0) >= MODERN_SERIES
  }

  /** Compact data must be as it was. In sparse files more may have been written, not long after. */
  private mismatch(told: ResumeFileSize, stat: FileStat): LibtorrentErrorCode | null {
    const exact = this.state.allocation === 'compact'
    const size = Math.max(stat.size, 0)
    if (size < told.size || (exact && size !== told.size)) return 'mismatchingFilesSize'
    // Of a file that was empty nothing is claimed.
    if (this.options.ignoreTimestamps || told.size === 0) return null
    const newer = stat.mtime - told.mtime
    const allowed = exact ? TIMESTAMP_SLACK : NEWER_SLACK
    return newer < -TIMESTAMP_SLACK || newer > allowed ? 'mismatchingFileTimestamp' : null
  }

  private claimedPieces(): Bitfield | Fault {
    const { have, slots, allocation } = this.state
    if (have === null && slots === null) return { code: 'missingPieces' }
    if (allocation === 'compact' || have === null) {
      if (slots === null) return { code: 'missingSlots' }
      const inSlots = this.piecesInSlots(slots)
      if (have === null || !(inSlots instanceof Bitfield)) return inSlots
      inSlots.forEachSet((piece) => {
        if (!have.get(piece)) inSlots.clear(piece)
      })
      return inSlots
    }
    // Saved before anything was known: right if nothing is there.
    if (have.size === 0 && !needsFullCheck(this.files, this.stats)) return new Bitfield(this.numPieces)
    const checked = checkedPieces(this.state, have, this.numPieces)
    if (!(checked instanceof Bitfield)) return { code: checked }
    this.checkFrom = checked.size
    return fitted(checked, this.numPieces)
  }

  /** Pieces that are where they belong; none may be elsewhere. */
  private piecesInSlots(slots: readonly (number | null)[]): Bitfield | Fault {
    if (slots.length > this.numPieces) return { code: 'tooManySlots' }
    const pieces = new Bitfield(this.numPieces)
    for (let slot = 0; slot < slots.length; slot++) {
      const piece = slots[slot]
      if (piece === null) return { code: 'invalidSlotList' }
      if (piece >= this.numPieces || piece < -2) return { code: 'invalidPieceIndex' }
      if (piece < 0) continue
      if (piece !== slot)
        return { code: this.state.allocation === 'compact' ? 'piecesNeedReorder' : 'invalidPieceIndex' }
      pieces.set(piece)
    }
    return pieces
  }

  /**
   * Each file must reach to the end of the last piece claimed in it. What is missing from a file of priority 0 may
   * have gone elsewhere (libtorrent's part file): its pieces are not claimed, and the rest stands.
   */
  private filesFault(have: Bitfield): Fault | null {
    const { files } = this
    const { pieceLength } = this.layout
    for (let i = 0; i < files.length; i++) {
      const { offset, size, pad, path } = files[i]
      if (pad || size === 0) continue
      const first = Math.floor(offset / pieceLength)
      let last = Math.floor((offset + size - 1) / pieceLength)
      for (; last >= first; last--) {
        const needed = Math.min((last + 1) * pieceLength, offset + size) - offset
        if (needed <= this.present[i]) break
        if (!have.get(last)) continue
        if (this.state.filePriorities?.[i] !== 0) return { code: 'mismatchingFilesSize', path }
        have.clear(last)
      }
    }
    return null
  }

  private accept(have: Bitfield): AcceptedResume {
    const { state } = this
    const seedMode = state.seedMode === true && have.isAllSet && !state.filePriorities?.includes(0)
    return {
      kind: 'accepted',
      have,
      checkFrom: this.checkFrom,
      seedMode,
      verified:
        seedMode && state.verified !== null ? fitted(state.verified, this.numPieces) : new Bitfield(this.numPieces),
      unfinishedBlocks: this.trustedBlocks(have),
    }
  }

  private trustedBlocks(have: Bitfield): number[] {
    const { layout } = this
    const trusted: number[] = []
    const seen = new Set<PieceIndex>()
    const grown = this.state.blocksPerPiece === MAX_TOLD_BLOCKS && layout.blocksPerPiece > MAX_TOLD_BLOCKS
    /** Our blocks in one of theirs. */
    const span = grown ? layout.blocksPerPiece / MAX_TOLD_BLOCKS : 1
    for (const { piece, blocks } of this.state.unfinished) {
      if (piece >= this.numPieces || have.get(piece) || seen.has(piece)) continue
      seen.add(piece)
      for (let block = 0; block < layout.blocksInPiece(piece); block++) {
        if (blocks.get(Math.floor(block / span)) && this.isBlockPresent(piece, block)) {
          trusted.push(layout.blockId(piece, block))
        }
      }
    }
    return trusted
  }

  private isBlockPresent(piece: PieceIndex, block: BlockIndex): boolean {
    const start = piece * this.layout.pieceLength + block * BLOCK_SIZE_BYTES
    const end = start + this.layout.blockSize(piece, block)
    const { files } = this
    for (let i = this.fileAt(start); i < files.length && files[i].offset < end; i++) {
      const { offset, size, pad } = files[i]
      if (!pad && Math.min(end, offset + size) - offset > this.present[i]) return false
    }
    return true
  }

  /** The first file that ends beyond `offset`. */
  private fileAt(offset: number): number {
    const { files } = this
    let low = 0
    let high = files.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (files[middle].offset + files[middle].size > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}
