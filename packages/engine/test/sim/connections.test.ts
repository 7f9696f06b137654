import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { Endpoint } from '../../src/address/endpoint.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import { SimClient } from './client.ts'
import { sendExtensionHandshake } from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const torrent = new TestTorrent({ size: 300_000 })
const extended = encodeReserved({ supportsFast: true, supportsExtensions: true })

scenario(
  'a peer nobody reaches is tried again after growing pauses, and no more once it failed too often',
  (world) => {
    const client = new SimClient(world, 'client', torrent)
    const nobody = world.host('nobody')
    client.torrent.connectPeer({ address: nobody.address, port: 6881 })
    world.run({ hours: 2 })
    expect(client.endCodes).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'])
    const attempts = client.secondsOf('peerConnect')
    const pauses = attempts.slice(1).map((at, i) => at - attempts[i])
    // minReconnectTime of 60 s times the failures so far plus one.
    expect(pauses.map((pause) => Math.round(pause / 10) * 10)).toEqual([120, 180])
  },
  { seeds: 1 },
)

scenario(
  'a peer that failed too often is tried again when its tracker names it anew',
  (world) => {
    const nobody = world.host('nobody')
    const endpoint = { address: nobody.address, port: 6881 }
    const tracker = world.tracker('http://tracker.example/announce', { interval: 1800 })
    const listed = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
    tracker.addPeer(listed.infoHash, endpoint)
    const client = new SimClient(world, 'client', listed)
    world.run({ minutes: 29 })
    expect(client.secondsOf('peerConnect').length).toBe(3)
    world.run({ minutes: 10 })
    expect(client.secondsOf('peerConnect').length).toBe(4)
  },
  { seeds: 1 },
)

scenario(
  'our own address in a list of peers is noticed once and not dialled again',
  (world) => {
    const tracker = world.tracker('http://tracker.example/announce', { interval: 300 })
    const listed = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
    const client = new SimClient(world, 'client', listed)
    tracker.answerNext(...Array.from({ length: 10 }, () => ({ peers: [client.endpoint] })))
    world.run({ hours: 1 })
    expect(client.endCodes.filter((code) => code === 'selfConnection').length).toBeGreaterThan(0)
    expect(client.secondsOf('peerConnect').length).toBe(1)
    expect(client.numPeers).toBe(0)
  },
  { seeds: 2 },
)

const ONE_ID = Buffer.from('-XX0001-abcdefghijkl')

function twins(world: SimWorld, client: SimClient, peerId: Uint8Array = ONE_ID) {
  world.run({ seconds: 1 })
  return ['first', 'second'].map((name) => {
    const twin = world.peer(name, { torrent, has: 'none', peerId }).connect(client.endpoint)
    world.run({ seconds: 1 })
    return twin
  })
}

for (const [ids, peerId] of [
  ['below', new Uint8Array(20)],
  ['above', new Uint8Array(20).fill(0xff)],
] as const) {
  scenario(
    `whoever comes with the id of a connected peer is refused, and the first one stays (id ${ids} ours)`,
    (world) => {
      const client = new SimClient(world, 'client', torrent)
      const [first, second] = twins(world, client, peerId)
      expect(client.endCodes).toEqual(['duplicatePeerId'])
      expect(first.closed).toBeUndefined()
      // In order or, with bytes of it unread, by a reset.
      expect(second.closed).not.toBeUndefined()
    },
    { seeds: 1 },
  )
}

scenario('several connections to one peer id may be allowed', (world) => {
  const client = new SimClient(world, 'client', torrent, { settings: { allowMultipleConnectionsPerPid: true } })
  const [first, second] = twins(world, client)
  expect([first.closed, second.closed]).toEqual([undefined, undefined])
  expect(client.numPeers).toBe(2)
})

scenario(
  'a storm of strangers with one peer id ends with one connection',
  (world) => {
    const client = new SimClient(world, 'client', torrent)
    world.run({ seconds: 1 })
    const peers = Array.from({ length: 50 }, (_, i) => world.peer(`p${i}`, { torrent, has: 'none', peerId: ONE_ID }))
    for (let round = 0; round < 5; round++) {
      for (const peer of peers) peer.connect(client.endpoint)
      world.run({ seconds: 2 })
      expect(client.numPeers).toBe(1)
    }
    expect(client.torrent.status().listPeers).toBeLessThanOrEqual(50)
  },
  { seeds: 1 },
)

