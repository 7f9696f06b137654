import { expect } from 'vitest'
import type { SimPeer } from '../../sim/simPeer.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { allowedFastSet } from '../../src/wire/allowedFastSet.ts'
import { encodeDontHave } from '../../src/wire/dontHave.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import { SimClient } from './client.ts'
import { sendExtensionHandshake, theirId } from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const BLOCK = 16_384
const torrent = new TestTorrent({ size: 50 * 2 * BLOCK })
const PLAIN = encodeReserved({})
const EXTENDED = encodeReserved({ supportsFast: true, supportsExtensions: true })

/** Unchokes whoever is interested, and answers nothing. */
function unchokes(peer: SimPeer): SimPeer {
  peer.onMessage = ({ name }, connection) => {
    if (name === 'interested') connection.send((to) => to.unchoke())
  }
  return peer
}

scenario('have-all and have-none take the place of bitfields where the peer knows them', (world) => {
  const none = new SimClient(world, 'none', torrent)
  const all = new SimClient(world, 'all', torrent, { has: 'all' })
  const some = new SimClient(world, 'some', torrent, { has: (piece) => piece === 3 })
  world.run({ seconds: 2 })
  for (const [kind, reserved, expected] of [
    ['fast', undefined, ['haveNone', 'haveAll', 'bitfield']],
    ['plain', PLAIN, [undefined, 'bitfield', 'bitfield']],
  ] as const) {
    const peer = world.peer(kind, { torrent, has: kind === 'fast' ? 'none' : 'nothing', reserved })
    const first = [none, all, some].map((client) => {
      const connection = peer.connect(client.endpoint)
      world.run({ seconds: 1 })
      return connection.names[0]
    })
    expect(first).toEqual(expected)
    const bitfields = peer.connections.flatMap((connection) => connection.received('bitfield'))
    expect(bitfields.at(-1)?.body).toEqual(Uint8Array.of(0x10, 0, 0, 0, 0, 0, 0))
    if (kind === 'plain') expect(bitfields[0].body).toEqual(Uint8Array.of(255, 255, 255, 255, 255, 255, 0xc0))
  }
})

scenario(
  'the allowed-fast set follows from address and torrent, and names what we have only',
  (world) => {
    const peer = world.peer('peer', { torrent, has: 'none' })
    const full = allowedFastSet(peer.host.address, torrent.infoHash.bytes, torrent.pieceCount, 13)
    for (const [name, has] of [
      ['all', () => true],
      ['odd', (piece: number) => piece % 2 === 1],
    ] as const) {
      const client = new SimClient(world, name, torrent, { has, settings: { allowedFastSetSize: 13 } })
      world.run({ seconds: 2 })
      for (let time = 0; time < 2; time++) {
        const connection = peer.connect(client.endpoint)
        world.run({ seconds: 1 })
        expect(connection.received('allowedFast').map(({ piece }) => piece)).toEqual(full.filter(has))
        connection.close()
        world.run({ minutes: 1 })
      }
    }
  },
  { seeds: 1 },
)

scenario(
  'a set nearly as large as fifty thousand pieces is given up on after a small part',
  (world) => {
    const large = new TestTorrent({ size: 50_000, pieceLength: 1 })
    const client = new SimClient(world, 'client', large, {
      has: 'none',
      settings: { allowedFastSetSize: 49_999 },
      add: { seedMode: true },
    })
    world.run({ seconds: 1 })
    const connection = world.peer('peer', { torrent: large, has: 'none' }).connect(client.endpoint)
    world.run({ seconds: 1 })
    const granted = connection.received('allowedFast').length
    expect(granted).toBeGreaterThan(100)
    expect(granted).toBeLessThan(1000)
  },
  { seeds: 1 },
)

