import { expect, test } from 'vitest'
import { libtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import { percentEncode } from '../../../src/tracker/trackerLocation.ts'
import { serve, URL_BASE, webSeedScene } from './scene.ts'

const KIB = 1024
const reset = systemError({ code: 'ECONNRESET', message: 'reset' })

/** Everything arrived right, and nothing is left. */
function expectDone({ leecher, http }: ReturnType<typeof webSeedScene>): void {
  expect(leecher.isDone).toBe(true)
  expect(leecher.isCorrect).toBe(true)
  expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
  expect(http.active).toBe(0)
}

test('a torrent of one file comes in one range, from the URL with the name behind its slash', () => {
  const scene = webSeedScene({ size: 300 * KIB + 5 })
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.http.asked).toEqual([`/pub/content 0-${300 * KIB + 4}`])
  expect(scene.http.requests[0].headers).toEqual({
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'test/1.0',
    range: `bytes=0-${300 * KIB + 4}`,
  })
})

test('files of a torrent of several are asked for one by one, and blocks at their borders are put together', () => {
  const content = [
    { path: 'a b/ü&?#.bin', size: 50_000 },
    { path: 'empty', size: 0 },
    { path: 'c', size: 7 },
    { path: 'd', size: 100_000 },
  ]
  const scene = webSeedScene({ content, url: 'http://seed.example/pub' })
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.http.asked).toEqual([
    '/pub/content/a%20b/%C3%BC%26%3F%23.bin 0-49999',
    '/pub/content/c 0-6',
    '/pub/content/d 0-99999',
  ])
})

test('pad files are not asked for: their zeros are made here', () => {
  const content = [
    { path: 'a', size: 40_000 },
    { path: '.pad/25536', size: 25_536, pad: true },
    { path: 'b', size: 10 },
    { path: '.pad/65526', size: 65_526, pad: true },
    { path: 'c', size: 70_000 },
  ]
  const scene = webSeedScene({ content, pieceLength: 65_536 })
  scene.torrent.content.fill(0, 40_000, 65_536)
  scene.torrent.content.fill(0, 65_546, 131_072)
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.http.asked).toEqual(['/pub/content/a 0-39999', '/pub/content/b 0-9', '/pub/content/c 0-69999'])
})

test('adjacent pieces are drawn together, up to urlseed_max_request_bytes', () => {
  const wants = (piece: number) => ![3, 4, 9].includes(piece)
  const settings = { urlseedMaxRequestBytes: 100 * KIB }
  const scene = webSeedScene({ size: 12 * 32 * KIB, wants, settings })
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.http.asked.map((text) => text.split(' ')[1].split('-').map(Number))).toEqual([
    [0, 96 * KIB - 1],
    [160 * KIB, 256 * KIB - 1],
    [256 * KIB, 288 * KIB - 1],
    [320 * KIB, 384 * KIB - 1],
  ])
})

test('a request is for as much as comes in ten seconds, and the next is sent before it is through', () => {
  const size = 40 << 20
  // 16 KiB every 16 ms: 1 MB/s.
  const scene = webSeedScene({
    size,
    pieceLength: 256 * KIB,
    slots: 5000,
    settings: { urlseedMaxRequestBytes: 16 << 20 },
    respond: (request, _n, torrent) => ({ ...serve(torrent, request), chunk: 16 * KIB, delay: 16 }),
  })
  scene.time.pass(60_000)
  expectDone(scene)
  const lengths = scene.http.requests.map(({ headers }) => {
    const [first, last] = (headers.range ?? '').replace('bytes=', '').split('-').map(Number)
    return last - first + 1
  })
  expect(lengths[0]).toBe(1 << 20)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(11 << 20)
  expect(Math.max(...lengths)).toBeGreaterThan(9 << 20)
  expect(scene.http.mostActive).toBe(2)
})

test('of many small files as many are on their way as urlseed_pipeline_size says', () => {
  const content = Array.from({ length: 40 }, (_, i) => ({ path: `f${i}`, size: 5000 + i }))
  const scene = webSeedScene({ content, settings: { urlseedPipelineSize: 3 } })
  scene.time.pass(2000)
  expectDone(scene)
  expect(scene.http.mostActive).toBe(3)
  expect(scene.http.asked).toHaveLength(40)
})

