import { selectedFiles } from '../metainfo/magnet.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { piecePrioritiesFromFiles } from '../picker/filePriorities.ts'
import { DEFAULT_PRIORITY } from '../picker/pieceTable.ts'
import type { FileIndex, PieceIndex } from '../util/flavored.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import type { TorrentPieces } from './torrentPieces.ts'

export interface FilePrioritiesHost {
  readonly params: Readonly<AddTorrentParams>
  readonly info: TorrentInfo
  readonly pieces: TorrentPieces | null
  onPrioritiesChanged(): void
}

/** Files of a torrent without metadata that may be given a priority. */
const MAX_FILES_IN_ADVANCE = 100_000

/** What the user said of files and pieces: which to download, and how much of each file is there. */
export class FilePriorities {
  /** Null: the default for all. */
  private files: number[] | null = null
  private givenPieces: readonly number[] | null = null

  constructor(private readonly host: FilePrioritiesHost) {}

  /** The metadata is known: priorities given before can be applied. */
  onContent(layout: PieceLayout): void {
    const { params, info } = this.host
    const given = this.files ?? params.filePriorities ?? this.selected()
    this.files = given === undefined ? null : padded(given, info.numFiles)
    this.givenPieces = this.givenPieces ?? params.piecePriorities?.slice(0, layout.numPieces) ?? null
    this.apply()
  }

  /** Takes over what resume data says, unless the user said something else. */
  restore(files: readonly number[] | null, pieces: ArrayLike<number> | null): void {
    const { params } = this.host
    if (params.filePriorities === undefined) this.files = files?.slice() ?? null
    if (params.piecePriorities === undefined && params.filePriorities === undefined && pieces !== null) {
      this.givenPieces = Array.from(pieces)
    }
  }

  /** Sets the pieces' priorities from what was given for pieces, else for files. */
  apply(): void {
    const { pieces } = this.host
    if (pieces === null) return
    if (this.givenPieces !== null) pieces.setPiecePriorities(padded(this.givenPieces, pieces.layout.numPieces))
    else if (this.files !== null) pieces.setPiecePriorities(this.fromFiles(this.files))
  }

  /** While the metadata is not known: what was given so far. */
  filePriorities(): number[] {
    return this.files?.slice() ?? new Array<number>(this.host.info.numFiles).fill(DEFAULT_PRIORITY)
  }

  filePriority(index: FileIndex): number {
    return this.files?.[index] ?? DEFAULT_PRIORITY
  }

  setFilePriority(index: FileIndex, priority: number): void {
    const files = this.filePriorities()
    const { info } = this.host
    // How many files there are is not known before the metadata: they may be named in advance.
    const count = info.isValid ? info.numFiles : MAX_FILES_IN_ADVANCE
    if (index < 0 || index >= count) return
    while (files.length < index) files.push(DEFAULT_PRIORITY)
    files[index] = priority
    this.prioritizeFiles(files)
  }

  prioritizeFiles(priorities: readonly number[]): void {
    const { info } = this.host
    // Without metadata the list is kept as it is, until it is known how many files there are.
    this.files = padded(priorities, info.isValid ? info.numFiles : Math.min(priorities.length, MAX_FILES_IN_ADVANCE))
    this.givenPieces = null
    this.apply()
    this.host.onPrioritiesChanged()
  }

  setPiecePriority(piece: PieceIndex, priority: number): void {
    const { pieces } = this.host
    if (pieces === null || piece < 0 || piece >= pieces.layout.numPieces) return
    pieces.setPiecePriority(piece, priority)
    this.givenPieces = pieces.piecePriorities()
    this.host.onPrioritiesChanged()
  }

  prioritizePieces(priorities: readonly number[]): void {
    this.givenPieces = priorities.slice()
    this.apply()
    this.host.onPrioritiesChanged()
  }

  /** The priorities of pieces for resume data, null when they are the default. */
  savedPieces(): Uint8Array | null {
    const { pieces } = this.host
    if (this.givenPieces === null && this.files === null) return null
    if (pieces !== null) return Uint8Array.from(pieces.piecePriorities())
    return this.givenPieces === null ? null : Uint8Array.from(this.givenPieces)
  }

  get given(): readonly number[] | null {
    return this.files
  }

  /** The files that `piece`, just gained, made complete. */
  completedBy(piece: PieceIndex): FileIndex[] {
    const { info, pieces } = this.host
    if (pieces === null) return []
    const completed: FileIndex[] = []
    for (const slice of info.mapBlock(piece, 0, pieces.layout.pieceSize(piece))) {
      const file = slice.fileIndex
      if (!info.files().padFileAt(file) && this.isFileComplete(file, pieces)) completed.push(file)
    }
    return completed
  }

  private isFileComplete(file: FileIndex, pieces: TorrentPieces): boolean {
    const files = this.host.info.files()
    const first = Math.floor(files.fileOffset(file) / pieces.layout.pieceLength)
    const end = files.fileOffset(file) + files.fileSize(file)
    const last = Math.floor((end - 1) / pieces.layout.pieceLength)
    for (let piece = first; piece <= last; piece++) if (!pieces.havePiece(piece)) return false
    return true
  }

  private selected(): number[] | undefined {
    const { params, info } = this.host
    if (params.selectOnly === undefined) return undefined
    return selectedFiles(params.selectOnly, info.numFiles).map((wanted) => (wanted ? DEFAULT_PRIORITY : 0))
  }

  private fromFiles(priorities: readonly number[]): number[] {
    const { info } = this.host
    const files = info.files()
    const rows = Array.from({ length: files.numFiles }, (_, index) => ({
      offset: files.fileOffset(index),
      size: files.fileSize(index),
      pad: files.padFileAt(index),
    }))
    return Array.from(piecePrioritiesFromFiles(rows, priorities, info.pieceLength, info.numPieces))
  }
}

function padded(priorities: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, index) => clampPriority(priorities[index] ?? DEFAULT_PRIORITY))
}

function clampPriority(priority: number): number {
  return Math.max(0, Math.min(7, Math.trunc(priority)))
}
