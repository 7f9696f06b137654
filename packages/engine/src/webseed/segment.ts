import type { FileStorage } from '../metainfo/fileStorage.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import { BLOCK_SIZE_BYTES, type FileIndex, type PieceIndex } from '../util/flavored.ts'

/** Bytes from `offset` on. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** Where the bytes of a segment come from. */
export type SegmentSource =
  /** From `offset` on in a file, by a request of its own. */
  | { readonly kind: 'file'; readonly file: FileIndex; readonly offset: number }
  /** From `offset` on in a piece, from an HTTP seed. */
  | { readonly kind: 'piece'; readonly piece: PieceIndex; readonly offset: number }
  /** A pad file (BEP 47): zeros, made here. */
  | { readonly kind: 'zeros' }

/** Consecutive bytes that one request, or none, gives; `offset` is in the torrent. */
export interface Segment extends ByteRange {
  readonly source: SegmentSource
}

/** First byte of a block in the torrent. */
export function blockOffset(layout: PieceLayout, blockId: number): number {
  return layout.pieceOf(blockId) * layout.pieceLength + layout.blockOf(blockId) * BLOCK_SIZE_BYTES
}

/** The block that byte `offset` of the torrent is in. */
export function blockAt(layout: PieceLayout, offset: number): number {
  const piece = Math.floor(offset / layout.pieceLength)
  return layout.blockId(piece, Math.floor((offset - piece * layout.pieceLength) / BLOCK_SIZE_BYTES))
}

/** Draws blocks (ids, in any order, each once) together to the fewest ranges of at most `maxBytes`, in ascending order. */
export function coalesceBlocks(blocks: readonly number[], layout: PieceLayout, maxBytes: number): ByteRange[] {
  const ranges: { offset: number; length: number }[] = []
  for (const block of [...blocks].sort((a, b) => a - b)) {
    const offset = blockOffset(layout, block)
    const size = layout.blockSize(layout.pieceOf(block), layout.blockOf(block))
    const last = ranges.at(-1)
    if (last !== undefined && last.offset + last.length === offset && last.length + size <= maxBytes) {
      last.length += size
    } else ranges.push({ offset, length: size })
  }
  return ranges
}

/** The requests a URL seed (BEP 19) needs for a range: one for each file in it. Pad files need none. */
export function fileSegments(range: ByteRange, files: FileStorage): Segment[] {
  const { pieceLength } = files
  const piece = Math.floor(range.offset / pieceLength)
  let offset = range.offset
  return files.mapBlock(piece, range.offset - piece * pieceLength, range.length).map((slice) => {
    const segment: Segment = {
      offset,
      length: slice.size,
      source: files.padFileAt(slice.fileIndex)
        ? { kind: 'zeros' }
        : { kind: 'file', file: slice.fileIndex, offset: slice.offset },
    }
    offset += slice.size
    return segment
  })
}

/** The requests an HTTP seed (BEP 17) needs for a range: one for each piece in it. */
export function pieceSegments(range: ByteRange, layout: PieceLayout): Segment[] {
  const segments: Segment[] = []
  const end = range.offset + range.length
  for (let at = range.offset; at < end; ) {
    const piece = Math.floor(at / layout.pieceLength)
    const length = Math.min(end, (piece + 1) * layout.pieceLength) - at
    const source = { kind: 'piece', piece, offset: at - piece * layout.pieceLength } as const
    segments.push({ offset: at, length, source })
    at += length
  }
  return segments
}