test('a file that is not there is not asked for again, and what the others have still comes', () => {
  const content = [
    { path: 'a', size: 100_000 },
    { path: 'gone', size: 50_000 },
    { path: 'c', size: 100_000 },
  ]
  const scene = webSeedScene({
    content,
    respond: (request, _n, torrent) =>
      request.url.endsWith('/gone') ? { status: 404, body: new Uint8Array(500) } : serve(torrent, request),
  })
  scene.time.pass(60_000)
  expectDone(scene)
  expect(scene.leecher.lostPieces).toEqual([3, 4])
  expect(scene.leecher.pieces).toEqual([0, 1, 2, 5, 6, 7])
  expect(scene.http.asked.filter((path) => path.includes('gone'))).toHaveLength(1)
  expect(scene.leecher.troubles).toMatchObject([
    { error: { category: 'http', value: 404 }, url: `${URL_BASE}content/gone`, retryIn: null },
  ])
})

test('a server that has nothing is not used again', () => {
  const scene = webSeedScene({ size: 100_000, respond: () => ({ status: 410 }) })
  scene.time.pass(3_600_000)
  expect(scene.seed.state).toMatchObject({ name: 'disabled', error: { value: 410 } })
  expect(scene.http.requests).toHaveLength(1)
  expect(scene.leecher.leftovers).toEqual({ slots: 0, asked: 0 })
})

test.each([
  [{ 'retry-after': '120' }, 120],
  [{}, 30],
  [{ 'retry-after': 'soon' }, 30],
  [{ 'retry-after': '0' }, 1],
])(
  'a server that is busy (503 %j) is asked again after %i s, and its blocks are free until then',
  (headers, seconds) => {
    const scene = webSeedScene({
      size: 100_000,
      respond: (request, n, torrent) => (n === 0 ? { status: 503, headers } : serve(torrent, request)),
    })
    scene.time.pass(100)
    expect(scene.leecher.leftovers).toEqual({ slots: 0, asked: 0 })
    expect(scene.leecher.troubles).toMatchObject([{ error: { value: 503 }, retryIn: seconds }])
    scene.time.pass(seconds * 1000 - 200)
    expect(scene.http.requests).toHaveLength(1)
    scene.time.pass(1000)
    expectDone(scene)
  },
)

test('a server that goes on failing is asked less and less often, and as often as ever once it works', () => {
  let works = false
  const scene = webSeedScene({
    size: 100_000,
    respond: (request, _n, torrent) => (works ? serve(torrent, request) : reset),
  })
  scene.time.pass(7200_000)
  expect(scene.leecher.troubles.map(({ retryIn }) => retryIn).slice(0, 9)).toEqual([
    30, 60, 120, 240, 480, 960, 1800, 1800, 1800,
  ])
  works = true
  scene.time.pass(1800_000)
  expectDone(scene)
})

test('a connection that breaks in the middle loses only the block that was arriving, and is made again at once', () => {
  const scene = webSeedScene({
    size: 320 * KIB,
    respond: (request, n, torrent) => {
      const answer = serve(torrent, request)
      return n === 0 ? { ...answer, body: answer.body?.subarray(0, 100_000), error: reset } : answer
    },
  })
  scene.time.pass(100)
  expect(scene.leecher.blocks.size).toBe(6)
  expect(scene.leecher.redundantBytes).toBe(100_000 - 6 * 16 * KIB)
  scene.time.pass(1500)
  expectDone(scene)
  expect(scene.http.asked[1]).toBe(`/pub/content ${96 * KIB}-${320 * KIB - 1}`)
})

test('an answer with fewer bytes than asked for is taken, and the rest asked for', () => {
  const scene = webSeedScene({
    size: 320 * KIB,
    respond: (request, _n, torrent) => {
      const [first] = (request.headers.range ?? '').replace('bytes=', '').split('-').map(Number)
      const last = Math.min(first + 100_000, 320 * KIB) - 1
      return serve(torrent, { ...request, headers: { range: `bytes=${first}-${last}` } })
    },
  })
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.http.asked.map((text) => Number(text.split(' ')[1].split('-')[0]))).toEqual([
    0, 100_000, 200_000, 300_000,
  ])
  expect(scene.leecher.redundantBytes).toBe(0)
})

test('a server without ranges is used as long as not much has to be skipped', () => {
  const content = [
    { path: 'a', size: 100_000 },
    { path: 'b', size: 50_000 },
  ]
  const wants = (piece: number) => piece >= 2
  const scene = webSeedScene({
    content,
    wants,
    respond: (request, _n, torrent) => serve(torrent, { ...request, headers: {} }),
  })
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.leecher.receivedBytes).toBe(150_000 - 65_536)
})

