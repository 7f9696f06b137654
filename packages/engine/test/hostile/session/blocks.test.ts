import { expect } from 'vitest'
import type { SimPeer } from '../../../sim/simPeer.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { SAVE, SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'
import { BLOCK, hex, Siege } from './siege.ts'

// Hostile inputs, line 21.

scenario(
  'blocks nobody asked for are thrown away and counted, and do no harm',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker({ has: 'all', corrupts: () => true })
    for (let round = 0; round < 10; round++) {
      for (let piece = 0; piece < 40; piece++) attacker.sendBlock(piece, 0, BLOCK)
      world.run({ seconds: 1 })
    }
    // Its connection stands, the bytes count as waste, no slot is held.
    expect(siege.verdicts).toEqual([])
    expect(siege.client.torrent.status().totalRedundantBytes).toBeGreaterThan(100 * BLOCK)
    expect(siege.client.torrent.status().totalFailedBytes).toBe(0)
    siege.survive()
  },
  { seeds: 2 },
)

/** Unchokes who is interested and leaves the rest to `answer`. */
function answering(peer: SimPeer, answer: (piece: number, begin: number, length: number) => void): void {
  peer.onMessage = ({ name, piece, begin, length }, connection) => {
    if (name === 'interested') connection.send((to) => to.unchoke())
    if (name === 'request') answer(piece, begin, length)
  }
}

scenario(
  'short, shifted and doubled answers complete nothing that is wrong',
  (world) => {
    const torrent = new TestTorrent({ size: 20 * 2 * BLOCK })
    const client = new SimClient(world, 'client', torrent, { settings: { requestTimeout: 5, pieceTimeout: 3 } })
    const odd = world.peer('odd', { torrent, has: 'all' })
    let count = 0
    answering(odd, (piece, begin, length) => {
      const { connection } = odd
      if (connection.closed !== undefined) return
      const trick = count++ % 4
      if (trick === 0) connection.sendBlock(piece, begin, length - 1)
      else if (trick === 1) connection.sendBlock(piece, begin === 0 ? 8 : begin - 8, length - 8)
      else if (trick === 2) for (let i = 0; i < 3; i++) connection.sendBlock(piece, begin, length)
    })
    client.torrent.connectPeer(odd.listen())
    world.run({ seconds: 20 })
    const seed = world.peer('seed', { torrent, has: 'all', serves: true })
    client.torrent.connectPeer(seed.listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
    expect(client.torrent.status().totalFailedBytes).toBe(0)
    expect(torrent.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  },
  { seeds: 3 },
)

for (const [count, share] of [
  [1, 'every'],
  [3, 'every'],
  [3, 'some'],
  [6, 'some'],
] as const) {
  scenario(
    `of a liar (${share} block wrong) and ${count} honest peers exactly the liar is banned, and the download completes`,
    (world) => {
      const torrent = new TestTorrent({ size: 60 * 8 * BLOCK, pieceLength: 8 * BLOCK })
      const client = new SimClient(world, 'client', torrent)
      const corrupts = (piece: number, begin: number) => share === 'every' || (piece + begin / BLOCK) % 5 === 0
      const liar = world.peer('liar', { torrent, has: 'all', serves: true, up: 80_000, corrupts })
      const honest = Array.from({ length: count }, (_, i) =>
        world.peer(`honest${i}`, { torrent, has: 'all', serves: true, up: 60_000 }),
      )
      world.run({ seconds: 1 })
      for (const peer of [liar, ...honest]) client.torrent.connectPeer(peer.listen())
      world.runUntil(() => client.torrent.isSeed, { minutes: 20 })
      expect(client.alerts('peerBan').map(({ endpoint }) => endpoint.address)).toEqual([liar.host.address])
      expect(client.alerts('hashFailed').length).toBeGreaterThan(0)
      expect(torrent.isOn(world.filesOf(client.host), SAVE)).toBe(true)
      for (const peer of honest)
        expect(
          client.endings.filter(
            ({ address, code }) => address === peer.host.address && code !== 'uploadUploadConnection',
          ),
        ).toEqual([])
      // It cannot come back, neither way.
      liar.connect(client.endpoint)
      world.run({ seconds: 5 })
      expect(liar.connection.closed).not.toBeUndefined()
    },
    { seeds: 4 },
  )
}

scenario('a seed of nothing but lies is caught alone, and the download waits for an honest one', (world) => {
  const torrent = new TestTorrent({ size: 30 * 2 * BLOCK })
  const client = new SimClient(world, 'client', torrent)
  const liar = world.peer('liar', { torrent, has: 'all', serves: true, corrupts: () => true })
  client.torrent.connectPeer(liar.listen())
  world.run({ seconds: 20 })
  expect(client.endCodes).toEqual(['tooManyCorruptPieces'])
  expect(client.torrent.status().numPieces).toBe(0)
  client.torrent.connectPeer(world.peer('honest', { torrent, has: 'all', serves: true }).listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(client.torrent.status().totalFailedBytes).toBeGreaterThan(0)
})

scenario('a block header that promises what never comes holds one slot until the peer times out', (world) => {
  const torrent = new TestTorrent({ size: 20 * 2 * BLOCK })
  const client = new SimClient(world, 'client', torrent)
  const tease = world.peer('tease', { torrent, has: 'all' })
  answering(tease, (piece, begin, length) => {
    const { connection } = tease
    if (connection.received('request').length === 1) connection.sendRaw(hex(headerOf(piece, begin, length)))
  })
  client.torrent.connectPeer(tease.listen())
  world.run({ seconds: 30 })
  expect(world.diskOf(client.host).pool.inUse).toBe(1)
  client.torrent.connectPeer(world.peer('seed', { torrent, has: 'all', serves: true }).listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
  world.run({ minutes: 3 })
  expect(world.diskOf(client.host).pool.inUse).toBe(0)
})

function headerOf(piece: number, begin: number, length: number): string {
  const word = (value: number) => value.toString(16).padStart(8, '0')
  return `${word(9 + length)}07${word(piece)}${word(begin)}`
}
