import { expect, test } from 'vitest'
import type { TestTorrent } from '../../../sim/testTorrent.ts'
import { httpError, libtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { HttpStreamRequest } from '../../../src/platform/httpStream.ts'
import type { FakeAnswer } from '../../unit/webseed/fakeServer.ts'
import { serve, webSeedScene } from '../../unit/webseed/scene.ts'

const KIB = 1024

/** Whatever happened: nothing wrong was taken for right, and nothing is left behind. */
function expectHarmless({ leecher, time, seed }: ReturnType<typeof webSeedScene>): void {
  expect(leecher.isCorrect).toBe(true)
  seed.close()
  expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
  expect(time.pending).toBe(0)
}

test.each([
  [
    'a page of HTML instead of the file',
    { status: 200, body: new Uint8Array(5000), headers: { 'content-length': '5000' } },
  ],
  ['a page without length', { status: 200, body: new Uint8Array(5000) }],
  [
    'the wrong range',
    { status: 206, body: new Uint8Array(100_000), headers: { 'content-range': 'bytes 5-100004/200000' } },
  ],
  [
    'a compressed file',
    { status: 206, headers: { 'content-range': 'bytes 0-199999/200000', 'content-encoding': 'br' } },
  ],
])('%s ends the seed without a byte taken', (_, answer) => {
  const scene = webSeedScene({ size: 200_000, respond: () => answer })
  scene.time.pass(3_600_000)
  expect(scene.leecher.blocks.size).toBe(0)
  expect(scene.http.requests).toHaveLength(1)
  expect(scene.seed.state.name).toBe('disabled')
  expectHarmless(scene)
})

test('a body longer than announced is cut off where it should end', () => {
  const scene = webSeedScene({
    size: 200_000,
    respond: (request, _n, torrent) => {
      const { body = new Uint8Array(0), headers } = serve(torrent, request)
      const more = new Uint8Array(body.length + 50_000)
      more.set(body)
      return { status: 206, headers: { 'content-range': headers?.['content-range'] ?? '' }, body: more, chunk: 30_000 }
    },
  })
  scene.time.pass(1000)
  expect(scene.leecher.isDone).toBe(true)
  expectHarmless(scene)
})

test('bodies shorter than announced are taken as far as they go, and not asked for without end', () => {
  const scene = webSeedScene({
    size: 200_000,
    respond: (request, _n, torrent) => ({
      ...serve(torrent, request),
      body: serve(torrent, request).body?.subarray(0, 10),
    }),
  })
  scene.time.pass(3_600_000)
  expect(scene.http.requests.length).toBeLessThan(12)
  expectHarmless(scene)
})

test('ranges of a few bytes each are not put up with', () => {
  const scene = webSeedScene({
    size: 200_000,
    respond: (request, _n, torrent) => {
      const [first] = (request.headers.range ?? '').replace('bytes=', '').split('-').map(Number)
      return serve(torrent, { ...request, headers: { range: `bytes=${first}-${first}` } })
    },
  })
  scene.time.pass(600_000)
  expect(scene.http.requests.length).toBeLessThan(8)
  expectHarmless(scene)
})

test.each<[string, (asked: Asked) => FakeAnswer]>([
  ['a part of a longer one', ({ torrent, request }) => grown(serve(torrent, request), 1)],
  ['a part of a shorter one', ({ torrent, request }) => grown(serve(torrent, request), -1)],
  // What If-Range is for; we send none, since hashes tell what is right.
  ['all of a longer one', () => ({ headers: { 'content-length': '200001' }, body: new Uint8Array(200_001) })],
  ['all of an empty one', () => ({ headers: { 'content-length': '0' } })],
  ['that the range is beyond it', () => ({ status: 416, headers: { 'content-range': 'bytes */10' } })],
])('a file that becomes another between two requests: the second is answered by %s', (_, second) => {
  const scene = webSeedScene({
    size: 200_000,
    settings: { urlseedMaxRequestBytes: 64 * KIB, urlseedPipelineSize: 1 },
    respond: (request, n, torrent) => (n === 0 ? serve(torrent, request) : second({ request, torrent })),
  })
  scene.time.pass(3_600_000)
  // What came of the first file stays, nothing of the other is taken, and the server is not asked again and again.
  expect(scene.leecher.blocks.size).toBe(4)
  expect(scene.http.requests).toHaveLength(2)
  expect(scene.seed.state.name).toBe('disabled')
  for (const { headers } of scene.http.requests) expect(headers).not.toHaveProperty('if-range')
  expectHarmless(scene)
})

interface Asked {
  readonly request: HttpStreamRequest
  readonly torrent: TestTorrent
}

/** The same part, of a file that has more bytes. */
function grown(answer: FakeAnswer, bytes: number): FakeAnswer {
  const range = answer.headers?.['content-range']?.replace(/\d+$/, (total) => String(Number(total) + bytes)) ?? ''
  return { ...answer, headers: { ...answer.headers, 'content-range': range } }
}

test('redirects in a circle end after five', () => {
  const scene = webSeedScene({
    size: 100_000,
    respond: (_request, n) => ({ status: 302, headers: { location: `http://seed.example/${n % 2}` } }),
  })
  scene.time.pass(3_600_000)
  expect(scene.http.requests).toHaveLength(6)
  expect(scene.seed.state).toMatchObject({ name: 'disabled', error: { code: 'invalidRedirection' } })
  expectHarmless(scene)
})

test.each(['file:///etc/passwd', 'ftp://x/y', 'gopher://x', '', 'http://[::1', 'javascript:alert(1)'])(
  'a redirect to "%s" goes nowhere',
  (location) => {
    const scene = webSeedScene({ size: 100_000, respond: () => ({ status: 301, headers: { location } }) })
    scene.time.pass(1000)
    expect(scene.http.requests).toHaveLength(1)
    expectHarmless(scene)
  },
)

const PRIVATE = ['127.0.0.1', '10.0.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0', '::1', 'fe80::1', 'fd00::1']

test.each(PRIVATE)('a server on the internet cannot send us to %s', (address) => {
  const scene = webSeedScene({
    size: 100_000,
    respond: () => ({ status: 302, headers: { location: 'http://inside.example/content' } }),
    addressOf: (url) => (url.includes('inside') ? address : '9.9.9.9'),
  })
  scene.time.pass(1000)
  expect(scene.seed.state).toMatchObject({ name: 'disabled', error: { code: 'ssrfMitigation' } })
  expectHarmless(scene)

  const off = webSeedScene({
    size: 100_000,
    settings: { ssrfMitigation: false },
    respond: (request, _n, torrent) =>
      request.url.includes('inside')
        ? serve(torrent, { ...request, url: 'http://x/pub/content' })
        : { status: 302, headers: { location: 'http://inside.example/content' } },
    addressOf: (url) => (url.includes('inside') ? address : '9.9.9.9'),
  })
  off.time.pass(1000)
  expect(off.leecher.isDone).toBe(true)
})

test('a remembered redirect whose name later stands for a private address is not followed there (DNS rebinding)', () => {
  let inside = false
  const reached: string[] = []
  const scene = webSeedScene({
    size: 400_000,
    settings: { urlseedMaxRequestBytes: 64 * KIB, urlseedPipelineSize: 1 },
    respond: (request, n, torrent) => {
      if (!request.url.includes('flips')) return { status: 302, headers: { location: 'http://flips.example/content' } }
      inside = n >= 3
      return serve(torrent, { ...request, url: 'http://x/pub/content' })
    },
    addressOf: (url) => {
      if (!url.includes('flips')) return '9.9.9.9'
      reached.push(inside ? '10.0.0.1' : '8.8.8.8')
      return reached.at(-1) ?? ''
    },
  })
  scene.time.pass(10_000)
  expect(reached).toContain('10.0.0.1')
  expect(scene.seed.state).toMatchObject({ name: 'disabled', error: { code: 'ssrfMitigation' } })
  expect(scene.leecher.isDone).toBe(true)
  expect(scene.leecher.blocks.size).toBeLessThan(25)
  expectHarmless(scene)
})

test('a server on a private network may be a seed, but is sent no query string of a torrent', () => {
  const seed = (url: string) => webSeedScene({ url, size: 1000, addressOf: () => '192.168.0.9' })
  const plain = seed('http://nas.local/pub/')
  plain.time.pass(1000)
  expect(plain.leecher.isDone).toBe(true)
  const query = seed('http://nas.local/admin?cmd=reset&x=/')
  query.time.pass(1000)
  expect(query.seed.state).toMatchObject({ name: 'disabled', error: { code: 'ssrfMitigation' } })
  expect(query.leecher.blocks.size).toBe(0)
})

test('the query of an HTTP seed is ours, and may be sent to a private network', () => {
  const scene = webSeedScene({
    url: 'http://nas.local/seed.php',
    size: 1000,
    entry: { type: 'httpSeed' },
    addressOf: () => '192.168.0.9',
    respond: (_request, _n, torrent) => ({ body: torrent.piece(0) }),
  })
  scene.time.pass(1000)
  expect(scene.leecher.isDone).toBe(true)
})

test.each([25, 6379, 22])('port %i is not spoken to', (port) => {
  const scene = webSeedScene({ url: `http://seed.example:${port}/pub/`, size: 1000 })
  scene.time.pass(1000)
  expect(scene.seed.state).toMatchObject({ name: 'disabled', error: { code: 'portBlocked' } })
})

test("the session's own judgement of an address counts, on each hop", () => {
  const judged: string[] = []
  const scene = webSeedScene({
    size: 1000,
    respond: () => ({ status: 302, headers: { location: 'http://other.example/x' } }),
    addressOf: (url) => (url.includes('other') ? '8.8.8.8' : '9.9.9.9'),
    checkAddress: (address) => {
      judged.push(address)
      return address === '8.8.8.8' ? libtorrentError('bannedByIpFilter') : null
    },
  })
  scene.time.pass(1000)
  expect(judged).toEqual(['9.9.9.9', '8.8.8.8'])
  expect(scene.leecher.troubles).toMatchObject([{ error: { code: 'bannedByIpFilter' }, retryIn: 30 }])
  expectHarmless(scene)
})

test('error pages of gigabytes are not read', () => {
  const scene = webSeedScene({
    size: 100_000,
    respond: () => ({ status: 503, body: new Uint8Array(1 << 20).fill(0x31), chunk: 1000 }),
  })
  scene.time.pass(100)
  expect(scene.leecher.troubles).toMatchObject([{ error: { value: 503 }, retryIn: 30 }])
  expect(scene.http.active).toBe(0)
  expectHarmless(scene)
})

test.each(['99999999999', '-5', '1e9', ' 7 ', '', '\x1b[2J'])('a 503 of an HTTP seed with the body "%s"', (text) => {
  const body = new TextEncoder().encode(text)
  const scene = webSeedScene({ size: 1000, entry: { type: 'httpSeed' }, respond: () => ({ status: 503, body }) })
  scene.time.pass(100)
  expect(scene.leecher.troubles).toMatchObject([{ retryIn: text === ' 7 ' ? 7 : 30 }])
  expectHarmless(scene)
})

test('401 ends the seed: nobody is asked for a password', () => {
  const scene = webSeedScene({ size: 1000, respond: () => ({ status: 401 }) })
  scene.time.pass(3_600_000)
  expect(scene.seed.state).toEqual({ name: 'disabled', error: httpError(401) })
  expect(scene.http.requests).toHaveLength(1)
})

test('a server that answers nothing holds what it was asked for no longer than the stream allows', () => {
  const scene = webSeedScene({ size: 64 * KIB, respond: () => 'nothing' })
  scene.time.pass(1000)
  expect(scene.http.requests[0].receiveTimeout).toBe(20_000)
  expectHarmless(scene)
})
