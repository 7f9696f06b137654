import { expect } from 'vitest'
import type { SimPeerConnection } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { Endpoint } from '../../src/address/endpoint.ts'
import type { TorrentHandle } from '../../src/api/torrentHandle.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { SAVE, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const torrent = new TestTorrent({ size: 300_000 })
const second = new TestTorrent({ name: 'second', size: 100_000, seed: 2 })
/** Peers that say nothing stay. */
const patient: Partial<Settings> = { peerTimeout: 100_000, inactivityTimeout: 100_000 }

/** Adds another torrent, of which nothing is there. */
function addSecond(client: SimClient): TorrentHandle {
  return client.session.addTorrent({ ti: second.info(), savePath: SAVE, autoManaged: false })
}

/** Addresses that swallow everything: each attempt is one `peerConnect`, and takes long to end. */
function blackHoles(world: SimWorld, network: number, count: number): Endpoint[] {
  return Array.from({ length: count }, (_, i) => {
    const address = `50.${network}.9.${i}`
    world.network.blackHole(address)
    return { address, port: 6881 }
  })
}

/** `count` peers that connect to `client` for `content`, one after the other. */
function callers(world: SimWorld, client: SimClient, content: TestTorrent, count: number): SimPeerConnection[] {
  return Array.from({ length: count }, (_, i) => {
    const connection = world.peer(`${content.name}${i}`, { torrent: content, has: 'none' }).connect(client.endpoint)
    world.run({ seconds: 1 })
    return connection
  })
}

function numOpen(connections: readonly SimPeerConnection[]): number {
  return connections.filter(({ closed }) => closed === undefined).length
}

scenario(
  'at the limit of the session a newcomer takes the place of a peer of a torrent that has more',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { settings: { connectionsLimit: 7, ...patient } })
    const other = addSecond(client)
    world.run({ seconds: 1 })
    callers(world, client, torrent, 7)
    expect(client.numPeers).toBe(7)
    callers(world, client, second, 5)
    expect([client.numPeers, other.getPeerInfo().length]).toEqual([4, 3])
    expect(client.session.numConnections).toBe(7)
    // Three made way, and the last two newcomers were not let in.
    expect(client.endCodes.filter((code) => code === 'tooManyConnections')).toHaveLength(5)
  },
  { seeds: 2 },
)

scenario(
  'without slack nobody takes the place of another at the limit of the session',
  (world) => {
    const settings = { connectionsLimit: 6, connectionsSlack: 0, ...patient }
    const client = new SimClient(world, 'client', torrent, { settings })
    const other = addSecond(client)
    world.run({ seconds: 1 })
    callers(world, client, torrent, 6)
    callers(world, client, second, 3)
    expect([client.numPeers, other.getPeerInfo().length]).toEqual([6, 0])
  },
  { seeds: 1 },
)

scenario(
  'at the limit of the session no more strangers than the slack wait for their handshake, and the latest of them',
  (world) => {
    const settings = { connectionsLimit: 4, connectionsSlack: 3, ...patient }
    const client = new SimClient(world, 'client', torrent, { settings })
    const other = addSecond(client)
    world.run({ seconds: 1 })
    callers(world, client, torrent, 4)
    const crowd = world.peer('crowd', { torrent, greets: 'silence' })
    for (let i = 0; i < 20; i++) crowd.connect(client.endpoint)
    world.run({ seconds: 1 })
    expect(numOpen(crowd.connections)).toBe(3)
    expect(numOpen(crowd.connections.slice(-3))).toBe(3)
    callers(world, client, second, 1)
    expect(other.getPeerInfo().length).toBe(1)
  },
  { seeds: 1 },
)

scenario(
  'a torrent whose connections are taken up by attempts lets in who connects to it',
  (world) => {
    const client = new SimClient(world, 'client', torrent, { add: { maxConnections: 10 } })
    const attempts = blackHoles(world, 1, 10)
    for (const endpoint of attempts) client.torrent.connectPeer(endpoint)
    world.run({ seconds: 2 })
    expect(client.numPeers).toBe(10)
    const connections = callers(world, client, torrent, 3)
    expect(client.numPeers).toBe(10)
    expect(numOpen(connections)).toBe(3)
    expect(client.endCodes).toEqual(new Array(3).fill('tooManyConnections'))
  },
  { seeds: 1 },
)

