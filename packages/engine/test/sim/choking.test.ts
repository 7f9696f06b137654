import { expect } from 'vitest'
import type { SimPeerConnection } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SeedChokingAlgorithm } from '../../src/settings/settingEnums.ts'
import { type ClientOptions, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const BLOCK = 16_384
const torrent = new TestTorrent({ size: 100 * 2 * BLOCK })

/** Seconds of each stretch for which the peer was unchoked, until `end`. */
function turns(connection: SimPeerConnection, end: number): { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = []
  let since: number | null = null
  for (const { name, time } of connection.messages) {
    if (name === 'unchoke') since = time / 1000
    if (name !== 'choke' || since === null) continue
    found.push({ from: since, to: time / 1000 })
    since = null
  }
  if (since !== null) found.push({ from: since, to: end / 1000 })
  return found
}

function unchokedSeconds(connection: SimPeerConnection, end: number): number {
  return turns(connection, end).reduce((sum, { from, to }) => sum + to - from, 0)
}

function isUnchoked(connection: SimPeerConnection): boolean {
  const last = connection.messages.filter(({ name }) => name === 'choke' || name === 'unchoke').at(-1)
  return last?.name === 'unchoke'
}

/** Peers that are interested and keep their connection, but never ask for anything. */
function interestedPeers(world: SimWorld, client: SimClient, count: number): SimPeerConnection[] {
  return Array.from({ length: count }, (_, i) => {
    const connection = world.peer(`peer${i}`, { torrent, has: 'none' }).connect(client.endpoint)
    world.run({ ms: 100 })
    connection.send((to) => to.interested())
    keepAlive(world, connection)
    return connection
  })
}

function keepAlive(world: SimWorld, connection: SimPeerConnection): void {
  world.time.after(60_000, () => {
    if (connection.closed !== undefined) return
    connection.send((to) => to.keepAlive())
    keepAlive(world, connection)
  })
}

/** A downloader: so nobody is dropped for not using its slot. */
function downloader(world: SimWorld, settings: ClientOptions['settings']): SimClient {
  const client = new SimClient(world, 'client', torrent, { has: (piece) => piece < 50, settings })
  world.run({ seconds: 2 })
  return client
}

scenario('a slot given up goes at once to a peer that had one before and was choked', (world) => {
  const client = downloader(world, { unchokeSlotsLimit: 1 })
  const [first, second] = interestedPeers(world, client, 2)
  expect([isUnchoked(first), isUnchoked(second)]).toEqual([true, false])
  world.runUntil(() => isUnchoked(second), { seconds: 40 })
  expect(isUnchoked(first)).toBe(false)
  second.send((to) => to.notInterested())
  world.run({ seconds: 1 })
  expect(isUnchoked(first)).toBe(true)
})

scenario(
  'one optimistic slot goes round among idle peers, an equal time each',
  (world) => {
    const client = downloader(world, { unchokeSlotsLimit: 1 })
    const peers = interestedPeers(world, client, 5)
    const begin = world.time.elapsed
    world.run({ minutes: 60 })
    const fair = (world.time.elapsed - begin) / 1000 / peers.length
    for (const peer of peers) expect(Math.abs(unchokedSeconds(peer, world.time.elapsed) - fair)).toBeLessThan(35)
    // Never two at once: a choke comes with each unchoke of another.
    const all = peers.flatMap((peer) => turns(peer, world.time.elapsed)).sort((a, b) => a.from - b.from)
    for (let i = 1; i < all.length; i++) expect(all[i].from).toBeGreaterThanOrEqual(all[i - 1].to - 0.1)
  },
  { seeds: 2 },
)

scenario(
  'tit for tat: who gives us most holds the regular slots',
  (world) => {
    const large = new TestTorrent({ size: 400 * 2 * BLOCK })
    // Three slots, one of them optimistic.
    const client = new SimClient(world, 'client', large, {
      has: (piece) => piece < 50,
      settings: { unchokeSlotsLimit: 3 },
    })
    world.run({ seconds: 2 })
    const givers = [3_000, 6_000, 12_000, 24_000, 48_000].map((up, i) => {
      const peer = world.peer(`giver${i}`, { torrent: large, has: (piece) => piece >= 50, serves: true, up })
      const connection = peer.connect(client.endpoint)
      world.run({ ms: 100 })
      connection.send((to) => to.interested())
      keepAlive(world, connection)
      return connection
    })
    world.run({ seconds: 50 })
    const begin = world.time.elapsed
    const before = givers.map((giver) => unchokedSeconds(giver, begin))
    world.run({ seconds: 45 })
    expect(client.torrent.isFinished).toBe(false)
    const held = givers.map((giver, i) => unchokedSeconds(giver, world.time.elapsed) - before[i])
    expect(held[4]).toBeGreaterThan(44)
    expect(held[3]).toBeGreaterThan(44)
    expect(held[0] + held[1] + held[2]).toBeGreaterThan(40)
    expect(held[0] + held[1] + held[2]).toBeLessThan(50)
  },
  { seeds: 3 },
)

scenario('no more are unchoked than there are slots, whatever happens', (world) => {
  const client = downloader(world, { unchokeSlotsLimit: 4 })
  const peers = interestedPeers(world, client, 12)
  for (let i = 0; i < 300; i++) {
    world.run({ seconds: 1 })
    expect(client.session.numUploads).toBeLessThanOrEqual(4)
    expect(peers.filter(isUnchoked).length).toBe(client.session.numUploads)
    const peer = peers[world.random.below(peers.length)]
    if (world.random.below(10) === 0) peer.send((to) => (world.random.below(2) ? to.interested() : to.notInterested()))
  }
})

scenario(
  'a free slot is given at once: to whoever becomes interested, and when its holder loses interest or leaves',
  (world) => {
    const client = downloader(world, { unchokeSlotsLimit: 2 })
    const peers = interestedPeers(world, client, 4)
    world.run({ ms: 200 })
    expect(peers.filter(isUnchoked).length).toBe(2)
    const [first, second] = peers.filter(isUnchoked)
    const waiting = peers.filter((peer) => !isUnchoked(peer))
    first.send((to) => to.notInterested())
    world.run({ ms: 200 })
    expect(isUnchoked(first)).toBe(false)
    expect(waiting.filter(isUnchoked).length).toBe(1)
    second.close()
    world.run({ ms: 200 })
    expect(waiting.filter(isUnchoked).length).toBe(2)
    expect(client.session.numUploads).toBe(2)
  },
)

scenario(
  'with no limit everybody who is interested is unchoked',
  (world) => {
    const client = downloader(world, { unchokeSlotsLimit: -1 })
    const peers = interestedPeers(world, client, 20)
    world.run({ minutes: 2 })
    expect(peers.every(isUnchoked)).toBe(true)
  },
  { seeds: 1 },
)

scenario(
  'with no slots nobody is',
  (world) => {
    const client = downloader(world, { unchokeSlotsLimit: 0 })
    const peers = interestedPeers(world, client, 3)
    world.run({ minutes: 2 })
    expect(peers.some(isUnchoked)).toBe(false)
  },
  { seeds: 1 },
)

scenario('the limit of a torrent holds within that of the session', (world) => {
  const client = downloader(world, { unchokeSlotsLimit: 8 })
  client.torrent.setMaxUploads(2)
  const peers = interestedPeers(world, client, 6)
  for (let i = 0; i < 100; i++) {
    world.run({ seconds: 1 })
    expect(peers.filter(isUnchoked).length).toBeLessThanOrEqual(2)
  }
  expect(peers.filter(isUnchoked).length).toBe(2)
})

scenario('fewer slots than before take effect with the next round', (world) => {
  const client = downloader(world, { unchokeSlotsLimit: 6 })
  const peers = interestedPeers(world, client, 6)
  world.run({ seconds: 1 })
  expect(peers.filter(isUnchoked).length).toBe(6)
  client.session.setMaxUploads(2)
  world.run({ seconds: 50 })
  expect(peers.filter(isUnchoked).length).toBe(2)
})

/** Peers that download from a seed as fast as they get it. */
function downloaders(world: SimWorld, seed: SimClient, count: number, content: TestTorrent): SimPeerConnection[] {
  return Array.from({ length: count }, (_, i) => {
    const peer = world.peer(`leech${i}`, { torrent: content, has: 'none' })
    const connection = peer.connect(seed.endpoint)
    let next = 0
    const ask = () =>
      connection.send((to) => {
        to.request((next >> 1) % content.pieceCount, (next & 1) * BLOCK, BLOCK)
        next++
      })
    peer.onMessage = ({ name }) => {
      if (name === 'haveAll') connection.send((to) => to.interested())
      if (name === 'unchoke') for (let k = 0; k < 8; k++) ask()
      if (name === 'piece' && isUnchoked(connection)) ask()
    }
    return connection
  })
}

scenario(
  'a seed moves on from who has had its quota, and everybody gets a turn',
  (world) => {
    const settings = { unchokeSlotsLimit: 3, seedingPieceQuota: 10, allowedFastSetSize: 0 }
    const seed = new SimClient(world, 'seed', torrent, { has: 'all', up: 50_000, settings })
    world.run({ seconds: 2 })
    const peers = downloaders(world, seed, 8, torrent)
    world.run({ minutes: 12 })
    for (const peer of peers) {
      expect(peer.closed).toBeUndefined()
      expect(unchokedSeconds(peer, world.time.elapsed)).toBeGreaterThan(60)
      for (const { from, to } of turns(peer, world.time.elapsed)) {
        // The minute a turn lasts at least, the round that ends it, and the optimistic slot before.
        expect(to - from).toBeLessThan(60 + 15 + 30 + 5)
      }
    }
    const uploaded = peers.map((peer) => peer.received('piece').length)
    expect(Math.max(...uploaded)).toBeLessThan(3 * Math.min(...uploaded))
  },
  { seeds: 2 },
)

scenario(
  'a seed that prefers the fastest serves them most',
  (world) => {
    const settings = {
      unchokeSlotsLimit: 3,
      allowedFastSetSize: 0,
      seedChokingAlgorithm: SeedChokingAlgorithm.fastestUpload,
    }
    const seed = new SimClient(world, 'seed', torrent, { has: 'all', settings })
    world.run({ seconds: 2 })
    const peers = downloaders(world, seed, 5, torrent)
    for (const [i, host] of world.network.hosts.filter(({ name }) => name.startsWith('leech')).entries())
      host.downlink.bytesPerSecond = 2000 * 3 ** i
    world.run({ minutes: 4 })
    const held = peers.map((peer) => unchokedSeconds(peer, world.time.elapsed))
    expect(Math.min(held[3], held[4])).toBeGreaterThan(Math.max(held[0], held[1], held[2]))
  },
  { seeds: 2 },
)

scenario(
  'honest peers with many requests under way survive being choked',
  (world) => {
    // Far apart and fast: hundreds of requests are on their way when a choke comes.
    const settings = { unchokeSlotsLimit: 1, seedingPieceQuota: 1, unchokeInterval: 2, optimisticUnchokeInterval: 2 }
    const content = new TestTorrent({ size: 24 * 1024 * 1024, pieceLength: 256 * 1024 })
    const seed = new SimClient(world, 'seed', content, {
      has: 'all',
      up: 4_000_000,
      latency: 150,
      settings,
      disk: { poolSlots: 2000 },
    })
    const leeches = [0, 1].map((i) => new SimClient(world, `leech${i}`, content, { latency: 150 }))
    world.run({ seconds: 2 })
    for (const leech of leeches) leech.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => leeches.every((leech) => leech.torrent.isSeed), { minutes: 10 })
    expect(seed.endCodes.filter((code) => !['uploadUploadConnection', 'EOF'].includes(code))).toEqual([])
  },
  { seeds: 1 },
)
