import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SAVE, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

scenario('seed mode starts without checking, and verifies pieces as they are asked for', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const seed = new SimClient(world, 'seed', content, { has: 'all', add: { seedMode: true } })
  expect(seed.torrent.status()).toMatchObject({ state: 'seeding', seedMode: true, numPieces: 20 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  expect(seed.alerts('stateChanged').map((alert) => alert.state)).toEqual(['seeding'])
  // All of it has been verified by now.
  expect(seed.torrent.status().seedMode).toBe(false)
  expect(client.alerts('hashFailed')).toHaveLength(0)
})

scenario(
  'a damaged piece ends seed mode with a check: it is never sent, and all others are',
  (world) => {
    const content = new TestTorrent({ size: 20 * PIECE })
    const host = world.host('seed', { up: 300_000 })
    content.putOn(world.filesOf(host), SAVE)
    world.filesOf(host).corrupt(`${SAVE}/content`, 13 * PIECE + 3, 2)
    const seed = new SimClient(world, host, content, { add: { seedMode: true } })
    const client = new SimClient(world, 'client', content, {
      settings: { minReconnectTime: 5 },
      add: { peers: [seed.endpoint] },
    })
    world.runUntil(() => client.torrent.status().numPieces === 19, { minutes: 5 })
    world.run({ minutes: 1 })
    expect(seed.torrent.status()).toMatchObject({ state: 'downloading', seedMode: false, numPieces: 19 })
    expect(client.alerts('hashFailed')).toHaveLength(0)
    expect(client.torrent.havePiece(13)).toBe(false)
    // A torrent whose pieces are being verified may be read by its user, too.
    expect(seed.torrent.havePiece(13)).toBe(false)
  },
  { seeds: 5 },
)

scenario('a user who reads a piece in seed mode gets an answer, whether it is good or damaged', async (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const host = world.host('seed')
  content.putOn(world.filesOf(host), SAVE)
  world.filesOf(host).corrupt(`${SAVE}/content`, 3 * PIECE, 1)
  const seed = new SimClient(world, host, content, { add: { seedMode: true } })
  const reads = [1, 3, 5, 7].map((piece) => seed.torrent.readPiece(piece).catch(() => null))
  const [good, bad] = await world.settle(Promise.all(reads), { minutes: 1 })
  expect(good).toHaveLength(PIECE)
  expect(bad).toBe(null)
})

scenario('hash checks can be switched off: damaged bytes go through', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const host = world.host('seed')
  content.putOn(world.filesOf(host), SAVE)
  world.filesOf(host).corrupt(`${SAVE}/content`, 3 * PIECE, 1)
  const settings = { disableHashChecks: true }
  const seed = new SimClient(world, host, content, { settings, add: { seedMode: true } })
  const client = new SimClient(world, 'client', content, { settings, add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(world.filesOf(client.host).readFile(`${SAVE}/content`)?.[3 * PIECE]).not.toBe(content.content[3 * PIECE])
  expect(client.torrent.status().totalPayloadDownload).toBe(content.totalSize)
})