scenario('a torrent full of peers that are no worse refuses who connects to it', (world) => {
  const client = new SimClient(world, 'client', torrent, { add: { maxConnections: 5 }, settings: patient })
  world.run({ seconds: 1 })
  const connections = callers(world, client, torrent, 8)
  expect(connections.map(({ closed }) => closed === undefined)).toEqual([
    ...new Array(5).fill(true),
    ...new Array(3).fill(false),
  ])
})

scenario('a lower limit disconnects the least useful peers at once', (world) => {
  const client = new SimClient(world, 'client', torrent, { settings: patient })
  const other = addSecond(client)
  const seed = world.peer('seed', { torrent, has: 'all' })
  client.torrent.connectPeer(seed.listen())
  world.run({ seconds: 1 })
  const idle = callers(world, client, torrent, 9)
  const few = callers(world, client, second, 2)
  client.session.setMaxConnections(6)
  world.run({ seconds: 1 })
  expect([client.numPeers, other.getPeerInfo().length]).toEqual([4, 2])
  expect(numOpen(few)).toBe(2)
  expect(seed.connection.closed).toBeUndefined()
  client.torrent.setMaxConnections(2)
  world.run({ seconds: 1 })
  expect(client.numPeers).toBe(2)
  expect(seed.connection.closed).toBeUndefined()
  expect(numOpen(idle)).toBe(1)
})

for (const [boost, atOnce] of [
  [30, 30],
  [0, 5],
  [7, 7],
] as const) {
  scenario(
    `a boost of ${boost} makes ${atOnce} attempts the moment a tracker names peers, once`,
    (world) => {
      const tracker = world.tracker('http://tracker.example/announce', { interval: 300, maxPeers: 100 })
      const listed = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
      for (const endpoint of blackHoles(world, 1, 40)) tracker.addPeer(listed.infoHash, endpoint)
      const settings = {
        connectionSpeed: 5,
        torrentConnectBoost: boost,
        peerConnectTimeout: 1000,
        smoothConnects: false,
      }
      const client = new SimClient(world, 'client', listed, { settings })
      world.runUntil(() => client.alerts('peerConnect').length > 0, { seconds: 10 })
      world.run({ ms: 20 })
      expect(client.alerts('peerConnect')).toHaveLength(atOnce)
      const begin = world.time.elapsed
      // What was made at once is taken off what follows: on average it is five a second all the same.
      world.runUntil(() => client.alerts('peerConnect').length >= 38, { seconds: 10 })
      expect(world.time.elapsed - begin).toBeGreaterThanOrEqual(((38 - 10) / 5) * 1000)
      for (const endpoint of blackHoles(world, 2, 40)) tracker.addPeer(listed.infoHash, endpoint)
      const before = client.alerts('peerConnect').length
      world.runUntil(() => client.alerts('peerConnect').length > before + 2, { minutes: 6 })
      world.run({ ms: 20 })
      expect(client.alerts('peerConnect').length - before).toBeLessThanOrEqual(2 + 5)
    },
    { seeds: 1 },
  )
}

scenario('a torrent that was paused is boosted again', (world) => {
  const tracker = world.tracker('http://tracker.example/announce', { interval: 300 })
  const listed = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
  for (const endpoint of blackHoles(world, 1, 40)) tracker.addPeer(listed.infoHash, endpoint)
  const settings = { connectionSpeed: 1, torrentConnectBoost: 10, minReconnectTime: 0 }
  const client = new SimClient(world, 'client', listed, { settings })
  world.run({ seconds: 5 })
  expect(client.alerts('peerConnect')).toHaveLength(10)
  client.torrent.pause()
  world.run({ seconds: 30 })
  client.torrent.resume()
  world.run({ seconds: 5 })
  // Of those it knew already the speed of one a second allowed one before the tracker answered.
  expect(client.alerts('peerConnect')).toHaveLength(10 + 1 + 10)
})

