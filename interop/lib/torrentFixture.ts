import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Bencodable, bencode } from './bencode.ts'

export interface ContentFile {
  /** Path below the torrent's root directory, '/'-separated. */
  readonly path: string
  readonly size: number
}

export interface TorrentFixture {
  /** The torrent's name: a directory, or the only file when `single`. */
  readonly name: string
  readonly single: boolean
  readonly files: readonly ContentFile[]
  readonly totalSize: number
  readonly pieceLength: number
  /** The .torrent file. */
  readonly torrent: string
  /** Directory the content lies in; a seed's save path. */
  readonly directory: string
  readonly info: InfoDictionary
  readonly infoHash: string
  readonly magnet: string
}

export type InfoDictionary = Readonly<Record<string, Bencodable>>

export interface TorrentFixtureOptions {
  readonly name: string
  readonly files: readonly ContentFile[]
  readonly pieceLength: number
  /** One file at the top level, without a directory. */
  readonly single?: boolean
  readonly tracker?: string
  /** Makes another content of the same shape. */
  readonly seed?: number
}

/** Path of `file` below a save path. */
export function contentPath(fixture: Pick<TorrentFixture, 'name' | 'single'>, file: ContentFile): string {
  return fixture.single ? fixture.name : join(fixture.name, ...file.path.split('/'))
}

const CHUNK_SIZE_BYTES = 1 << 20

/** Writes content and its .torrent below `root` (`root/<name>.content/<name>...`, `root/<name>.torrent`). */
export function makeTorrentFixture(root: string, options: TorrentFixtureOptions): TorrentFixture {
  const single = options.single ?? false
  const directory = join(root, `${options.name}.content`)
  const shape = { name: options.name, single }
  const hasher = new PieceHasher(options.pieceLength)
  const source = new ByteSource(`${options.name} ${options.seed ?? 0}`)
  for (const file of options.files) {
    const path = join(directory, contentPath(shape, file))
    mkdirSync(dirname(path), { recursive: true })
    writeRandomFile(path, file.size, source, hasher)
  }
  const pieces = hasher.finish()
  const info: Record<string, Bencodable> = { name: options.name, 'piece length': options.pieceLength, pieces }
  if (single) info.length = options.files[0]?.size ?? 0
  else info.files = options.files.map((file) => ({ length: file.size, path: file.path.split('/') }))
  return {
    ...shape,
    files: options.files,
    totalSize: options.files.reduce((sum, file) => sum + file.size, 0),
    pieceLength: options.pieceLength,
    directory,
    info,
    ...writeTorrentFile(join(root, `${options.name}.torrent`), info, options.tracker),
  }
}

/** Writes a .torrent of `info`, adding the tracker where given; returns its path, info-hash and magnet. */
export function writeTorrentFile(
  path: string,
  info: InfoDictionary,
  tracker?: string,
): { torrent: string; infoHash: string; magnet: string } {
  writeFileSync(path, bencode(tracker === undefined ? { info } : { announce: tracker, info }))
  const infoHash = createHash('sha1').update(bencode(info)).digest('hex')
  const trackerPart = tracker === undefined ? '' : `&tr=${encodeURIComponent(tracker)}`
  const magnet = `magnet:?xt=urn:btih:${infoHash}&dn=${encodeURIComponent(String(info.name))}${trackerPart}`
  return { torrent: path, infoHash, magnet }
}

function writeRandomFile(path: string, size: number, source: ByteSource, hasher: PieceHasher): void {
  const file = openSync(path, 'w')
  try {
    for (let written = 0; written < size; ) {
      const chunk = source.next(Math.min(CHUNK_SIZE_BYTES, size - written))
      writeSync(file, chunk)
      hasher.update(chunk)
      written += chunk.length
    }
  } finally {
    closeSync(file)
  }
}

/** SHA-256 of a file's bytes as hex, or null when there is no such file. */
export function sha256OfFile(path: string): string | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  try {
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(CHUNK_SIZE_BYTES)
    for (;;) {
      const read = readSync(file, buffer)
      if (read === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
}

/** Bytes that look random, never repeat within a fixture and are the same on every run. */
class ByteSource {
  private readonly block: Buffer
  private counter = 0

  constructor(label: string) {
    const parts: Buffer[] = []
    for (let i = 0; i < CHUNK_SIZE_BYTES / 64; i++) parts.push(createHash('sha512').update(`${label} ${i}`).digest())
    this.block = Buffer.concat(parts)
  }

  /** The next `size` bytes; valid until the next call. Every chunk starts with its number, so that no two pieces are equal. */
  next(size: number): Buffer {
    const chunk = this.block.subarray(0, size)
    this.counter += 1
    for (let at = 0; at + 4 <= size; at += 4096) chunk.writeUInt32LE((this.counter * 2654435761 + at) >>> 0, at)
    return chunk
  }
}

class PieceHasher {
  private readonly digests: Buffer[] = []
  private hash = createHash('sha1')
  private inPiece = 0

  constructor(private readonly pieceLength: number) {}

  update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.pieceLength - this.inPiece)
      this.hash.update(part)
      this.inPiece += part.length
      at += part.length
      if (this.inPiece === this.pieceLength) this.endPiece()
    }
  }

  finish(): Buffer {
    if (this.inPiece > 0) this.endPiece()
    return Buffer.concat(this.digests)
  }

  private endPiece(): void {
    this.digests.push(this.hash.digest())
    this.hash = createHash('sha1')
    this.inPiece = 0
  }
}
