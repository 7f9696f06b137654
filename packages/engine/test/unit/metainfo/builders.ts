import { readFileSync } from 'node:fs'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { Entry, EntryObject } from '../../../src/bencode/entry.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { TorrentInfo } from '../../../src/metainfo/torrentInfo.ts'
import type { TorrentLimits } from '../../../src/metainfo/torrentLimits.ts'

export const PIECE = 16 * 1024

/** Hashes for `count` pieces: piece n is hashed to 20 times n + 1. */
export function pieceHashes(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 20 }, (_, i) => (Math.floor(i / 20) + 1) & 0xff)
}

/** An info dictionary of one file of 20,000 bytes in two pieces; `changes` replace keys, undefined removes them. */
export function singleFileInfo(changes: EntryObject = {}): EntryObject {
  return { length: 20_000, name: 'x', 'piece length': PIECE, pieces: pieceHashes(2), ...changes }
}

export interface FileSpec {
  readonly path: readonly (string | Uint8Array)[]
  readonly length?: number
  readonly [key: string]: Entry | undefined
}

/** An info dictionary with a list of files, each of one byte unless it says otherwise. */
export function multiFileInfo(files: readonly FileSpec[], changes: EntryObject = {}): EntryObject {
  const total = files.reduce((sum, file) => sum + (file.length ?? 1), 0)
  return {
    files: files.map((file) => ({ length: 1, ...file })),
    name: 'root',
    'piece length': PIECE,
    pieces: pieceHashes(Math.ceil(total / PIECE)),
    ...changes,
  }
}

export function torrentBytes(info: Entry, outer: EntryObject = {}): Uint8Array {
  return bencode({ info, ...outer })
}

/** A torrent that must be readable. */
export function torrentOf(info: Entry, outer: EntryObject = {}, limits: TorrentLimits = {}): TorrentInfo {
  return new TorrentInfo(torrentBytes(info, outer), limits)
}

/** The code of what is wrong with a .torrent, or `noError`. */
export function errorOf(bytes: Uint8Array, limits: TorrentLimits = {}): string {
  const result = TorrentInfo.parse(bytes, limits)
  return result instanceof LibtorrentError ? result.code : 'noError'
}

export function pathsOf(torrent: TorrentInfo): string[] {
  return Array.from(torrent.files(), ({ path }) => path)
}

interface Vectors {
  readonly pathElements: readonly { element: string; path: string }[]
  readonly torrentNames: readonly { element: string; single: string | null; multi: string; hash: string }[]
  readonly torrents: Readonly<
    Record<string, { torrent: string; infoHash: string | null; name: string; totalSize: number; error: string | null }>
  >
  readonly duplicates: readonly { files: readonly string[]; paths: readonly string[] }[]
  readonly symlinks: readonly { files: readonly [string, string[] | null][]; symlinks: readonly string[] }[]
  readonly peerIds: readonly { peerId: string; client: string }[]
}

/** What libtorrent 2.0.8 makes of odd torrents. */
export const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../vectors/libtorrentMetainfo.json', import.meta.url), 'utf8'),
)
