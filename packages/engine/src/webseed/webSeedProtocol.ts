import type { FileStorage } from '../metainfo/fileStorage.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { WebSeedType } from '../metainfo/trackerUrl.ts'
import type { HttpStreamHead } from '../platform/httpStream.ts'
import type { UnixSeconds } from '../util/flavored.ts'
import { judgeFileResponse, judgePieceResponse, type Verdict } from './responseVerdict.ts'
import { type ByteRange, fileSegments, pieceSegments, type Segment } from './segment.ts'
import { fileUrl, httpSeedUrl } from './webSeedLocation.ts'

/** The content a web seed is to give. */
export interface WebSeedContent {
  readonly files: FileStorage
  readonly layout: PieceLayout
  /** 20 bytes. */
  readonly infoHash: Uint8Array
}

/** How the two kinds of web seeds are asked and understood. */
export interface WebSeedProtocol {
  /** The requests for a range, in the order of its bytes. */
  segments(range: ByteRange, content: WebSeedContent): Segment[]
  url(seedUrl: string, segment: Segment, content: WebSeedContent): string
  /** Headers that say which bytes. */
  headers(segment: Segment): Readonly<Record<string, string>>
  judge(head: HttpStreamHead, segment: Segment, content: WebSeedContent, now: UnixSeconds): Verdict
}

/** A plain web server (BEP 19). */
const urlSeed: WebSeedProtocol = {
  segments: (range, { files }) => fileSegments(range, files),
  url: (seedUrl, { source }, { files }) => {
    return source.kind === 'file' ? fileUrl(seedUrl, files.filePath(source.file), files.numFiles === 1) : seedUrl
  },
  headers: ({ source, length }): Record<string, string> => {
    return source.kind === 'file' ? { range: `bytes=${source.offset}-${source.offset + length - 1}` } : {}
  },
  judge: (head, { source, length }, { files }, now) => {
    const [offset, size] = source.kind === 'file' ? [source.offset, files.fileSize(source.file)] : [0, 0]
    return judgeFileResponse(head, { offset, length }, size, now)
  },
}

/** A script that knows the torrent (BEP 17). */
const httpSeed: WebSeedProtocol = {
  segments: (range, { layout }) => pieceSegments(range, layout),
  url: (seedUrl, { source, length }, { infoHash, layout }) => {
    if (source.kind !== 'piece') return seedUrl
    const { piece, offset } = source
    return httpSeedUrl(seedUrl, infoHash, piece, { offset, length }, layout.pieceSize(piece))
  },
  headers: () => ({}),
  judge: (head, { length }, _content, now) => judgePieceResponse(head, length, now),
}

export const webSeedProtocols: Readonly<Record<WebSeedType, WebSeedProtocol>> = { urlSeed, httpSeed }