scenario('allowed-fast pieces are served while choked, others are refused', (world) => {
  const client = new SimClient(world, 'client', torrent, { has: 'all', settings: { unchokeSlotsLimit: 0 } })
  world.run({ seconds: 2 })
  const connection = world.peer('peer', { torrent, has: 'none' }).connect(client.endpoint)
  world.run({ seconds: 1 })
  const granted = connection.received('allowedFast')[0].piece
  const other = Array.from({ length: 50 }, (_, i) => i).find(
    (piece) => !connection.received('allowedFast').some((message) => message.piece === piece),
  )!
  connection.send((to) => to.interested())
  connection.send((to) => to.request(granted, 0, BLOCK))
  connection.send((to) => to.request(other, 0, BLOCK))
  world.run({ seconds: 1 })
  expect(connection.received('unchoke')).toEqual([])
  expect(connection.received('piece').map(({ piece, begin, length }) => [piece, begin, length])).toEqual([
    [granted, 0, BLOCK],
  ])
  expect(connection.received('reject').map(({ piece, begin, length }) => [piece, begin, length])).toEqual([
    [other, 0, BLOCK],
  ])
})

scenario('an allowed-fast piece is no free ride: asking for it again and again ends the connection', (world) => {
  const client = new SimClient(world, 'client', torrent, { has: 'all', settings: { unchokeSlotsLimit: 0 } })
  world.run({ seconds: 2 })
  const connection = world.peer('peer', { torrent, has: 'none' }).connect(client.endpoint)
  world.run({ seconds: 1 })
  const granted = connection.received('allowedFast')[0].piece
  for (let i = 0; i < 20; i++) {
    if (connection.closed === undefined) connection.send((to) => to.request(granted, BLOCK * (i % 2), BLOCK))
    world.run({ ms: 100 })
  }
  expect(client.endCodes).toEqual(['tooManyRequestsWhenChoked'])
  // Three times the two blocks of the piece.
  expect(connection.received('piece').length).toBe(6)
})

scenario('choking refuses what was asked for, but for allowed-fast pieces', (world) => {
  // A slow line, so that requests queue up.
  const client = new SimClient(world, 'client', torrent, {
    has: 'all',
    up: 5_000,
    socketBuffer: 16_384,
    settings: { sendBufferWatermark: 1, sendBufferLowWatermark: 1 },
  })
  world.run({ seconds: 2 })
  const connection = world.peer('peer', { torrent, has: 'none' }).connect(client.endpoint)
  world.run({ seconds: 1 })
  connection.send((to) => to.interested())
  world.run({ seconds: 1 })
  expect(connection.received('unchoke').length).toBe(1)
  const granted = connection.received('allowedFast')[0].piece
  const asked = Array.from({ length: 11 }, (_, i) => i)
    .filter((piece) => piece !== granted)
    .slice(0, 10)
  connection.send((to) => {
    for (const piece of asked) to.request(piece, 0, BLOCK)
    to.request(granted, 0, BLOCK)
  })
  world.run({ ms: 200 })
  client.session.setMaxUploads(0)
  world.run({ minutes: 1 })
  expect(connection.received('choke').length).toBe(1)
  const served = connection.received('piece').map(({ piece }) => piece)
  const refused = connection.received('reject').map(({ piece }) => piece)
  expect(served).toContain(granted)
  expect(refused.length).toBeGreaterThan(0)
  expect([...served, ...refused].sort((a, b) => a - b)).toEqual([...asked, granted].sort((a, b) => a - b))
})

scenario('we ask for what we are granted while choked, and nothing else', (world) => {
  const peer = world.peer('peer', { torrent, has: 'all' })
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(peer.listen())
  peer.onMessage = (message, connection) => {
    if (message.name === 'interested') {
      connection.send((to) => {
        to.allowedFast(7)
        to.allowedFast(9)
      })
    }
    if (message.name === 'request') connection.sendBlock(message.piece, message.begin, message.length)
  }
  world.run({ seconds: 10 })
  const asked = peer.connection.received('request').map(({ piece }) => piece)
  expect(new Set(asked)).toEqual(new Set([7, 9]))
  expect(asked.length).toBe(4)
  expect(client.torrent.status().numPieces).toBe(2)
})