scenario('many connections from one address come to one', (world) => {
  const client = new SimClient(world, 'client', torrent)
  world.run({ seconds: 1 })
  const crowd = world.peer('crowd', { torrent, has: 'none' })
  for (let i = 0; i < 100; i++) crowd.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(client.numPeers).toBe(1)
  expect(crowd.connections.filter(({ closed }) => closed === undefined).length).toBe(1)
})

scenario(
  'two that dial each other at once keep one connection, the same on both sides',
  (world) => {
    const [a, b] = ['a', 'b'].map(
      (name) => new SimClient(world, name, torrent, { has: (piece) => piece === name.length }),
    )
    world.run({ seconds: 1 })
    a.torrent.connectPeer(b.endpoint)
    b.torrent.connectPeer(a.endpoint)
    world.run({ seconds: 30 })
    expect([a.numPeers, b.numPeers]).toEqual([1, 1])
    const [ofA] = a.torrent.getPeerInfo()
    const [ofB] = b.torrent.getPeerInfo()
    expect(ofA.localEndpoint?.port).toBe(ofB.ip.port === 6881 ? ofA.localEndpoint?.port : ofB.ip.port)
    expect(ofA.flags & 0x20).not.toBe(ofB.flags & 0x20)
  },
  { seeds: 8 },
)

scenario('two finished peers part, and find no reason to meet again', (world) => {
  const [a, b] = ['a', 'b'].map((name) => new SimClient(world, name, torrent, { has: 'all' }))
  world.run({ seconds: 1 })
  a.torrent.connectPeer(b.endpoint)
  world.run({ minutes: 20 })
  expect([...a.endCodes, ...b.endCodes]).toContain('uploadUploadConnection')
  expect(a.secondsOf('peerConnect').length).toBe(1)
})

scenario('two finished peers stay together if redundant connections are kept', (world) => {
  const settings = { closeRedundantConnections: false }
  const [a, b] = ['a', 'b'].map((name) => new SimClient(world, name, torrent, { has: 'all', settings }))
  world.run({ seconds: 1 })
  a.torrent.connectPeer(b.endpoint)
  world.run({ minutes: 5 })
  expect([a.numPeers, b.numPeers]).toEqual([1, 1])
})

scenario('a downloader that becomes a seed parts from the seeds and stays with the others', (world) => {
  const client = new SimClient(world, 'client', torrent)
  const seed = world.peer('seed', { torrent, has: 'all', serves: true })
  const other = world.peer('other', { torrent, has: 'none' })
  client.torrent.connectPeer(seed.listen())
  client.torrent.connectPeer(other.listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  world.run({ seconds: 5 })
  expect(client.endings).toEqual([
    { address: seed.host.address, code: 'uploadUploadConnection', second: expect.any(Number) },
  ])
  expect(other.connection.closed).toBeUndefined()
})

scenario('a peer that says it only uploads is left when it has nothing we lack, and kept while it has', (world) => {
  const client = new SimClient(world, 'client', torrent, { has: (piece) => piece < 5 })
  const useful = world.peer('useful', { torrent, has: (piece) => piece > 5, reserved: extended })
  const useless = world.peer('useless', { torrent, has: (piece) => piece < 3, reserved: extended })
  for (const peer of [useful, useless]) {
    client.torrent.connectPeer(peer.listen())
    peer.onMessage = ({ name }, connection) => {
      if (name === 'extended' && connection.received('extended').length === 1) {
        sendExtensionHandshake(connection, { messages: new Map(), isUploadOnly: true })
      }
    }
  }
  world.run({ seconds: 10 })
  expect(client.endings).toEqual([
    { address: useless.host.address, code: 'uninterestingUploadPeer', second: expect.any(Number) },
  ])
  expect(useful.connection.received('interested').length).toBe(1)
})

function watchPeak(world: SimWorld, count: () => number, seconds: number): number {
  let peak = 0
  for (let i = 0; i < seconds * 20; i++) {
    world.run({ ms: 50 })
    peak = Math.max(peak, count())
  }
  return peak
}

scenario(
  'the limit of the session holds against fifty candidates, and all of it is used',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 20 } })
    world.run({ seconds: 1 })
    for (let i = 0; i < 50; i++) client.torrent.connectPeer(world.peer(`p${i}`, { torrent, has: 'none' }).listen())
    const peak = watchPeak(world, () => client.session.numConnections, 20)
    expect(peak).toBe(20)
    expect(client.numPeers).toBe(20)
  },
  { seeds: 1 },
)

