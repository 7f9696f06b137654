import { expect } from 'vitest'
import type { SimPeerConnection } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

/** Timeouts are looked at once a second. */
const TICK_S = 1

const torrent = new TestTorrent({ size: 300_000 })

/** Sends the beginning of a handshake, a byte every three seconds. */
function drip(world: SimWorld, connection: () => SimPeerConnection): void {
  for (const [i, byte] of [19, ...Buffer.from('BitTorrent protocol')].entries()) {
    world.time.after(3000 * i + 1000, () => connection().closed ?? connection().sendRaw(Uint8Array.of(byte)))
  }
}

scenario('an address that swallows everything is given up after the connect timeout', (world) => {
  world.network.blackHole('50.9.9.9')
  const client = new SimClient(world, 'client', torrent, { settings: { peerConnectTimeout: 7 } })
  client.torrent.connectPeer({ address: '50.9.9.9', port: 6881 })
  world.run({ seconds: 10 })
  expect(client.endings).toEqual([{ address: '50.9.9.9', code: 'timedOut', second: expect.any(Number) }])
  expect(client.endings[0].second).toBeGreaterThanOrEqual(7)
  expect(client.endings[0].second).toBeLessThanOrEqual(7 + TICK_S)
})

scenario('a peer that accepts and says nothing is given up after the handshake timeout', (world) => {
  const silent = world.peer('silent', { torrent, greets: 'silence' })
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(silent.listen())
  world.run({ seconds: 15 })
  expect(client.endCodes).toEqual(['timedOutNoHandshake'])
  expect(client.endings[0].second).toBeGreaterThanOrEqual(10)
  expect(client.endings[0].second).toBeLessThanOrEqual(10 + TICK_S)
})

scenario('a handshake that drips in byte by byte gets no more time than any other', (world) => {
  const slow = world.peer('slow', { torrent, greets: 'silence' })
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(slow.listen())
  drip(world, () => slow.connection)
  world.run({ minutes: 1 })
  expect(client.endCodes).toEqual(['timedOutNoHandshake'])
  expect(client.endings[0].second).toBeLessThanOrEqual(10 + TICK_S)
})

scenario('a stranger that connects and drips is cut off after the handshake timeout as well', (world) => {
  const client = new SimClient(world, 'client', torrent)
  world.run({ seconds: 1 })
  const stranger = world.peer('stranger', { torrent, greets: 'silence' })
  const connection = stranger.connect(client.endpoint)
  drip(world, () => connection)
  world.run({ seconds: 30 })
  expect(connection.closedAt).toBeGreaterThan(10_000)
  expect(connection.closedAt).toBeLessThan(12_000)
})

scenario('a peer that falls silent after its handshake is given up after the peer timeout', (world) => {
  const peer = world.peer('peer', { torrent, has: 'all' })
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(peer.listen())
  world.run({ seconds: 119 })
  expect(client.endings).toEqual([])
  world.run({ seconds: 4 })
  expect(client.endCodes).toEqual(['timedOutInactivity'])
  expect(client.endings[0].second).toBeLessThanOrEqual(120 + 2 * TICK_S)
})

scenario(
  'keep-alives hold an idle connection, and we send ours at half the timeout',
  (world) => {
    const peer = world.peer('peer', { torrent, has: 'none' })
    const client = new SimClient(world, 'client', torrent)
    client.torrent.connectPeer(peer.listen())
    world.run({ seconds: 1 })
    for (let s = 100; s < 3600; s += 100) world.time.after(s * 1000, () => peer.connection.send((to) => to.keepAlive()))
    world.run({ hours: 1 })
    expect(client.endings).toEqual([])
    const times = peer.connection.received('keepAlive').map((message) => message.time)
    expect(times.length).toBeGreaterThanOrEqual(57)
    const gaps = times.slice(1).map((time, i) => time - times[i])
    for (const gap of gaps) {
      expect(gap).toBeGreaterThan(59_000)
      expect(gap).toBeLessThan(62_000)
    }
  },
  { seeds: 1 },
)

scenario('who holds a slot of a seed and asks for nothing for a minute is disconnected', (world) => {
  const client = new SimClient(world, 'client', torrent, { has: 'all' })
  world.run({ seconds: 1 })
  const peer = world.peer('peer', { torrent, has: 'none' })
  const connection = peer.connect(client.endpoint)
  peer.onMessage = ({ name }) => {
    if (name === 'haveAll') connection.send((to) => to.interested())
    if (name === 'unchoke') connection.send((to) => to.request(0, 0, 16_384))
  }
  for (let s = 30; s < 100; s += 30)
    world.time.after(s * 1000, () => connection.closed ?? connection.send((to) => to.keepAlive()))
  world.run({ seconds: 58 })
  expect(connection.received('piece').length).toBe(1)
  expect(client.endings).toEqual([])
  world.run({ seconds: 6 })
  expect(client.endCodes).toEqual(['timedOutNoRequest'])
})

scenario(
  'an upload that takes long is no missing request: the minute counts from its end',
  (world) => {
    // A block of 16 KiB takes a little over two minutes.
    const client = new SimClient(world, 'client', torrent, { has: 'all', up: 128, socketBuffer: 4096 })
    world.run({ seconds: 1 })
    const peer = world.peer('peer', { torrent, has: 'none' })
    const connection = peer.connect(client.endpoint)
    peer.onMessage = ({ name }) => {
      if (name === 'haveAll') connection.send((to) => to.interested())
      if (name === 'unchoke') connection.send((to) => to.request(0, 0, 16_384))
    }
    for (let s = 30; s < 400; s += 30)
      world.time.after(s * 1000, () => connection.closed ?? connection.send((to) => to.keepAlive()))
    world.runUntil(() => connection.received('piece').length === 1, { minutes: 4 })
    expect(client.endings).toEqual([])
    world.run({ seconds: 50 })
    expect(client.endings).toEqual([])
    world.run({ seconds: 60 })
    expect(client.endCodes).toEqual(['timedOutNoRequest'])
  },
  { seeds: 1 },
)

