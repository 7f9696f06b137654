import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import { PiecePicker } from '../picker/piecePicker.ts'
import { DEFAULT_PRIORITY } from '../picker/pieceTable.ts'
import type { Random } from '../platform/random.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { PieceIndex } from '../util/flavored.ts'

/**
 * Which pieces a torrent has and wants. A seed needs no picker: it keeps one only from the moment something is
 * missing until everything is there, so that thousands of seeding torrents cost next to nothing.
 */
export class TorrentPieces {
  /** Null when every piece is had. */
  picker: PiecePicker<TorrentPeer> | null
  /** Piece priorities while there is no picker; null when all are the default. */
  private priorities: readonly number[] | null = null

  /** Starts with no piece. */
  constructor(
    readonly layout: PieceLayout,
    private readonly random: Random,
  ) {
    this.picker = this.newPicker()
  }

  get isSeed(): boolean {
    return this.picker === null || this.picker.isSeeding
  }

  /** Every piece with a priority above 0 is had. */
  get isFinished(): boolean {
    return this.picker === null || this.picker.isFinished
  }

  get numHave(): number {
    return this.picker?.numHave ?? this.layout.numPieces
  }

  havePiece(piece: PieceIndex): boolean {
    return this.picker === null ? piece < this.layout.numPieces : this.picker.havePiece(piece)
  }

  /** A copy of what is had. */
  have(): Bitfield {
    return this.picker?.have.clone() ?? new Bitfield(this.layout.numPieces, true)
  }

  /** What is had is exactly `have`, as a check of the files found. Blocks in progress are forgotten. */
  replace(have: Bitfield): void {
    const priorities = this.piecePriorities()
    if (have.isAllSet) {
      this.priorities = this.picker === null ? this.priorities : priorities
      this.picker = null
      return
    }
    this.picker = this.newPicker()
    this.picker.setPiecePriorities(priorities)
    this.picker.weHaveBits(have)
  }

  /** Everything is had: the picker is of no more use. */
  dropPicker(): void {
    if (this.picker === null || !this.picker.isSeeding) return
    this.priorities = this.picker.piecePriorities()
    this.picker = null
  }

  /**
   * A picker even though every piece is had: it knows how many peers have each. `init` gets one that was made for
   * that, and counts the peers there are; from then on it is to be told of all that happens, as while downloading.
   */
  keepPicker(init: (picker: PiecePicker<TorrentPeer>) => void): PiecePicker<TorrentPeer> {
    if (this.picker !== null) return this.picker
    const picker = this.newPicker()
    picker.setPiecePriorities(this.piecePriorities())
    picker.weHaveAll()
    this.picker = picker
    init(picker)
    return picker
  }

  piecePriority(piece: PieceIndex): number {
    return this.picker?.piecePriority(piece) ?? this.priorities?.[piece] ?? DEFAULT_PRIORITY
  }

  piecePriorities(): readonly number[] {
    if (this.picker !== null) return this.picker.piecePriorities()
    return this.priorities ?? new Array<number>(this.layout.numPieces).fill(DEFAULT_PRIORITY)
  }

  setPiecePriorities(priorities: readonly number[]): void {
    if (this.picker === null) this.priorities = priorities.slice()
    else this.picker.setPiecePriorities(priorities)
  }

  setPiecePriority(piece: PieceIndex, priority: number): void {
    if (this.picker !== null) {
      this.picker.setPiecePriority(piece, priority)
      return
    }
    const priorities = this.piecePriorities().slice()
    priorities[piece] = priority
    this.priorities = priorities
  }

  /** Bytes of the pieces that are had; blocks of pieces in progress are not counted. */
  haveBytes(): number {
    const { layout } = this
    if (this.picker === null) return layout.totalSize
    return this.bytes(this.picker.numHave, this.picker.havePiece(layout.numPieces - 1))
  }

  /** Bytes of pieces with a priority above 0. */
  wantedBytes(): number {
    const { layout, picker } = this
    if (picker === null) return layout.totalSize
    return this.bytes(picker.numWanted, picker.piecePriority(layout.numPieces - 1) > 0)
  }

  /** Bytes of such pieces that are had. */
  wantedHaveBytes(): number {
    const { layout, picker } = this
    if (picker === null) return layout.totalSize
    const last = layout.numPieces - 1
    const hasLast = picker.havePiece(last) && picker.piecePriority(last) > 0
    return this.bytes(picker.numHave - picker.numHaveFiltered, hasLast)
  }

  private bytes(pieces: number, withLast: boolean): number {
    const { layout } = this
    const short = withLast ? layout.pieceLength - layout.pieceSize(layout.numPieces - 1) : 0
    return pieces * layout.pieceLength - short
  }

  private newPicker(): PiecePicker<TorrentPeer> {
    const { layout } = this
    return new PiecePicker<TorrentPeer>(
      {
        numPieces: layout.numPieces,
        blocksPerPiece: layout.blocksPerPiece,
        blocksInLastPiece: layout.blocksInLastPiece,
      },
      this.random,
    )
  }
}