scenario(
  'the limit of the session holds against fifty that connect to us in the same moment',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 20 } })
    world.run({ seconds: 1 })
    for (let i = 0; i < 50; i++) world.peer(`p${i}`, { torrent, has: 'none' }).connect(client.endpoint)
    expect(watchPeak(world, () => client.session.numConnections, 5)).toBe(20)
  },
  { seeds: 1 },
)

scenario(
  'the limit of a torrent holds, in and out, and all of it is used',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { add: { maxConnections: 10 } })
    world.run({ seconds: 1 })
    for (let i = 0; i < 25; i++) client.torrent.connectPeer(world.peer(`out${i}`, { torrent, has: 'none' }).listen())
    for (let i = 0; i < 25; i++) world.peer(`in${i}`, { torrent, has: 'none' }).connect(client.endpoint)
    expect(watchPeak(world, () => client.numPeers, 10)).toBe(10)
  },
  { seeds: 1 },
)

scenario(
  'connections that one torrent gives up go to another that waits for them',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 5 } })
    const second = new TestTorrent({ name: 'second', size: 100_000, seed: 2 })
    const waiting = client.session.addTorrent({ ti: second.info(), savePath: '/save', autoManaged: false })
    world.run({ seconds: 1 })
    const first = Array.from({ length: 5 }, (_, i) => world.peer(`first${i}`, { torrent, has: 'none' }))
    for (const peer of first) client.torrent.connectPeer(peer.listen())
    world.run({ seconds: 5 })
    expect(client.numPeers).toBe(5)
    const others: Endpoint[] = Array.from({ length: 5 }, (_, i) =>
      world.peer(`second${i}`, { torrent: second, has: 'none' }).listen(),
    )
    for (const endpoint of others) waiting.connectPeer(endpoint)
    world.run({ seconds: 5 })
    expect(waiting.getPeerInfo().length).toBe(0)
    for (const peer of first.slice(0, 2)) peer.close()
    world.run({ seconds: 5 })
    expect(waiting.getPeerInfo().length).toBe(2)
  },
  { seeds: 1 },
)

scenario('a higher limit is used at once', (world) => {
  const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 2 } })
  for (let i = 0; i < 4; i++) client.torrent.connectPeer(world.peer(`p${i}`, { torrent, has: 'none' }).listen())
  world.run({ seconds: 5 })
  expect(client.numPeers).toBe(2)
  client.session.setMaxConnections(4)
  world.run({ seconds: 5 })
  expect(client.numPeers).toBe(4)
})

