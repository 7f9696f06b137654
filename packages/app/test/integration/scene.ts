import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createTorrentFromPath, makeMagnetUri, Session, TorrentInfo } from 'libtorrent-ts'
import { onTestFinished } from 'vitest'

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lt-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** `size` bytes that look random and are the same each time. */
export function someBytes(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed * 2654435761 + 1
  for (let i = 0; i + 4 <= size; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes.writeUInt32LE(state, i)
  }
  return bytes
}

/** Content on disk, and its .torrent. */
export interface Content {
  readonly directory: string
  readonly name: string
  readonly torrent: string
  readonly info: TorrentInfo
  readonly magnet: string
}

/** Writes `files` (sizes by path; a path of one part makes a torrent of a single file) and makes a .torrent. */
export async function makeContent(files: Readonly<Record<string, number>>, pieceSize = 16_384): Promise<Content> {
  const directory = temporaryDirectory()
  for (const [index, [path, size]] of Object.entries(files).entries()) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), someBytes(size, index + 1))
  }
  const name = Object.keys(files)[0].split('/')[0]
  const bytes = (await createTorrentFromPath(join(directory, name), { pieceSize })).generateBytes()
  const torrent = join(directory, `${name}.torrent`)
  writeFileSync(torrent, bytes)
  const info = new TorrentInfo(bytes)
  return { directory, name, torrent, info, magnet: makeMagnetUri(info) }
}

/** A session of our own on loopback; closed at the end of the test. */
export async function openSession(): Promise<Session> {
  const session = new Session({
    settings: { listenInterfaces: '127.0.0.1:0', allowMultipleConnectionsPerIp: true },
    disk: { poolBytes: 16 * 1024 * 1024 },
  })
  onTestFinished(() => session.abort())
  await session.ready
  return session
}

/** Seeds `content`; gives the address for --peer. */
export async function seedContent(content: Content): Promise<string> {
  const session = await openSession()
  const seeding = new Promise<void>((resolve) => session.on('torrentFinished', () => resolve()))
  session.addTorrent({ ti: new TorrentInfo(readFileSync(content.torrent)), savePath: content.directory })
  await seeding
  return `127.0.0.1:${session.listenPort}`
}

/** All files below `directory`, in order. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

/** Whether the files of `content` named are the same in `directory`. */
export function sameContent(content: Content, directory: string, paths: readonly string[]): boolean {
  return paths.every((path) => readFileSync(join(content.directory, path)).equals(readFileSync(join(directory, path))))
}

/** Whole numbers below `limit`, the same ones for the same `seed` (mulberry32). */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** The pieces of a torrent of one file that are right on disk. */
export function piecesOnDisk({ info, name }: Content, directory: string): Set<number> {
  const path = join(directory, name)
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const pieces = new Set<number>()
  for (let piece = 0; piece < info.numPieces; piece++) {
    const start = piece * info.pieceLength
    const digest = createHash('sha1')
      .update(bytes.subarray(start, start + info.pieceSize(piece)))
      .digest()
    if (info.isPieceHash(piece, digest)) pieces.add(piece)
  }
  return pieces
}

/** Stands between a downloader and a seed, and lets only so many bytes through. */
export class Bottleneck {
  passed = 0
  private allowed: number
  private readonly server: Server
  private readonly held = new Set<Socket>()
  private onExhausted: () => void = () => {}
  /** Settles when as much as is allowed has passed. */
  exhausted: Promise<void>

  private constructor(seed: string, allowed: number) {
    this.allowed = allowed
    this.exhausted = new Promise((resolve) => {
      this.onExhausted = resolve
    })
    this.server = createServer((client) => this.join(client, connect(Number(seed.split(':')[1]), '127.0.0.1')))
  }

  static async open(seed: string, allowed: number): Promise<Bottleneck> {
    const bottleneck = new Bottleneck(seed, allowed)
    await new Promise<void>((resolve) => bottleneck.server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      bottleneck.server.close()
      for (const socket of bottleneck.held) socket.destroy()
    })
    return bottleneck
  }

  get address(): string {
    const address = this.server.address()
    return `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
  }

  /** Everything may pass from now on. */
  open(): void {
    this.limit(Number.POSITIVE_INFINITY)
  }

  /** So many bytes may pass from now on. */
  limit(allowed: number): void {
    this.allowed = allowed
    this.passed = 0
    this.exhausted = new Promise((resolve) => {
      this.onExhausted = resolve
    })
  }

  private join(client: Socket, seed: Socket): void {
    this.held.add(client).add(seed)
    client.on('error', () => {}).on('close', () => seed.destroy())
    seed.on('error', () => {}).on('close', () => client.destroy())
    client.pipe(seed)
    seed.on('data', (chunk) => {
      if (this.passed >= this.allowed) return
      this.passed += chunk.length
      client.write(chunk)
      if (this.passed >= this.allowed) this.onExhausted()
    })
  }
}

/** A tracker that knows nobody, and remembers the events it is told. */
export async function openTracker(): Promise<{ url: string; events: (string | null)[]; announced: Promise<void> }> {
  const events: (string | null)[] = []
  let onAnnounce = () => {}
  const announced = new Promise<void>((resolve) => {
    onAnnounce = resolve
  })
  const server = createHttpServer((request, response) => {
    events.push(new URL(request.url ?? '', 'http://tracker').searchParams.get('event'))
    response.end('d8:intervali1800e5:peers0:e')
    onAnnounce()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return { url: `http://127.0.0.1:${port}/announce`, events, announced }
}

/** A web server that gives the files below `directory`, whole or in ranges; gives its URL. */
export async function openWebServer(directory: string): Promise<string> {
  const server = createHttpServer((request, response) => {
    const path = join(directory, decodeURIComponent(new URL(request.url ?? '', 'http://web').pathname))
    if (!existsSync(path)) return void response.writeHead(404).end()
    const bytes = readFileSync(path)
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (range === null) return void response.end(bytes)
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)]
    response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}` })
    response.end(bytes.subarray(first, last + 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`
}