function idlePeers(world: SimWorld, client: SimClient, say: 'keepAlive' | 'notInterested') {
  world.run({ seconds: 1 })
  for (let i = 0; i < 10; i++) {
    const peer = world.peer(`idle${i}`, { torrent, has: 'none' })
    const connection = peer.connect(client.endpoint)
    for (let s = 90; s < 900; s += 90) {
      world.time.after(s * 1000, () => connection.closed ?? connection.send((to) => to[say]()))
    }
  }
}

for (const say of ['keepAlive', 'notInterested'] as const) {
  scenario(
    `ten that want nothing of us nor we of them part after ten minutes when connections are scarce (${say})`,
    (world) => {
      const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 15 } })
      idlePeers(world, client, say)
      world.run({ seconds: 595 })
      expect(client.endings).toEqual([])
      world.run({ seconds: 10 })
      expect(client.endCodes).toContain('timedOutNoInterest')
      // As soon as connections are no longer scarce the rest may stay.
      expect(new Set(client.endCodes)).toEqual(new Set(['timedOutNoInterest']))
    },
    { seeds: 1 },
  )
}

scenario(
  'with room for more nobody is dropped for lack of interest',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 20 } })
    idlePeers(world, client, 'keepAlive')
    world.run({ minutes: 12 })
    expect(client.endings).toEqual([])
  },
  { seeds: 1 },
)

scenario(
  'a short inactivity timeout drops them within seconds',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 11, inactivityTimeout: 1 } })
    idlePeers(world, client, 'keepAlive')
    world.run({ seconds: 4 })
    expect(client.endCodes.length).toBeGreaterThan(0)
    expect(new Set(client.endCodes)).toEqual(new Set(['timedOutNoInterest']))
  },
  { seeds: 1 },
)

scenario('a peer that owes blocks for a minute is snubbed, and they are asked of another', (world) => {
  const lazy = world.peer('lazy', { torrent, has: 'all' })
  lazy.onMessage = ({ name }) => {
    if (name === 'interested') lazy.connection.send((to) => to.unchoke())
  }
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(lazy.listen())
  for (let s = 50; s < 200; s += 50) world.time.after(s * 1000, () => lazy.connection.send((to) => to.keepAlive()))
  world.run({ seconds: 55 })
  expect(lazy.connection.received('request').length).toBeGreaterThan(1)
  expect(client.alerts('peerSnubbed')).toEqual([])
  world.run({ seconds: 10 })
  expect(client.alerts('peerSnubbed').length).toBe(1)
  const seed = world.peer('seed', { torrent, has: 'all', serves: true })
  client.torrent.connectPeer(seed.listen())
  world.runUntil(() => client.torrent.isSeed, { seconds: 20 })
})

scenario(
  'a block that does not come within the piece timeout is asked of another although the peer is not snubbed',
  (world) => {
    const one = new TestTorrent({ size: 2 * 16_384 })
    const lazy = world.peer('lazy', { torrent: one, has: 'all' })
    lazy.onMessage = ({ name }) => {
      if (name === 'interested') lazy.connection.send((to) => to.unchoke())
    }
    // Never lets us have anything but is there from the start, so that end game alone would not ask it.
    const seed = world.peer('seed', { torrent: one, has: 'all', reserved: encodeReserved({}) })
    const client = new SimClient(world, 'client', one)
    client.torrent.connectPeer(lazy.listen())
    client.torrent.connectPeer(seed.listen())
    world.run({ seconds: 19 })
    expect(client.alerts('blockTimeout')).toEqual([])
    world.run({ seconds: 5 })
    expect(client.alerts('blockTimeout').length).toBeGreaterThan(0)
    expect(client.alerts('blockTimeout')[0].endpoint.address).toBe(lazy.host.address)
    expect(client.alerts('peerSnubbed')).toEqual([])
  },
)

scenario('a snubbed peer that delivers after all is welcome again', (world) => {
  const lazy = world.peer('lazy', { torrent, has: 'all', serves: true, answerDelay: 70_000 })
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(lazy.listen())
  for (let s = 50; s < 200; s += 50) world.time.after(s * 1000, () => lazy.connection.send((to) => to.keepAlive()))
  world.run({ seconds: 65 })
  expect(client.alerts('peerSnubbed').length).toBe(1)
  world.run({ seconds: 10 })
  expect(client.alerts('peerUnsnubbed').length).toBe(1)
  expect(client.torrent.status().totalRedundantBytes).toBe(0)
  expect(client.torrent.status().totalPayloadDownload).toBeGreaterThan(0)
})

scenario(
  'a peer is not blamed for the silence while our own disk is behind',
  (world) => {
    // Each block takes the disk half a minute.
    const disk = { bytesPerSecond: 512, maxQueuedDiskBytes: 16_384, poolSlots: 8 }
    const client = new SimClient(world, 'client', torrent, { disk, settings: { maxQueuedDiskBytes: 16_384 } })
    const seed = world.peer('seed', { torrent, has: 'all', serves: true })
    client.torrent.connectPeer(seed.listen())
    world.run({ minutes: 8 })
    expect(client.endings).toEqual([])
    expect(client.alerts('peerSnubbed')).toEqual([])
    expect(client.alerts('blockTimeout')).toEqual([])
    world.runUntil(() => client.torrent.isSeed, { hours: 1 })
  },
  { seeds: 1 },
)