scenario('whoever is not let in is reported, with the torrent if there is one', (world) => {
  const settings = { connectionsLimit: 3, handshakeTimeout: 10 }
  const client = new SimClient(world, 'client', torrent, { settings, add: { maxConnections: 2 } })
  const paused = new TestTorrent({ name: 'paused', size: 100_000, seed: 2 })
  const unknown = new TestTorrent({ name: 'unknown', size: 100_000, seed: 3 })
  const stopped = client.session.addTorrent({ ti: paused.info(), savePath: '/save', autoManaged: false, paused: true })
  world.run({ seconds: 1 })
  const zeros = '0'.repeat(40)
  const isReported = (code: string, infoHash: string, pid: Uint8Array | null) => {
    world.runUntil(() => client.endCodes.length > 0, { seconds: 15 })
    const [alert] = client.alerts('peerDisconnected')
    expect([alert.error.code, alert.handle.infoHash.toHex()]).toEqual([code, infoHash])
    expect(alert.pid).toEqual(pid === null ? new Uint8Array(20) : new Uint8Array(pid))
    client.forget()
    return alert
  }
  const lost = world.peer('lost', { torrent: unknown })
  lost.connect(client.endpoint)
  isReported('invalidInfoHash', unknown.infoHash.toHex(), lost.peerId)
  const early = world.peer('early', { torrent: paused })
  early.connect(client.endpoint)
  const alert = isReported('torrentPaused', paused.infoHash.toHex(), early.peerId)
  expect(alert.handle.equals(stopped)).toBe(true)
  const leaver = world.peer('leaver', { torrent, greets: 'silence' })
  leaver.connect(client.endpoint)
  world.run({ seconds: 1 })
  leaver.connection.stream.end()
  isReported('EOF', zeros, null)
  world.peer('silent', { torrent, greets: 'silence' }).connect(client.endpoint)
  isReported('timedOutNoHandshake', zeros, null)
  const stranger = world.peer('stranger', { torrent, greets: 'silence' }).connect(client.endpoint)
  world.run({ seconds: 1 })
  stranger.sendRaw(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  isReported('invalidInfoHash', zeros, null)
  for (let i = 0; i < 2; i++) world.peer(`p${i}`, { torrent, has: 'none' }).connect(client.endpoint)
  world.run({ seconds: 1 })
  const late = world.peer('late', { torrent, has: 'none' })
  late.connect(client.endpoint)
  isReported('tooManyConnections', torrent.infoHash.toHex(), late.peerId)
  client.session.setMaxConnections(2)
  const later = world.peer('later', { torrent, has: 'none' })
  later.connect(client.endpoint)
  isReported('tooManyConnections', torrent.infoHash.toHex(), later.peerId)
  client.session.applySettings({ connectionsSlack: 0 })
  world.peer('last', { torrent, has: 'none' }).connect(client.endpoint)
  isReported('tooManyConnections', zeros, null)
  expect(client.numPeers).toBe(2)
})

scenario('what a peer may not send is a peerError, and every other end a peerDisconnected', (world) => {
  const client = new SimClient(world, 'client', torrent, { settings: { peerTimeout: 20 } })
  world.run({ seconds: 1 })
  const [liar, mute, leaver] = ['liar', 'mute', 'leaver'].map((name) => world.peer(name, { torrent, has: 'none' }))
  for (const peer of [liar, mute, leaver]) peer.connect(client.endpoint)
  world.run({ seconds: 1 })
  liar.connection.send((to) => to.have(torrent.pieceCount))
  leaver.connection.stream.end()
  world.runUntil(() => client.numPeers === 0, { minutes: 1 })
  expect(client.alerts('peerError').map(({ error }) => error.code)).toEqual(['invalidHave'])
  expect(client.alerts('peerDisconnected').map(({ error }) => error.code)).toEqual(['EOF', 'timedOutInactivity'])
})

scenario('a lower limit of a torrent ends its least useful connections at once', (world) => {
  const slow = new TestTorrent({ size: 20_000_000, pieceLength: 256 * 1024 })
  const client = new SimClient(world, 'client', slow)
  const fast = new SimClient(world, 'fast', slow, { has: 'all', up: 60_000 })
  const slower = new SimClient(world, 'slower', slow, { has: 'all', up: 20_000 })
  const idle = Array.from({ length: 3 }, (_, i) => world.peer(`idle${i}`, { torrent: slow, has: 'none' }))
  const partial = world.peer('partial', { torrent: slow, has: (piece) => piece === 0 })
  for (const peer of [...idle, partial]) client.torrent.connectPeer(peer.listen())
  for (const seed of [fast, slower]) client.torrent.connectPeer(seed.endpoint)
  client.torrent.connectPeer(world.peer('choking', { torrent: slow, has: 'all' }).listen())
  world.run({ seconds: 20 })
  const addresses = () => client.torrent.getPeerInfo().map(({ ip }) => ip.address)
  expect(addresses()).toHaveLength(7)
  client.torrent.setMaxConnections(4)
  expect(addresses()).not.toContain(idle[0].host.address)
  expect(addresses()).toHaveLength(4)
  client.torrent.setMaxConnections(3)
  expect(addresses()).not.toContain(partial.host.address)
  client.torrent.setMaxConnections(2)
  expect(addresses()).toEqual([fast.host.address, slower.host.address])
  expect(client.endCodes).toEqual(Array.from({ length: 5 }, () => 'tooManyConnections'))
  world.run({ seconds: 30 })
  expect(addresses()).toHaveLength(2)
  expect(client.torrent.needSaveResumeData).toBe(true)
  client.torrent.setMaxConnections(-1)
  world.run({ minutes: 2 })
  // Nobody did anything wrong: all may come back.
  expect(addresses()).toHaveLength(7)
})

scenario('a lower limit of the session takes from the torrents that have the most', (world) => {
  const client = new SimClient(world, 'client', torrent)
  const second = new TestTorrent({ name: 'second', size: 100_000, seed: 2 })
  const other = client.session.addTorrent({ ti: second.info(), savePath: '/save', autoManaged: false })
  world.run({ seconds: 1 })
  for (let i = 0; i < 9; i++) client.torrent.connectPeer(world.peer(`a${i}`, { torrent, has: 'none' }).listen())
  for (let i = 0; i < 3; i++) other.connectPeer(world.peer(`b${i}`, { torrent: second, has: 'none' }).listen())
  world.run({ seconds: 5 })
  expect([client.numPeers, other.getPeerInfo().length]).toEqual([9, 3])
  client.session.setMaxConnections(8)
  expect([client.numPeers, other.getPeerInfo().length]).toEqual([5, 3])
  client.session.setMaxConnections(5)
  expect([client.numPeers, other.getPeerInfo().length].sort()).toEqual([2, 3])
  expect(client.session.numConnections).toBe(5)
  expect(new Set(client.endCodes)).toEqual(new Set(['tooManyConnections']))
  world.run({ seconds: 60 })
  expect(client.session.numConnections).toBe(5)
})

for (const [speed, expected] of [
  [2, 2],
  [-1, 30],
  [0, 0],
] as const) {
  scenario(
    `a connection speed of ${speed} makes ${expected} attempts in the first second`,
    (world) => {
      const client = new SimClient(world, 'client', torrent, { settings: { connectionSpeed: speed } })
      for (let i = 0; i < 30; i++) {
        world.network.blackHole(`50.9.9.${i}`)
        client.torrent.connectPeer({ address: `50.9.9.${i}`, port: 6881 })
      }
      world.run({ ms: 300 })
      expect(client.secondsOf('peerConnect').length).toBe(expected)
      world.run({ seconds: 10 })
      expect(client.secondsOf('peerConnect').length).toBe(Math.min(30, expected * 11))
    },
    { seeds: 1 },
  )
}

scenario(
  'silent strangers on five hundred sockets keep no honest peer out',
  (world) => {
    const client = new SimClient(world, 'client', torrent)
    world.run({ seconds: 1 })
    const crowd = world.peer('crowd', { torrent, greets: 'silence' })
    for (let i = 0; i < 500; i++) crowd.connect(client.endpoint)
    world.run({ seconds: 1 })
    expect(crowd.connections.filter(({ closed }) => closed === undefined).length).toBeLessThanOrEqual(200)
    const honest = world.peer('honest', { torrent, has: 'all', serves: true })
    honest.connect(client.endpoint)
    world.runUntil(() => client.torrent.isSeed, { seconds: 20 })
    world.run({ seconds: 12 })
    expect(crowd.connections.filter(({ closed }) => closed === undefined)).toEqual([])
  },
  { seeds: 1 },
)

scenario(
  'a crowd that connects in the same moment is let in, as far as the connection limit allows',
  (world) => {
    const settings = { connectionsLimit: 500, allowMultipleConnectionsPerIp: true }
    const client = new SimClient(world, 'client', torrent, { has: 'all', settings })
    world.run({ seconds: 1 })
    const crowd = Array.from({ length: 400 }, (_, i) => world.peer(`peer ${i}`, { torrent, has: 'none' }))
    for (const peer of crowd) peer.connect(client.endpoint)
    world.run({ seconds: 5 })
    expect(client.torrent.status().numPeers).toBe(400)
  },
  { seeds: 1 },
)

scenario('a peer that connected to us is dialled at the port it told, once it has gone', (world) => {
  const client = new SimClient(world, 'client', torrent, { has: (piece) => piece === 1 })
  world.run({ seconds: 1 })
  const peer = world.peer('peer', { torrent, has: 'none', reserved: extended })
  peer.listen(7000)
  const connection = peer.connect(client.endpoint)
  peer.onMessage = ({ name }, on) => {
    if (name === 'extended' && on === connection) sendExtensionHandshake(on, { messages: new Map(), listenPort: 7000 })
  }
  world.run({ seconds: 5 })
  connection.close()
  world.run({ minutes: 2 })
  expect(peer.connections.length).toBe(2)
  expect(peer.connection.closed).toBeUndefined()
})
