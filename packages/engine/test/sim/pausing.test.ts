import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { PauseFlags } from '../../src/api/torrentHandle.ts'
import { readResumeData } from '../../src/resume/readResumeData.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

for (const flags of [0, PauseFlags.gracefulPause]) {
  const how = flags === 0 ? 'paused' : 'paused gracefully'

  scenario(
    `a download ${how} and resumed at any moment completes, and nothing is downloaded twice`,
    (world) => {
      const content = new TestTorrent({ size: 40 * PIECE })
      const seed = seedOf(world, content, { up: 200_000 })
      const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
      const random = world.random.fork('pauses')
      for (let round = 0; round < 4; round++) {
        world.run(200 + random.below(1500))
        if (client.torrent.isSeed) break
        const paused = client.alerts('torrentPaused').length
        client.torrent.pause(flags)
        world.runUntil(() => client.alerts('torrentPaused').length === paused + 1, { minutes: 1 })
        expect(client.torrent.getPeerInfo()).toHaveLength(0)
        expect(client.torrent.isPaused).toBe(true)
        world.run(random.below(5000))
        client.torrent.resume()
        client.torrent.connectPeer(seed.endpoint)
      }
      world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
      const blocks = client.alerts('blockFinished').map((alert) => `${alert.pieceIndex}:${alert.blockIndex}`)
      expect(new Set(blocks).size).toBe(blocks.length)
      // Of the block that was arriving, the first part is lost; a graceful pause waits for the rest.
      const lost = flags === 0 ? 4 * BLOCK_SIZE_BYTES : 0
      expect(client.torrent.status().totalRedundantBytes).toBeLessThanOrEqual(lost)
      expect(client.torrent.status().totalPayloadDownload).toBeLessThanOrEqual(content.totalSize + lost)
    },
    { seeds: 4 },
  )

  scenario(
    `a seed ${how} and resumed goes on uploading`,
    (world) => {
      const content = new TestTorrent({ size: 40 * PIECE })
      const seed = seedOf(world, content, { up: 200_000 })
      const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
      world.runUntil(() => client.alerts('blockFinished').length >= 3, { minutes: 1 })
      seed.torrent.pause(flags)
      world.runUntil(() => seed.alerts('torrentPaused').length === 1, { minutes: 1 })
      world.run({ seconds: 10 })
      expect(client.torrent.isSeed).toBe(false)
      seed.torrent.resume()
      client.torrent.connectPeer(seed.endpoint)
      world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    },
    { seeds: 2 },
  )
}

scenario('a graceful pause without peers is immediate', (world) => {
  const client = new SimClient(world, 'client', new TestTorrent())
  world.run({ seconds: 1 })
  client.torrent.pause(PauseFlags.gracefulPause)
  world.run({ ms: 100 })
  expect(client.alerts('torrentPaused')).toHaveLength(1)
  expect(client.torrent.isPaused).toBe(true)
})

scenario('a magnet link without metadata is paused and resumed like any other torrent', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, { magnet: true })
  world.run({ seconds: 1 })
  client.torrent.pause()
  world.run({ ms: 100 })
  expect(client.alerts('torrentPaused')).toHaveLength(1)
  client.torrent.connectPeer(seed.endpoint)
  world.run({ minutes: 1 })
  expect(client.torrent.hasMetadata).toBe(false)
  client.torrent.resume()
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(client.alerts('torrentResumed')).toHaveLength(1)
})

scenario('a graceful pause taken back goes on downloading at once', (world) => {
  const content = new TestTorrent({ size: 40 * PIECE })
  const seed = seedOf(world, content, { up: 200_000 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.run({ ms: 1500 })
  client.torrent.pause(PauseFlags.gracefulPause)
  world.run(world.random.below(200))
  client.torrent.resume()
  // 1.3 MB at 200,000 bytes per second.
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  expect(client.alerts('torrentPaused')).toHaveLength(0)
})

scenario('resume data saved while a torrent is being paused gracefully says that it is to be paused', async (world) => {
  const content = new TestTorrent({ size: 40 * PIECE })
  const seed = seedOf(world, content, { up: 50_000 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.alerts('blockFinished').length >= 3, { minutes: 1 })
  client.torrent.pause(PauseFlags.gracefulPause)
  expect(client.alerts('torrentPaused')).toHaveLength(0)
  const state = readResumeData(await world.settle(client.torrent.saveResumeData(0)))
  expect(state).toMatchObject({ paused: true })
  client.torrent.resume()
  expect(readResumeData(await world.settle(client.torrent.saveResumeData(0)))).toMatchObject({ paused: false })
})

scenario('a peer that never answers cannot hold up a graceful pause for ever', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const client = new SimClient(world, 'client', content)
  world.run({ seconds: 1 })
  const peer = world.peer('mute', { torrent: content, has: 'all' })
  const connection = peer.connect(client.endpoint)
  peer.onMessage = (message, to) => {
    if (message.name === 'interested') to.send((writer) => writer.unchoke())
  }
  world.runUntil(() => connection.received('request').length > 0, { seconds: 10 })
  client.torrent.pause(PauseFlags.gracefulPause)
  for (let minute = 0; minute < 3; minute++) {
    world.run({ minutes: 1 })
    if (connection.closed === undefined) connection.send((writer) => writer.keepAlive())
  }
  // The request timeout is a minute.
  expect(client.secondsOf('torrentPaused')).toHaveLength(1)
  expect(client.secondsOf('torrentPaused')[0]).toBeLessThan(65)
})