scenario('a refused request is asked of somebody else, and the refuser is not pestered', (world) => {
  const one = new TestTorrent({ size: 2 * BLOCK })
  const refuser = world.peer('refuser', { torrent: one, has: 'all' })
  const client = new SimClient(world, 'client', one)
  client.torrent.connectPeer(refuser.listen())
  refuser.onMessage = ({ name, piece, begin, length }, connection) => {
    if (name === 'interested') connection.send((to) => to.unchoke())
    if (name === 'request') connection.send((to) => to.reject(piece, begin, length))
  }
  world.run({ seconds: 10 })
  // At most both blocks a second.
  expect(refuser.connection.received('request').length).toBeLessThanOrEqual(22)
  expect(client.alerts('requestDropped').length).toBe(refuser.connection.received('request').length)
  const seed = world.peer('seed', { torrent: one, has: 'all', serves: true })
  client.torrent.connectPeer(seed.listen())
  world.runUntil(() => client.torrent.isSeed, { seconds: 5 })
})

scenario('suggested pieces are asked for first', (world) => {
  const seed = world.peer('seed', { torrent, has: 'all', serves: true })
  const client = new SimClient(world, 'client', torrent)
  seed.onMessage = ({ name }, connection) => {
    if (name !== 'interested') return
    connection.send((to) => {
      for (const piece of [31, 32, 33]) to.suggest(piece)
    })
  }
  client.torrent.connectPeer(seed.listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  // A message later than its unchoke: what was asked before the suggestions came is not counted.
  const asked = seed.connection.received('request').map(({ piece }) => piece)
  const places = [31, 32, 33].map((piece) => asked.indexOf(piece))
  expect(Math.max(...places)).toBeLessThan(12)
})

scenario('without the fast extension a choke drops all requests, and they are asked of others', (world) => {
  const plain = unchokes(world.peer('plain', { torrent, has: (piece) => piece < 50, reserved: PLAIN }))
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(plain.listen())
  world.run({ seconds: 1 })
  const asked = plain.connection.received('request').length
  expect(asked).toBeGreaterThan(1)
  expect(client.torrent.getPeerInfo()[0].downloadQueueLength).toBe(asked)
  plain.connection.send((to) => to.choke())
  world.run({ seconds: 1 })
  expect(client.torrent.getPeerInfo()[0].downloadQueueLength).toBe(0)
  const seed = world.peer('seed', { torrent, has: 'all', serves: true })
  client.torrent.connectPeer(seed.listen())
  world.runUntil(() => client.torrent.isSeed, { seconds: 30 })
})

scenario('a peer that chokes and never refuses does not keep its blocks from others', (world) => {
  const few = new TestTorrent({ size: 4 * BLOCK })
  const mean = unchokes(world.peer('mean', { torrent: few, has: 'all' }))
  const client = new SimClient(world, 'client', few)
  client.torrent.connectPeer(mean.listen())
  world.run({ seconds: 1 })
  expect(mean.connection.received('request').length).toBe(4)
  mean.connection.send((to) => to.choke())
  const seed = world.peer('seed', { torrent: few, has: 'all', serves: true })
  client.torrent.connectPeer(seed.listen())
  world.runUntil(() => client.torrent.isSeed, { seconds: 30 })
})

scenario('a peer that says it no longer has a piece is asked for it no more', (world) => {
  const fickle = world.peer('fickle', { torrent, has: 'all', reserved: EXTENDED })
  const client = new SimClient(world, 'client', torrent)
  fickle.onMessage = ({ name, body }, connection) => {
    if (name !== 'extended' || body[0] !== 0) return
    sendExtensionHandshake(connection, { messages: new Map([['lt_donthave', 9]]) })
    const id = theirId(connection, 'lt_donthave')
    for (let piece = 0; piece < 49; piece++) connection.send((to) => to.extended(id, encodeDontHave(piece)))
    connection.send((to) => to.unchoke())
  }
  client.torrent.connectPeer(fickle.listen())
  world.run({ seconds: 2 })
  expect(client.torrent.pieceAvailability()).toEqual([...new Array(49).fill(0), 1])
  expect(new Set(fickle.connection.received('request').map(({ piece }) => piece))).toEqual(new Set([49]))
  const id = theirId(fickle.connection, 'lt_donthave')
  fickle.connection.send((to) => to.extended(id, encodeDontHave(49)))
  world.run({ seconds: 2 })
  expect(fickle.connection.received('notInterested').length).toBe(1)
  expect(client.torrent.getPeerInfo()[0].numPieces).toBe(0)
})