test('without a free slot the server is not read from until there is one', () => {
  const scene = webSeedScene({ size: 320 * KIB, slots: 4, respond: (r, _n, t) => ({ ...serve(t, r), chunk: 5000 }) })
  scene.leecher.keepSlots = true
  scene.time.pass(100)
  expect([scene.leecher.blocks.size, scene.leecher.stalls]).toEqual([4, 1])
  scene.time.pass(3_600_000)
  expect([scene.leecher.blocks.size, scene.leecher.stalls]).toEqual([4, 1])
  while (!scene.leecher.isDone) {
    scene.leecher.releaseKept()
    scene.time.pass(100)
  }
  scene.leecher.releaseKept()
  expectDone(scene)
})

test('blocks in parts never hold all slots: with a single one everything still comes', () => {
  const content = [
    { path: 'a', size: 16_385 },
    { path: '.pad/1', size: 1, pad: true },
    { path: 'b', size: 32_767 },
    { path: '.pad/2', size: 1, pad: true },
    { path: 'c', size: 30_000 },
  ]
  for (const slots of [1, 2]) {
    const respond = (r: Parameters<typeof serve>[1], _n: number, t: Parameters<typeof serve>[0]) => serve(t, r)
    const scene = webSeedScene({ content, slots, pieceLength: 16_384, settings: { urlseedPipelineSize: 3 }, respond })
    for (const { pad, offset } of scene.torrent.files) if (pad) scene.torrent.content[offset] = 0
    scene.leecher.keepSlots = true
    for (let i = 0; i < 20; i++) {
      scene.time.pass(100)
      scene.leecher.releaseKept()
    }
    expectDone(scene)
  }
})

test('a block that came from elsewhere meanwhile takes no slot', () => {
  const scene = webSeedScene({ size: 100_000 })
  scene.leecher.foreign.add(2)
  scene.time.pass(1000)
  expectDone(scene)
  expect(scene.leecher.blocks.has(2)).toBe(false)
  expect(scene.leecher.redundantBytes).toBe(16 * KIB)
})

test('a redirect is followed, remembered for the file, and the same change of place tried for the others', () => {
  const content = [
    { path: 'a', size: 100_000 },
    { path: 'b', size: 50_000 },
  ]
  const respond = (request: Parameters<typeof serve>[1], torrent: Parameters<typeof serve>[0]) => {
    const url = new URL(request.url)
    if (url.host !== 'mirror.example')
      return { status: 302, headers: { location: `//mirror.example/m${url.pathname}` } }
    return serve(torrent, request, '/m/pub/')
  }
  const settings = { urlseedMaxRequestBytes: 32 * KIB, urlseedPipelineSize: 1 }
  const scene = webSeedScene({ content, settings, respond: (request, _n, torrent) => respond(request, torrent) })
  scene.time.pass(5000)
  expectDone(scene)
  expect(scene.http.requests.filter(({ url }) => url.includes('seed.example'))).toHaveLength(1)
})

test('where a redirect was remembered and does not work any more the way begins anew', () => {
  const scene = webSeedScene({
    size: 200_000,
    settings: { urlseedMaxRequestBytes: 64 * KIB, urlseedPipelineSize: 1 },
    respond: (request, n, torrent) => {
      const url = new URL(request.url)
      if (url.host === 'seed.example') return { status: 307, headers: { location: `http://m.example/k${n}?key=${n}` } }
      // A key that is good for two requests.
      const key = Number(url.searchParams.get('key'))
      return n - key > 2 ? { status: 403 } : serve(torrent, { ...request, url: `${URL_BASE}content` })
    },
  })
  scene.time.pass(5000)
  expectDone(scene)
  expect(scene.leecher.lostPieces).toEqual([])
})

test('credentials of the URL are sent to its own server only, and never shown', () => {
  const scene = webSeedScene({
    url: 'http://me:se%20cret@seed.example/pub/',
    size: 50_000,
    respond: (request, _n, torrent) =>
      request.url.includes('seed.example')
        ? { status: 302, headers: { location: 'http://other.example/pub/content?k=1' } }
        : serve(torrent, request),
  })
  scene.time.pass(1000)
  expectDone(scene)
  const [first, second] = scene.http.requests
  expect(first.url).toBe('http://seed.example/pub/content')
  expect(first.headers.authorization).toBe(`Basic ${Buffer.from('me:se cret').toString('base64')}`)
  expect(second.headers.authorization).toBeUndefined()
  expect(scene.seed.url).toBe('http://seed.example/pub/')
})

