import { expect } from 'vitest'
import type { SimPeer } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { type ClientOptions, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const BLOCK = 16_384
const torrent = new TestTorrent({ size: 200 * 2 * BLOCK })

/** Seeds and others that are connected to `client`, and unchoke it all at the same moment. */
function unchokingAtOnce(world: SimWorld, client: SimClient, seeds: number, others: number): SimPeer[] {
  const peers = Array.from({ length: seeds + others }, (_, i) => {
    const has = i < seeds ? 'all' : (piece: number) => piece > 0
    const peer = world.peer(`peer${i}`, { torrent, has })
    client.torrent.connectPeer(peer.listen())
    return peer
  })
  world.run({ seconds: 5 })
  for (const peer of peers) peer.connection.send((to) => to.unchoke())
  world.run({ seconds: 1 })
  return peers
}

/** Indices of all pieces asked for, ascending. */
function requested(peers: readonly SimPeer[]): number[] {
  const pieces = peers.flatMap((peer) => peer.connection.received('request').map(({ piece }) => piece))
  return [...new Set(pieces)].sort((a, b) => a - b)
}

function client(world: SimWorld, settings: ClientOptions['settings']): SimClient {
  return new SimClient(world, 'client', torrent, { settings: { wholePiecesThreshold: 0, ...settings } })
}

for (const [what, seeds, others, autoSequential, isInOrder] of [
  ['with ten seeds', 10, 0, true, true],
  ['with twenty seeds and two others', 20, 2, true, true],
  ['with nine seeds', 9, 0, true, false],
  ['with nineteen seeds and two others', 19, 2, true, false],
  ['with ten seeds, if it is not to', 10, 0, false, false],
] as const) {
  scenario(
    `a torrent ${what} ${isInOrder ? 'is' : 'is not'} downloaded in order`,
    (world) => {
      const peers = unchokingAtOnce(world, client(world, { autoSequential }), seeds, others)
      const pieces = requested(peers)
      expect(pieces.length).toBeGreaterThan(10)
      // In order: no gap, whoever was asked for what.
      expect(pieces.at(-1) === pieces.length - 1).toBe(isInOrder)
    },
    { seeds: 2 },
  )
}

for (const pieceExtentAffinity of [true, false]) {
  scenario(
    `the 4 MiB around the first piece are downloaded ${pieceExtentAffinity ? 'before' : 'among'} all others`,
    (world) => {
      const settings = { pieceExtentAffinity, initialPickerThreshold: 0, prioritizePartialPieces: false }
      const downloading = client(world, settings)
      const peer = world.peer('peer', { torrent, has: 'all', serves: true })
      downloading.torrent.connectPeer(peer.listen())
      world.runUntil(() => downloading.torrent.isSeed, { minutes: 5 })
      const asked = [...new Set(peer.connection.received('request').map(({ piece }) => piece))]
      // The first two are chosen together, before either was downloaded.
      const order = [asked[0], ...asked.slice(2)]
      // Pieces 0 to 127, or the rest of the torrent.
      const extentOf = (piece: number) => Math.floor(piece / 128)
      const first = order.filter((piece) => extentOf(piece) === extentOf(order[0])).length
      const inFront = order.slice(0, first).filter((piece) => extentOf(piece) === extentOf(order[0])).length
      expect(inFront === first).toBe(pieceExtentAffinity)
    },
    { seeds: 2 },
  )
}
