import type { TorrentInfo } from 'libtorrent-ts'
import { plural } from '../output/format.ts'

/** The files that are judged, and the pieces they lie in. */
export class VerifiedFiles {
  readonly files: readonly number[]
  readonly pieces: ReadonlySet<number>

  /** @param priorities of all files, or null for all alike */
  constructor(
    readonly torrent: TorrentInfo,
    private readonly priorities: readonly number[] | null,
  ) {
    const storage = torrent.files()
    this.files = Array.from({ length: storage.numFiles }, (_, index) => index).filter(
      (index) => !storage.padFileAt(index) && priorities?.[index] !== 0,
    )
    this.pieces = new Set(
      priorities === null ? range(0, torrent.numPieces) : this.files.flatMap((index) => this.piecesOf(index)),
    )
  }

  /** `holiday`, or `2 selected files of holiday`. */
  get name(): string {
    const { name } = this.torrent
    return this.priorities === null ? name : `${plural(this.files.length, 'selected file')} of ${name}`
  }

  piecesOf(file: number): number[] {
    const storage = this.torrent.files()
    return storage.fileSize(file) === 0
      ? []
      : range(storage.pieceIndexAtFile(file), storage.lastPieceIndexAtFile(file) + 1)
  }
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index)
}
