import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { FileStat, StorageFile, TorrentStorage } from '../platform/disk.ts'
import { fitted } from '../resume/resumeState.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { PieceIndex } from '../util/flavored.ts'

/** Bytes of pieces being hashed at once: enough to keep every core busy. Nobody waits behind them (`checkPiece`). */
const WINDOW_BYTES = 16 * 1024 * 1024
const MIN_WINDOW_PIECES = 4
const MAX_WINDOW_PIECES = 256

export interface FileCheckerHost {
  readonly layout: PieceLayout
  readonly storage: TorrentStorage
  readonly files: readonly StorageFile[]
  /** Setting `disable_hash_checks`: a piece is believed when its files are long enough. Default false. */
  readonly disableHashChecks?: boolean
  hashMatches(piece: number, digest: Uint8Array): boolean
  /** `checked` pieces were judged so far. */
  onCheckProgress(checked: number): void
  /** All pieces were looked at. */
  onCheckDone(have: Bitfield): void
  /** The disk failed in a way that is not a missing or short file: nothing can be said of the pieces. */
  onCheckError(error: LibtorrentError): void
}

/**
 * Finds out which pieces are on disk by hashing them all, several at a time so that all cores work.
 * Pieces that lie in missing files, or beyond the end of short ones, are known to be absent without reading.
 */
export class FileChecker {
  private readonly have: Bitfield
  /** The first piece that was not asked for yet. */
  private next: PieceIndex
  /** Pieces whose hash was asked for and has not come, in ascending order. */
  private readonly outstanding = new Set<PieceIndex>()
  private stopped = false
  private absent: Bitfield | null = null

  /** `known`: of the first pieces, which are had; the check begins after them. */
  constructor(
    private readonly host: FileCheckerHost,
    known = new Bitfield(0),
  ) {
    this.have = fitted(known, host.layout.numPieces)
    this.next = known.size
  }

  /** 0 to 1 */
  get progress(): number {
    const { numPieces } = this.host.layout
    return numPieces === 0 ? 1 : this.checked / numPieces
  }

  private get checked(): number {
    return this.next - this.outstanding.size
  }

  /** Of the first pieces, as far as none is left out, which are had. */
  get known(): Bitfield {
    const [oldest = this.next] = this.outstanding
    return fitted(this.have, oldest)
  }

  start(): void {
    this.host.storage.statFiles((stats) => {
      if (this.stopped) return
      if (!Array.isArray(stats)) return this.fail(stats as LibtorrentError)
      this.absent = absentPieces(this.host.layout, this.host.files, stats)
      this.fill()
    })
  }

  /** No report comes after this. */
  stop(): void {
    this.stopped = true
  }

  /**
   * False when it was not this check that asked: what was asked for earlier is answered before the files were looked
   * at, since that waits for all work before it.
   */
  onPieceHashed(piece: number, digest: Uint8Array | null, error: LibtorrentError | null): boolean {
    if (this.stopped || this.absent === null || !this.outstanding.delete(piece)) return false
    if (digest !== null) {
      if (this.host.hashMatches(piece, digest)) this.have.set(piece)
    } else if (error !== null && !isAbsence(error)) {
      this.fail(error)
      return true
    }
    this.host.onCheckProgress(this.checked)
    if (!this.stopped) this.fill()
    return true
  }

  private fill(): void {
    const { layout, storage } = this.host
    const window = Math.max(
      MIN_WINDOW_PIECES,
      Math.min(MAX_WINDOW_PIECES, Math.floor(WINDOW_BYTES / layout.pieceLength)),
    )
    while (this.outstanding.size < window && this.next < layout.numPieces) {
      const piece = this.next++
      if (this.absent?.get(piece)) continue
      if (this.host.disableHashChecks) {
        this.have.set(piece)
        continue
      }
      this.outstanding.add(piece)
      storage.checkPiece(piece)
    }
    if (this.outstanding.size === 0 && this.next === layout.numPieces) {
      this.stopped = true
      this.host.onCheckDone(this.have)
    }
  }

  private fail(error: LibtorrentError): void {
    this.stopped = true
    this.host.onCheckError(error)
  }
}

function isAbsence(error: LibtorrentError): boolean {
  return error.code === 'ENOENT' || error.code === 'fileTooShort' || error.code === 'ENOTDIR'
}

/** The pieces that cannot be on disk, from the sizes of the files alone. */
export function absentPieces(layout: PieceLayout, files: readonly StorageFile[], stats: readonly FileStat[]): Bitfield {
  const absent = new Bitfield(layout.numPieces)
  files.forEach((file, index) => {
    const size = Math.max(0, stats[index].size)
    if (file.pad || file.size === 0 || size >= file.size) return
    const first = Math.floor((file.offset + size) / layout.pieceLength)
    const last = Math.floor((file.offset + file.size - 1) / layout.pieceLength)
    for (let piece = first; piece <= last; piece++) absent.set(piece)
  })
  return absent
}
