import { bencode } from '../src/bencode/bencode.ts'
import type { EntryObject } from '../src/bencode/entry.ts'
import { sha1 } from '../src/crypto/sha1.ts'
import { TorrentInfo } from '../src/metainfo/torrentInfo.ts'
import type { StorageFile } from '../src/platform/disk.ts'
import { concatBytes, equalBytes } from '../src/util/bytes.ts'
import type { Sha1Hash } from '../src/util/digest.ts'
import type { PieceIndex } from '../src/util/flavored.ts'
import { SeededRandom } from './seededRandom.ts'
import type { SimFileSystem } from './simFileSystem.ts'

/** A file of a test torrent. */
export interface TestFile {
  /** Path inside the torrent's directory, with `/` between its parts. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** A pad file (BEP 47): zeros. Default false. */
  readonly pad?: boolean
}

/** What a test torrent is made of. */
export interface TestTorrentOptions {
  /** Its name, and that of its file or directory. Default `content`. */
  readonly name?: string
  /** The content follows from it. A 32-bit integer. Default 1. */
  readonly seed?: number
  /** Size of a torrent of one file, bytes. Default 256 KiB. */
  readonly size?: number
  /** Files of a torrent of several, instead of `size`. */
  readonly files?: readonly TestFile[]
  /** Bytes of every piece but the last. Default 32 KiB: two blocks. */
  readonly pieceLength?: number
  /** Tiers of tracker URLs, or URLs of a tier each. Default none. */
  readonly trackers?: readonly (string | readonly string[])[]
  /** Peers from trackers only (BEP 27). Default false. */
  readonly private?: boolean
  /** Default none. */
  readonly comment?: string
  /** Root certificate of an SSL torrent. Default: it is none. */
  readonly sslCert?: string
  /** URLs of web seeds (BEP 19). Default none. */
  readonly webSeeds?: readonly string[]
}

/** Content made from a seed, the .torrent file for it, and help to put it on a disk or to compare. */
export class TestTorrent {
  readonly name: string
  readonly pieceLength: number
  readonly totalSize: number
  /** All bytes of the torrent, pad files included. */
  readonly content: Uint8Array
  readonly pieceHashes: readonly Uint8Array[]
  /** The bencoded info dictionary: what BEP 9 transfers. */
  readonly infoSection: Uint8Array
  readonly infoHash: Sha1Hash
  /** The .torrent file. */
  readonly torrentFile: Uint8Array
  /** The files as a storage knows them: paths below the save path. */
  readonly files: readonly StorageFile[]

  constructor(options: TestTorrentOptions = {}) {
    const list = options.files ?? null
    this.name = options.name ?? 'content'
    this.pieceLength = options.pieceLength ?? 32 * 1024
    this.files = this.layOut(list ?? [{ path: '', size: options.size ?? 256 * 1024 }])
    this.totalSize = this.files.reduce((sum, file) => sum + file.size, 0)
    this.content = this.makeContent(new SeededRandom(options.seed ?? 1))
    this.pieceHashes = Array.from({ length: this.pieceCount }, (_, piece) => sha1(this.piece(piece)).bytes)
    const info: EntryObject = {
      name: this.name,
      'piece length': this.pieceLength,
      pieces: concatBytes(...this.pieceHashes),
      length: list === null ? this.totalSize : undefined,
      files: list?.map((file) => ({
        length: file.size,
        path: file.path.split('/'),
        attr: file.pad ? 'p' : undefined,
      })),
      private: options.private ? 1 : undefined,
      'ssl-cert': options.sslCert,
    }
    this.infoSection = bencode(info)
    this.infoHash = sha1(this.infoSection)
    const tiers = (options.trackers ?? []).map((tier) => (typeof tier === 'string' ? [tier] : tier))
    this.torrentFile = bencode({
      announce: tiers[0]?.[0],
      'announce-list': tiers.length > 1 || (tiers[0]?.length ?? 0) > 1 ? tiers : undefined,
      comment: options.comment,
      'url-list': options.webSeeds,
      info,
    })
  }

  get pieceCount(): number {
    return Math.ceil(this.totalSize / this.pieceLength)
  }

  /** The .torrent file, parsed: a new object each time. */
  info(): TorrentInfo {
    return new TorrentInfo(this.torrentFile)
  }

  /** The bytes of one piece. */
  piece(index: PieceIndex): Uint8Array {
    return this.content.subarray(index * this.pieceLength, Math.min((index + 1) * this.pieceLength, this.totalSize))
  }

  /** The bytes of one file. */
  fileContent(file: StorageFile): Uint8Array {
    return this.content.subarray(file.offset, file.offset + file.size)
  }

  /** Puts the files on a disk: all of the content, or only the pieces `only` says, leaving holes. */
  putOn(files: SimFileSystem, savePath: string, only?: (piece: PieceIndex) => boolean): void {
    for (const file of this.files) {
      if (file.pad) continue
      const bytes = this.fileContent(file).slice()
      const end = file.offset + file.size
      for (let piece = Math.floor(file.offset / this.pieceLength); piece * this.pieceLength < end; piece++) {
        if (only === undefined || only(piece)) continue
        const from = Math.max(0, piece * this.pieceLength - file.offset)
        bytes.fill(0, from, (piece + 1) * this.pieceLength - file.offset)
      }
      files.writeFile(`${savePath}/${file.path}`, bytes)
    }
  }

  /** True when every file is there, byte for byte. Reads everything: nothing to ask after every event. */
  isOn(files: SimFileSystem, savePath: string): boolean {
    return this.files.every((file) => {
      if (file.pad) return true
      const found = files.readFile(`${savePath}/${file.path}`)
      return found !== null && equalBytes(found, this.fileContent(file))
    })
  }

  private layOut(files: readonly TestFile[]): readonly StorageFile[] {
    let offset = 0
    return files.map((file) => {
      const at = offset
      offset += file.size
      const path = file.path === '' ? this.name : `${this.name}/${file.path}`
      return { path, size: file.size, offset: at, pad: file.pad ?? false }
    })
  }

  private makeContent(random: SeededRandom): Uint8Array {
    const content = random.bytes(this.totalSize)
    for (const file of this.files) if (file.pad) content.fill(0, file.offset, file.offset + file.size)
    return content
  }
}