test("an entry's own auth and headers are sent; a header that would be two is not", () => {
  const extraHeaders = [
    ['X-Token', 'abc'],
    ['X-Evil', 'a\r\nHost: b'],
    ['Bad Name', 'x'],
  ] as const
  const scene = webSeedScene({ size: 50_000, entry: { auth: 'u:p', extraHeaders }, settings: { anonymousMode: true } })
  scene.time.pass(1000)
  expect(scene.http.requests[0].headers).toMatchObject({ authorization: 'Basic dTpw', 'x-token': 'abc' })
  expect(Object.keys(scene.http.requests[0].headers).sort()).toEqual(
    ['accept', 'accept-encoding', 'authorization', 'range', 'x-token'].sort(),
  )
})

test('a piece with wrong data of a torrent of one file ends the seed; of several it costs the file, or the piece', () => {
  const error = libtorrentError('failedHashCheck')
  const single = webSeedScene({ size: 300_000 })
  single.time.pass(100)
  single.seed.pieceFailed(2, error)
  expect(single.seed.state).toMatchObject({ name: 'disabled', error: { code: 'failedHashCheck' } })

  const kind = webSeedScene({ size: 300_000, settings: { banWebSeeds: false } })
  kind.seed.pieceFailed(2, error)
  expect(kind.seed.state.name).toBe('ready')

  const content = [
    { path: 'a', size: 100_000 },
    { path: 'b', size: 200_000 },
  ]
  const several = webSeedScene({ content })
  several.seed.pieceFailed(0, error)
  expect(several.leecher.lostPieces).toEqual([0, 1, 2, 3])
  several.seed.pieceFailed(3, error)
  several.seed.pieceFailed(7, error)
  expect(several.seed.state).toMatchObject({ name: 'disabled' })
  several.time.pass(1000)
  expect(several.leecher.leftovers).toEqual({ slots: 0, asked: 0 })
})

test('an HTTP seed (BEP 17) is asked for pieces and ranges, and 503 tells in its body when to come again', () => {
  const entry = { type: 'httpSeed' } as const
  const wants = (piece: number) => piece !== 1
  const scene = webSeedScene({
    size: 4 * 32 * KIB - 1000,
    url: 'http://seed.example/seed.php?x=1',
    entry,
    wants,
    settings: { urlseedPipelineSize: 1 },
    respond: (request, n, torrent) => {
      if (n === 0) return { status: 503, body: new TextEncoder().encode('45') }
      const { searchParams } = new URL(request.url)
      const piece = torrent.piece(Number(searchParams.get('piece')))
      const [first, last] = searchParams.get('ranges')?.split('-').map(Number) ?? [0, piece.length - 1]
      const body = piece.subarray(first, last + 1)
      return { body, headers: { 'content-length': `${body.length}` } }
    },
  })
  const hash = percentEncode(scene.torrent.infoHash.bytes)
  scene.time.pass(1000)
  expect(scene.leecher.troubles).toMatchObject([{ retryIn: 45 }])
  scene.time.pass(50_000)
  expectDone(scene)
  expect(scene.http.asked.slice(1)).toEqual([0, 2, 3].map((piece) => `/seed.php?x=1&info_hash=${hash}&piece=${piece}`))
  expect(scene.http.requests.every(({ headers }) => headers.range === undefined)).toBe(true)
})

test('closing ends everything at once: requests, timers, slots', () => {
  const scene = webSeedScene({ size: 300_000, respond: (r, _n, t) => ({ ...serve(t, r), chunk: 1000 }) })
  scene.time.pass(50)
  scene.seed.close()
  expect(scene.leecher.leftovers).toEqual({ slots: 0, asked: 0 })
  expect(scene.http.active).toBe(0)
  const requests = scene.http.requests.length
  scene.seed.pump()
  scene.time.pass(3_600_000)
  expect(scene.http.requests).toHaveLength(requests)

  const waiting = webSeedScene({ size: 300_000, respond: () => reset })
  waiting.time.pass(50)
  expect(waiting.seed.state.name).toBe('waiting')
  waiting.seed.close()
  expect(waiting.time.pending).toBe(0)
})

test.each(['ftp://x/y', 'nonsense', '', 'http://', `http://x/${'a'.repeat(10_000)}`])(
  'the URL %s is of no use',
  (url) => {
    const { seed, http } = webSeedScene({ url, size: 1000 })
    expect(seed.state.name).toBe('disabled')
    expect(http.requests).toEqual([])
  },
)
