import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { MoveFlags } from '../../src/platform/moveFlags.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024
const PLACE = '/elsewhere'

const twoFiles = () =>
  new TestTorrent({
    files: [
      { path: 'one', size: 10 * PIECE },
      { path: 'two', size: 10 * PIECE },
    ],
  })

async function rejection(promise: Promise<unknown>): Promise<LibtorrentError | null> {
  try {
    await promise
    return null
  } catch (error) {
    return error as LibtorrentError
  }
}

scenario(
  'failIfExist finds out whether files are in the way: nothing has changed, and another mode may be tried',
  async (world) => {
    const content = twoFiles()
    const client = seedOf(world, content)
    const files = world.filesOf(client.host)
    files.writeFile(`${PLACE}/content/two`, new Uint8Array(5))
    const before = files.paths()
    const error = await world.settle(rejection(client.torrent.moveStorage(PLACE, MoveFlags.failIfExist)))
    expect([error?.code, error?.path]).toEqual(['EEXIST', `${PLACE}/content/two`])
    expect(client.alerts('storageMovedFailed').map((alert) => alert.error.code)).toEqual(['EEXIST'])
    expect([client.torrent.savePath, client.torrent.isSeed, files.paths()]).toEqual([SAVE, true, before])
    const moving = client.torrent.moveStorage(PLACE)
    expect(client.torrent.status().movingStorage).toBe(true)
    await world.settle(moving)
    expect(client.torrent.status().movingStorage).toBe(false)
    expect([client.torrent.savePath, client.torrent.isSeed]).toEqual([PLACE, true])
    expect(content.isOn(files, PLACE)).toBe(true)
    expect(files.paths()).toEqual([`${PLACE}/content/one`, `${PLACE}/content/two`])
  },
)

scenario('dontReplace keeps what is there, and nothing of it is claimed before it was checked', async (world) => {
  const content = twoFiles()
  const client = seedOf(world, content)
  const files = world.filesOf(client.host)
  files.writeFile(`${PLACE}/content/two`, new Uint8Array(7 * PIECE))
  await world.settle(client.torrent.moveStorage(PLACE, MoveFlags.dontReplace))
  expect(client.torrent.savePath).toBe(PLACE)
  expect(client.torrent.isSeed).toBe(false)
  world.runUntil(() => client.torrent.status().state === 'downloading', { minutes: 1 })
  expect(client.torrent.status().numPieces).toBe(10)
  // not a byte of the torrent is lost
  expect(files.readFile(`${SAVE}/content/two`)).toEqual(content.fileContent(content.files[1]))
  const other = new SimClient(world, 'other', content, { has: 'all' })
  client.torrent.connectPeer(other.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(content.isOn(files, PLACE)).toBe(true)
})

scenario('dontReplace of an empty torrent takes over a complete download that is found there', async (world) => {
  const content = twoFiles()
  const client = new SimClient(world, 'client', content)
  content.putOn(world.filesOf(client.host), PLACE)
  world.run({ seconds: 1 })
  await world.settle(client.torrent.moveStorage(PLACE, MoveFlags.dontReplace))
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(client.alerts('torrentChecked')).not.toHaveLength(0)
})

scenario('a paused torrent moved with dontReplace is checked when it goes on', async (world) => {
  const content = twoFiles()
  const client = seedOf(world, content)
  client.torrent.pause()
  world.filesOf(client.host).writeFile(`${PLACE}/content/one`, new Uint8Array(3))
  await world.settle(client.torrent.moveStorage(PLACE, MoveFlags.dontReplace))
  world.run({ minutes: 1 })
  expect([client.torrent.isSeed, client.torrent.status().numPieces]).toEqual([false, 0])
  client.torrent.resume()
  world.runUntil(() => client.torrent.status().numPieces === 10, { minutes: 1 })
})

scenario('a torrent without metadata has nothing to move, in any mode', async (world) => {
  const content = twoFiles()
  const client = new SimClient(world, 'client', content, { magnet: true })
  for (const flags of Object.values(MoveFlags)) {
    await world.settle(client.torrent.moveStorage(`${PLACE}${flags}`, flags))
    expect(client.torrent.savePath).toBe(`${PLACE}${flags}`)
  }
  expect(await world.settle(client.torrent.moveStorage('').catch((error) => error))).toBeInstanceOf(TypeError)
})

scenario('a move in the middle of a download loses nothing, whatever is there and whatever the mode', async (world) => {
  const content = twoFiles()
  const seed = seedOf(world, content, { up: 300_000 })
  for (const [name, flags] of Object.entries(MoveFlags)) {
    const client = new SimClient(world, name, content, { add: { peers: [seed.endpoint] } })
    const files = world.filesOf(client.host)
    if (world.random.chance(0.5)) files.writeFile(`${PLACE}/content/one`, new Uint8Array(PIECE))
    world.run(world.random.below(2500))
    const had = client.torrent.status().numPieces
    const error = await world.settle(rejection(client.torrent.moveStorage(PLACE, flags)), { minutes: 1 })
    const savePath = error === null ? PLACE : SAVE
    expect(client.torrent.savePath).toBe(savePath)
    if (flags !== MoveFlags.dontReplace) expect(client.torrent.status().numPieces).toBeGreaterThanOrEqual(had)
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    expect(content.isOn(files, savePath)).toBe(true)
  }
})
