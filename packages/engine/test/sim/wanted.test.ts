import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

scenario('only selected files are downloaded, and the pieces they share with others', (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'a', size: 4 * PIECE + 100 },
      { path: 'b', size: 4 * PIECE },
      { path: 'c', size: 4 * PIECE },
    ],
  })
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, {
    add: { peers: [seed.endpoint], filePriorities: [0, 1, 0] },
  })
  world.runUntil(() => client.torrent.isFinished, { minutes: 1 })
  world.run({ minutes: 1 })
  expect(client.torrent.status()).toMatchObject({ state: 'finished', isSeeding: false, numPieces: 5 })
  expect(client.torrent.status().totalPayloadDownload).toBe(5 * PIECE)
  expect(client.alerts('torrentFinished')).toHaveLength(1)
  client.torrent.prioritizeFiles([1, 1, 1])
  expect(client.torrent.isFinished).toBe(false)
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  expect(client.alerts('torrentFinished')).toHaveLength(2)
})

scenario(
  'setting all files to 0 in the middle of a download finishes it, and it is no seed',
  (world) => {
    const content = new TestTorrent({ size: 40 * PIECE })
    const seed = seedOf(world, content, { up: 200_000 })
    const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
    world.run({ ms: 1000 + world.random.below(2000) })
    client.torrent.prioritizeFiles([0])
    expect(client.torrent.status()).toMatchObject({ isFinished: true, isSeeding: false, state: 'finished' })
    world.run({ minutes: 2 })
    expect(client.torrent.isSeed).toBe(false)
    expect(client.alerts('torrentFinished')).toHaveLength(1)
    client.torrent.prioritizeFiles([1])
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    expect(client.alerts('torrentFinished')).toHaveLength(2)
  },
  { seeds: 5 },
)

scenario(
  'pieces that still arrive after nothing more was wanted do not finish the torrent again, unless it is a seed then',
  (world) => {
    const content = new TestTorrent({ size: 10 * PIECE })
    const client = new SimClient(world, 'client', content)
    world.run({ seconds: 1 })
    // Not a seed: connections to seeds end once nothing is wanted of them.
    const peer = world.peer('peer', {
      torrent: content,
      has: (piece) => piece !== 9,
      serves: true,
      answerDelay: 1000,
    })
    client.torrent.connectPeer(peer.listen())
    world.runUntil(() => client.torrent.getDownloadQueue().some((piece) => piece.requested === 2), { minutes: 1 })
    client.torrent.prioritizeFiles([0])
    world.run({ seconds: 30 })
    expect(client.alerts('pieceFinished').length).toBeGreaterThan(0)
    expect(client.torrent.status().state).toBe('finished')
    expect(client.alerts('torrentFinished')).toHaveLength(1)
    for (let piece = 0; piece < 10; piece++) {
      if (!client.torrent.havePiece(piece)) client.torrent.addPiece(piece, content.piece(piece))
    }
    world.run({ seconds: 10 })
    expect(client.torrent.status().state).toBe('seeding')
    expect(client.alerts('torrentFinished')).toHaveLength(1)
  },
)

scenario(
  'priorities changed all the time never break a download',
  (world) => {
    const content = new TestTorrent({
      files: Array.from({ length: 6 }, (_, i) => ({ path: `${i}`, size: 5 * PIECE + 1000 * i })),
    })
    const seed = seedOf(world, content, { up: 200_000 })
    const client = new SimClient(world, 'client', content, {
      settings: { minReconnectTime: 1 },
      add: { peers: [seed.endpoint] },
    })
    const random = world.random.fork('priorities')
    for (let round = 0; round < 30; round++) {
      world.run(random.below(300))
      if (random.chance(0.5)) client.torrent.filePriority(random.below(6), random.below(8))
      else client.torrent.piecePriority(random.below(content.pieceCount), random.below(8))
    }
    client.torrent.prioritizeFiles([1, 2, 3, 4, 5, 6])
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    // Each time nothing was wanted the connection ended, perhaps in the middle of a block.
    expect(client.torrent.status().totalRedundantBytes).toBeLessThanOrEqual(client.endCodes.length * BLOCK_SIZE_BYTES)
    expect(client.alerts('hashFailed')).toHaveLength(0)
  },
  { seeds: 6 },
)

scenario('a sequential download asks for the pieces in order', (world) => {
  const content = new TestTorrent({ size: 30 * PIECE })
  // While choked, a peer asks for what it is allowed to.
  const seed = seedOf(world, content, { up: 300_000, settings: { allowedFastSetSize: 0 } })
  const client = new SimClient(world, 'client', content, { add: { sequentialDownload: true, peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  const order = client.alerts('blockDownloading').map((alert) => alert.pieceIndex)
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(order).toHaveLength(60)
})

scenario('pieces of the top priority come first', (world) => {
  const content = new TestTorrent({ size: 60 * PIECE })
  const seed = seedOf(world, content, { up: 300_000, settings: { allowedFastSetSize: 0 } })
  const piecePriorities = Array.from({ length: 60 }, (_, piece) => (piece >= 40 && piece < 45 ? 7 : 1))
  const client = new SimClient(world, 'client', content, { add: { piecePriorities, peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  const first = client.alerts('pieceFinished').slice(0, 5)
  expect(first.map((alert) => alert.pieceIndex).sort()).toEqual([40, 41, 42, 43, 44])
})
