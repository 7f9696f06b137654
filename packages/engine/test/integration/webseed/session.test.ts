import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import { Session } from '../../../src/api/session.ts'
import type { Settings } from '../../../src/settings/settings.ts'
import { ALONE } from '../../alone.ts'
import { ContentServer } from './contentServer.ts'

const FILES = [
  { path: 'a b.bin', size: 200_000 },
  { path: '.pad/1', size: 62_144, pad: true },
  { path: 'ü/c', size: 13 },
  { path: 'empty', size: 0 },
  { path: 'd', size: 3_000_000 },
]

function openSession(settings: Partial<Settings> = {}): { session: Session; savePath: string } {
  const savePath = mkdtempSync(join(tmpdir(), 'lt-webseeds-'))
  const alertMask = AlertCategory.all
  const session = new Session({
    settings: { ...ALONE, listenInterfaces: '127.0.0.1:0', alertMask, ...settings },
    disk: { poolBytes: 4 << 20 },
  })
  onTestFinished(async () => {
    await session.abort()
    rmSync(savePath, { recursive: true, force: true })
  })
  return { session, savePath }
}

function isComplete(torrent: TestTorrent, savePath: string): boolean {
  return torrent.files.every((file) => {
    return file.pad || readFileSync(join(savePath, file.path)).equals(torrent.fileContent(file))
  })
}

test('a session downloads a torrent from a web server alone, and closes its connections', async () => {
  const torrent = new TestTorrent({ files: FILES, pieceLength: 64 * 1024 })
  const server = await ContentServer.open(torrent)
  const { session, savePath } = openSession()
  const finished = new Promise<void>((resolve) => session.once('torrentFinished', () => resolve()))
  const handle = session.addTorrent({ ti: torrent.info(), savePath, urlSeeds: [server.url] })
  await finished
  await handle.flushCache()
  expect(isComplete(torrent, savePath)).toBe(true)
  expect(server.requests.some((request) => request.includes('.pad'))).toBe(false)
  await session.abort()
  await expect.poll(() => server.openConnections).toBe(0)
})

test('several web servers share a download', async () => {
  const torrent = new TestTorrent({ size: 8_000_000, pieceLength: 64 * 1024 })
  const servers = await Promise.all([0, 1, 2].map(() => ContentServer.open(torrent, { chunk: 8192 })))
  const { session, savePath } = openSession({ urlseedMaxRequestBytes: 256 * 1024 })
  const finished = new Promise<void>((resolve) => session.once('torrentFinished', () => resolve()))
  const handle = session.addTorrent({ ti: torrent.info(), savePath, urlSeeds: servers.map(({ url }) => url) })
  await finished
  await handle.flushCache()
  expect(isComplete(torrent, savePath)).toBe(true)
  expect(servers.every(({ requests }) => requests.length > 0)).toBe(true)
})

test('a session ends in the middle of a download', async () => {
  const torrent = new TestTorrent({ size: 4_000_000 })
  const server = await ContentServer.open(torrent, { chunk: 1000 })
  const { session, savePath } = openSession()
  const some = new Promise<void>((resolve) => session.once('pieceFinished', () => resolve()))
  session.addTorrent({ ti: torrent.info(), savePath, urlSeeds: [server.url] })
  await some
  await session.abort()
  await expect.poll(() => server.openConnections).toBe(0)
})

test('a server that is not there is reported', async () => {
  const torrent = new TestTorrent({ size: 100_000 })
  const { session, savePath } = openSession()
  const failed = new Promise((resolve) => session.once('urlSeed', resolve))
  session.addTorrent({ ti: torrent.info(), savePath, urlSeeds: ['http://127.0.0.1:1/pub?key=secret'] })
  expect(await failed).toMatchObject({ url: 'http://127.0.0.1:1/pub' })
})