scenario(
  'one attempt of eleven is for the torrent that is complete, the others for the one that is not',
  (world) => {
    const settings = { connectionSpeed: 11, connectSeedEveryNDownload: 10, smoothConnects: false }
    const client = new SimClient(world, 'client', torrent, { has: 'all', settings })
    const download = addSecond(client)
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    for (const endpoint of blackHoles(world, 1, 50)) client.torrent.connectPeer(endpoint)
    for (const endpoint of blackHoles(world, 2, 50)) download.connectPeer(endpoint)
    world.run({ seconds: 3 })
    const attempts = client.alerts('peerConnect').map(({ endpoint }) => endpoint.address.startsWith('50.1.'))
    expect(attempts.length).toBeGreaterThanOrEqual(33)
    expect(attempts.slice(0, 33).filter((isOfSeed) => isOfSeed)).toHaveLength(3)
  },
  { seeds: 1 },
)

scenario('torrents that are complete connect to nobody if they shall not, until they may', (world) => {
  const settings = { seedingOutgoingConnections: false }
  const client = new SimClient(world, 'client', torrent, { has: 'all', settings })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  const peer = world.peer('peer', { torrent, has: 'none' })
  client.torrent.connectPeer(peer.listen())
  const caller = world.peer('caller', { torrent, has: 'none' }).connect(client.endpoint)
  world.run({ minutes: 1 })
  expect(peer.connections).toEqual([])
  expect(caller.closed).toBeUndefined()
  caller.close()
  world.run({ minutes: 1 })
  client.session.applySettings({ seedingOutgoingConnections: true })
  world.run({ seconds: 2 })
  expect(peer.connection.closed).toBeUndefined()
})

scenario('ports below 1024 are not dialled; turning that on ends connections there are', async (world) => {
  const client = new SimClient(world, 'client', torrent, { settings: patient })
  const web = world.peer('web', { torrent, has: 'none' })
  const fine = world.peer('fine', { torrent, has: 'none' })
  client.torrent.connectPeer(web.listen(80))
  client.torrent.connectPeer(fine.listen(1024))
  world.run({ seconds: 2 })
  expect(client.numPeers).toBe(2)
  await world.settle(client.session.applySettings({ noConnectPrivilegedPorts: true }))
  world.run({ seconds: 1 })
  expect(client.endings).toMatchObject([{ address: web.host.address, code: 'portBlocked' }])
  client.torrent.connectPeer({ address: web.host.address, port: 80 })
  world.run({ minutes: 10 })
  expect(web.connections).toHaveLength(1)
  expect(client.numPeers).toBe(1)
})

scenario(
  'every five minutes the least useful peer of a full torrent makes way for one that may be better',
  (world) => {
    const client = new SimClient(world, 'client', torrent, {
      add: { maxConnections: 10 },
      settings: { ...patient, peerTurnoverInterval: 300 },
    })
    const seed = world.peer('seed', { torrent, has: 'all' })
    client.torrent.connectPeer(seed.listen())
    world.run({ seconds: 2 })
    for (let i = 0; i < 20; i++) client.torrent.connectPeer(world.peer(`p${i}`, { torrent, has: 'none' }).listen())
    world.run({ seconds: 290 })
    expect(client.numPeers).toBe(10)
    expect(client.endings).toEqual([])
    world.run({ minutes: 20 })
    expect(client.endCodes).toEqual(new Array(4).fill('optimisticDisconnect'))
    const pauses = client.endings.slice(1).map(({ second: at }, i) => at - client.endings[i].second)
    expect(pauses).toEqual([300, 300, 300])
    expect(new Set(client.endings.map(({ address }) => address)).size).toBe(4)
    expect(client.numPeers).toBe(10)
    expect(seed.connection.closed).toBeUndefined()
  },
  { seeds: 2 },
)
