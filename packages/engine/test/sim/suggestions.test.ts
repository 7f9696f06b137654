import { expect } from 'vitest'
import type { SimPeer, SimPeerConnection } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SuggestMode } from '../../src/settings/settingEnums.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import { type ClientOptions, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const BLOCK = 16_384
const torrent = new TestTorrent({ size: 50 * 2 * BLOCK })
const PLAIN = encodeReserved({})
const suggesting = { suggestMode: SuggestMode.suggestReadCache, allowedFastSetSize: 0 }

function aSeed(world: SimWorld, settings: ClientOptions['settings'] = suggesting): SimClient {
  const seed = new SimClient(world, 'seed', torrent, { has: 'all', settings })
  world.runUntil(() => seed.torrent.isSeed, { minutes: 1 })
  return seed
}

/** A peer that connects, and is unchoked. */
function downloader(world: SimWorld, seed: SimClient, name: string, reserved?: Uint8Array): SimPeerConnection {
  const connection = world.peer(name, { torrent, has: reserved ? 'nothing' : 'none', reserved }).connect(seed.endpoint)
  world.run({ seconds: 1 })
  connection.send((to) => to.interested())
  world.run({ seconds: 1 })
  return connection
}

/** Asks for the first block of each of `pieces`, one after the other. */
function reads(world: SimWorld, connection: SimPeerConnection, pieces: readonly number[]): void {
  for (const piece of pieces) {
    connection.send((to) => to.request(piece, 0, BLOCK))
    world.run({ seconds: 1 })
  }
}

function suggestions(connection: SimPeerConnection): number[] {
  return connection.received('suggest').map(({ piece }) => piece)
}

scenario('whoever is unchoked is first told of two pieces that were just read, the latest last', (world) => {
  const seed = aSeed(world)
  const first = downloader(world, seed, 'first')
  expect(suggestions(first)).toEqual([])
  reads(world, first, [7, 3, 40])
  const other = downloader(world, seed, 'second')
  expect(suggestions(other)).toEqual([3, 40])
  const names = other.names.filter((name) => name === 'suggest' || name === 'unchoke')
  expect(names).toEqual(['suggest', 'suggest', 'unchoke'])
})

scenario('a peer that got a piece it was told of is told of others', (world) => {
  const seed = aSeed(world)
  reads(world, downloader(world, seed, 'first'), [1, 2, 3, 4, 5])
  const other = downloader(world, seed, 'second')
  expect(suggestions(other)).toEqual([4, 5])
  other.send((to) => to.have(20))
  world.run({ seconds: 1 })
  expect(suggestions(other)).toEqual([4, 5])
  other.send((to) => to.have(5))
  world.run({ seconds: 1 })
  expect(suggestions(other)).toEqual([4, 5, 2, 3])
  other.send((to) => to.have(4))
  world.run({ seconds: 1 })
  expect(suggestions(other)).toEqual([4, 5, 2, 3, 1])
})

scenario('a peer that was choked in between is told of the same pieces again', (world) => {
  const seed = aSeed(world)
  reads(world, downloader(world, seed, 'first'), [1, 2])
  const other = downloader(world, seed, 'second')
  other.send((to) => to.notInterested())
  world.run({ seconds: 1 })
  other.send((to) => to.interested())
  world.run({ seconds: 1 })
  expect(other.received('unchoke')).toHaveLength(2)
  expect(suggestions(other)).toEqual([1, 2, 1, 2])
})

scenario('what peers have that came before anything was read counts as well', (world) => {
  const seed = aSeed(world)
  const connection = downloader(world, seed, 'first')
  connection.send((to) => to.have(9))
  world.run({ seconds: 1 })
  expect(seed.torrent.pieceAvailability()).toEqual([])
  reads(world, connection, [1])
  expect(seed.torrent.pieceAvailability()[9]).toBe(1)
})

