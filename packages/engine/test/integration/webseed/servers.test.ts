import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { ContentServer, type ServerOptions } from './contentServer.ts'
import { download, openLeecher } from './download.ts'

const KIB = 1024
const FILES = [
  { path: 'a b.bin', size: 200_000 },
  { path: '.pad/1', size: 61_144 + 1000, pad: true },
  { path: 'ü/c', size: 13 },
  { path: 'empty', size: 0 },
  { path: 'd', size: 1_000_000 },
]

function makeTorrent(): TestTorrent {
  const torrent = new TestTorrent({ files: FILES, pieceLength: 64 * KIB })
  for (const { pad, offset, size } of torrent.files) if (pad) torrent.content.fill(0, offset, offset + size)
  return torrent
}

const styles: readonly (readonly [string, ServerOptions])[] = [
  ['plain', {}],
  ['chunked', { style: 'chunked' }],
  ['a connection for each answer', { style: 'close' }],
  ['HTTP 1.0', { style: 'http10' }],
  ['without ranges', { ranges: false }],
  ['in small writes', { chunk: 1000 }],
  ['in small chunks', { chunk: 777, style: 'chunked' }],
]

test.each(styles)('a server of many kinds: %s', async (_, options) => {
  const torrent = makeTorrent()
  const server = await ContentServer.open(torrent, options)
  const leecher = await download(openLeecher(torrent, server.url, { settings: { urlseedMaxRequestBytes: 128 * KIB } }))
  expect([leecher.isDone, leecher.isCorrect, leecher.troubles]).toEqual([true, true, []])
  expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
})

test('connections are used again', async () => {
  const torrent = new TestTorrent({ size: 1_000_000 })
  const server = await ContentServer.open(torrent)
  const settings = { urlseedMaxRequestBytes: 32 * KIB, urlseedPipelineSize: 1 }
  const leecher = await download(openLeecher(torrent, server.url, { settings }))
  expect(leecher.isDone).toBe(true)
  expect([server.requests.length, server.connections]).toEqual([Math.ceil(1_000_000 / (32 * KIB)), 1])
})

test('a connection that the server closed while it was idle is no failure', async () => {
  const torrent = new TestTorrent({ size: 400_000 })
  const server = await ContentServer.open(torrent)
  const wanted = { pieces: 2 }
  const leecher = openLeecher(torrent, server.url, { wants: (piece) => piece < wanted.pieces })
  await download(leecher)
  server.dropConnections()
  wanted.pieces = 1000
  await download(leecher)
  expect([leecher.isDone, leecher.troubles, server.connections]).toEqual([true, [], 2])
})

test('https with a certificate that nobody knows is refused; without validation it works', async () => {
  const torrent = new TestTorrent({ size: 100_000 })
  const server = await ContentServer.open(torrent, { https: true })
  const careful = openLeecher(torrent, server.url)
  await new Promise<void>((resolve) => {
    careful.onTroubled = resolve
    careful.seed.pump()
  })
  expect(careful.troubles[0].error.category).toBe('system')
  expect(server.requests).toEqual([])
  const trusting = openLeecher(torrent, server.url)
  Object.assign(trusting, { validateCertificate: false })
  expect((await download(trusting)).isCorrect).toBe(true)
})

test('credentials of the URL are used; wrong ones end the seed', async () => {
  const torrent = new TestTorrent({ size: 100_000 })
  const server = await ContentServer.open(torrent, { login: 'me:p@ss' })
  const withLogin = (login: string) => server.url.replace('http://', `http://${login}@`)
  expect((await download(openLeecher(torrent, withLogin('me:p%40ss')))).isDone).toBe(true)
  const wrong = await download(openLeecher(torrent, withLogin('me:guess')))
  expect(wrong.seed.state).toMatchObject({ name: 'disabled', error: { value: 401 } })
})

test('a slow reader slows the server down instead of filling memory', async () => {
  const torrent = new TestTorrent({ size: 24 << 20, pieceLength: 1 << 20 })
  const server = await ContentServer.open(torrent)
  const leecher = openLeecher(torrent, server.url, { slots: 16 })
  leecher.keepSlots = true
  leecher.seed.pump()
  await new Promise<void>((resolve) => {
    const wait = () => (leecher.stalls > 0 ? resolve() : setTimeout(wait, 5))
    wait()
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(leecher.blocks.size).toBe(16)
  while (!leecher.isDone) {
    leecher.releaseKept()
    await new Promise((resolve) => setImmediate(resolve))
  }
  leecher.releaseKept()
  expect(leecher.isCorrect).toBe(true)
  expect(leecher.pool.inUse).toBe(0)
}, 30_000)

test('a server that stops in the middle is left after urlseed_timeout', async () => {
  const torrent = new TestTorrent({ size: 500_000 })
  const server = await ContentServer.open(torrent, {
    before: (_request, response, n) => {
      if (n > 0) return false
      response.writeHead(206, { 'content-range': 'bytes 0-499999/500000', 'content-length': 500_000 })
      response.write(torrent.content.subarray(0, 100_000))
      return true
    },
  })
  const leecher = openLeecher(torrent, server.url, { settings: { urlseedTimeout: 1 } })
  await download(leecher)
  expect(leecher.troubles).toMatchObject([{ error: { code: 'timedOut' }, retryIn: 1 }])
  expect([leecher.isDone, leecher.isCorrect]).toEqual([true, true])
})

test('a private address behind a name is judged after the name was looked up', async () => {
  const torrent = new TestTorrent({ size: 1000 })
  const server = await ContentServer.open(torrent)
  const judged: string[] = []
  const url = `http://localhost:${server.port}/pub/content?x=1`
  const leecher = openLeecher(torrent, url, {
    checkAddress: (address) => {
      judged.push(address)
      return null
    },
  })
  await download(leecher)
  expect(leecher.seed.state).toMatchObject({ name: 'disabled', error: { code: 'ssrfMitigation' } })
  expect([judged, server.requests]).toEqual([[], []])
})

test('closing in the middle closes the connection', async () => {
  const torrent = new TestTorrent({ size: 4 << 20 })
  const server = await ContentServer.open(torrent, { chunk: 10_000 })
  const leecher = openLeecher(torrent, server.url)
  leecher.seed.pump()
  while (leecher.blocks.size < 3) await new Promise((resolve) => setImmediate(resolve))
  leecher.seed.close()
  expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
  while (server.openConnections > 0) await new Promise((resolve) => setImmediate(resolve))
})
