import { BlockState } from '../picker/downloadingPiece.ts'
import { BLOCK_SIZE_BYTES } from '../util/flavored.ts'
import type { Torrent } from './torrent.ts'

/** Options of `fileProgress` (manual, file_progress_flags_t). */
export const FileProgressFlags = {
  /** Count whole pieces only: cheaper, and never more than was verified. */
  pieceGranularity: 1,
} as const

/** Bytes of each file that are had. Linear in pieces and files. */
export function fileProgress(torrent: Torrent, flags = 0): number[] {
  const { layout, pieces, info } = torrent
  const files = info.files()
  const progress = new Array<number>(files.numFiles).fill(0)
  if (layout === null || pieces === null || !torrent.isLoaded) return progress
  const add = (piece: number, offset: number, length: number) => {
    for (const slice of info.mapBlock(piece, offset, length)) progress[slice.fileIndex] += slice.size
  }
  if (pieces.isSeed) return Array.from(progress, (_, index) => files.fileSize(index))
  pieces.have().forEachSet((piece) => add(piece, 0, layout.pieceSize(piece)))
  if ((flags & FileProgressFlags.pieceGranularity) !== 0) return progress
  torrent.picker?.forEachInProgress((running) => {
    for (let block = 0; block < running.numBlocks; block++) {
      if (running.states[block] < BlockState.writing) continue
      add(running.piece, block * BLOCK_SIZE_BYTES, layout.blockSize(running.piece, block))
    }
  })
  return progress
}