scenario('what many peers have is not suggested, and a seed knows how many have it', (world) => {
  const seed = aSeed(world, { ...suggesting, unchokeSlotsLimit: 20 })
  const reader = downloader(world, seed, 'reader')
  reads(world, reader, [1])
  const crowd = Array.from({ length: 8 }, (_, i) => downloader(world, seed, `crowd${i}`))
  for (const connection of crowd) connection.send((to) => to.have(9))
  world.run({ seconds: 1 })
  reads(world, reader, [9, 2])
  expect(suggestions(downloader(world, seed, 'last'))).toEqual([1, 2])
  expect(seed.torrent.pieceAvailability()[9]).toBe(8)
  for (const connection of crowd) connection.close()
  world.run({ seconds: 1 })
  expect(seed.torrent.pieceAvailability()[9]).toBe(0)
})

for (const [what, settings, reserved] of [
  ['by default', { allowedFastSetSize: 0 }, undefined],
  ['to a peer without the fast extension', suggesting, PLAIN],
  ['when none are to be kept', { ...suggesting, maxSuggestPieces: 0 }, undefined],
] as const) {
  scenario(`nothing is suggested ${what}`, (world) => {
    const seed = aSeed(world, settings)
    reads(world, downloader(world, seed, 'first'), [1, 2])
    const other = downloader(world, seed, 'second', reserved)
    reads(world, other, [3])
    expect(other.received('piece')).toHaveLength(1)
    expect(suggestions(other)).toEqual([])
  })
}

scenario('turned off, a seed forgets what it wanted to suggest', async (world) => {
  const seed = aSeed(world)
  reads(world, downloader(world, seed, 'first'), [1, 2])
  expect(seed.torrent.pieceAvailability()).toHaveLength(torrent.pieceCount)
  await world.settle(seed.session.applySettings({ suggestMode: SuggestMode.noPieceSuggestions }))
  expect(seed.torrent.pieceAvailability()).toEqual([])
  await world.settle(seed.session.applySettings({ suggestMode: SuggestMode.suggestReadCache }))
  expect(suggestions(downloader(world, seed, 'second'))).toEqual([])
})

scenario('a swarm that suggests downloads everything, and goes on suggesting when complete', (world) => {
  const seed = aSeed(world)
  const clients = ['a', 'b', 'c'].map((name) => new SimClient(world, name, torrent, { settings: suggesting }))
  for (const client of clients)
    for (const other of [seed, ...clients]) {
      if (other !== client) client.torrent.connectPeer(other.endpoint)
    }
  world.runUntil(() => clients.every((client) => client.torrent.isSeed), { minutes: 5 })
  world.run({ minutes: 1 })
  const late = downloader(world, clients[0], 'late')
  expect(suggestions(late).length).toBeGreaterThan(0)
})

/** A peer that has everything, suggests `pieces` in this order, and then lets itself be asked. */
function suggestingPeer(world: SimWorld, pieces: readonly number[]): SimPeer {
  const peer = world.peer('peer', { torrent, has: 'all' })
  peer.onMessage = ({ name }, connection) => {
    if (name !== 'interested') return
    connection.send((to) => {
      for (const piece of pieces) to.suggest(piece)
      to.unchoke()
    })
  }
  return peer
}

function firstRequested(connection: SimPeerConnection, count: number): number[] {
  return [...new Set(connection.received('request').map(({ piece }) => piece))].slice(0, count)
}

scenario('suggested pieces are asked for first, the latest before the others', (world) => {
  const peer = suggestingPeer(world, [30, 9, 17])
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(peer.listen())
  world.run({ seconds: 2 })
  expect(firstRequested(peer.connection, 2)).toEqual([17, 9])
})

scenario('suggestions of pieces that are there already take no place from others', (world) => {
  const had = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  const peer = suggestingPeer(world, [30, ...had])
  const client = new SimClient(world, 'client', torrent, { has: (piece) => had.includes(piece) })
  world.run({ seconds: 2 })
  client.torrent.connectPeer(peer.listen())
  world.run({ seconds: 2 })
  expect(firstRequested(peer.connection, 1)).toEqual([30])
})
