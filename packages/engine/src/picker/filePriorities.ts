import { DEFAULT_PRIORITY } from './pieceTable.ts'

/** What is needed of a file: where it lies in the torrent. */
export interface PrioritizedFile {
  readonly offset: number
  readonly size: number
  readonly pad?: boolean
}

/**
 * The priority of each piece: the highest of the files that have bytes in it (manual, `prioritize_files()`).
 * A pad file goes with the file before it, as it only fills up that file's last piece. Files without a priority have
 * the default one. Files are in the order of their offsets.
 */
export function piecePrioritiesFromFiles(
  files: readonly PrioritizedFile[],
  filePriorities: readonly number[],
  pieceLength: number,
  numPieces: number,
): Uint8Array {
  const priorities = new Uint8Array(numPieces)
  let priority = DEFAULT_PRIORITY
  for (let i = 0; i < files.length; i++) {
    const { offset, size, pad } = files[i]
    if (size === 0) continue
    if (!pad) priority = filePriorities[i] ?? DEFAULT_PRIORITY
    const last = Math.min(Math.floor((offset + size - 1) / pieceLength), numPieces - 1)
    for (let piece = Math.floor(offset / pieceLength); piece <= last; piece++) {
      if (priorities[piece] < priority) priorities[piece] = priority
    }
  }
  return priorities
}
