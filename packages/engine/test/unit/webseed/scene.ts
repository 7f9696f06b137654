import { type TestFile, TestTorrent } from '../../../sim/testTorrent.ts'
import type { HttpStreamRequest } from '../../../src/platform/httpStream.ts'
import { FakeTime } from '../tracker/fakes.ts'
import { type FakeAnswer, type FakeHandler, FakeHttp } from './fakeServer.ts'
import { Leecher, type LeecherOptions } from './leecher.ts'

export const URL_BASE = 'http://seed.example/pub/'

/** What a well-behaved server answers, from the files of `torrent` below `base`. */
export function serve(torrent: TestTorrent, request: HttpStreamRequest, base = '/pub/'): FakeAnswer {
  const path = decodeURIComponent(new URL(request.url).pathname)
  const file = torrent.files.find((candidate) => `${base}${candidate.path}` === path && !candidate.pad)
  if (file === undefined) return { status: 404 }
  const content = torrent.fileContent(file)
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  if (range === null) return { headers: { 'content-length': `${content.length}` }, body: content }
  const [first, last] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)]
  const body = content.subarray(first, last + 1)
  const headers = { 'content-range': `bytes ${first}-${last}/${content.length}`, 'content-length': `${body.length}` }
  return { status: 206, headers, body }
}

export interface SceneOptions extends LeecherOptions {
  readonly url?: string
  readonly files?: never
  readonly content?: readonly TestFile[]
  readonly size?: number
  readonly pieceLength?: number
  /** What the server answers; default as it should. */
  readonly respond?: (request: HttpStreamRequest, n: number, torrent: TestTorrent) => ReturnType<FakeHandler>
  readonly addressOf?: (url: string) => string
}

/** A torrent, a web seed and its server. */
export function webSeedScene(options: SceneOptions = {}) {
  const { url = URL_BASE, content, size, pieceLength, respond, addressOf, ...rest } = options
  const time = new FakeTime()
  const torrent = new TestTorrent({ files: content, size, pieceLength })
  const http = new FakeHttp(
    time,
    (request, n) => (respond ?? ((asked) => serve(torrent, asked)))(request, n, torrent),
    addressOf,
  )
  const leecher = new Leecher(torrent, url, { clock: time, timers: time, http }, rest)
  leecher.seed.pump()
  return { time, torrent, http, leecher, seed: leecher.seed }
}
