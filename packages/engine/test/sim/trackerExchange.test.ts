import { expect } from 'vitest'
import type { SimPeer, SimPeerConnection } from '../../sim/simPeer.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { sha1 } from '../../src/crypto/sha1.ts'
import { TrackerSource } from '../../src/metainfo/trackerUrl.ts'
import { latin1, utf8 } from '../../src/util/bytes.ts'
import { decodeExtensionHandshake } from '../../src/wire/extensionHandshake.ts'
import { decodeLtTex, encodeLtTex } from '../../src/wire/ltTexMessage.ts'
import { SimClient } from './client.ts'
import { extensionPeer, metadataAnswers, sendMetadata, theirId } from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const ONE = 'http://one.example/announce'
const TWO = 'udp://two.example:6969/announce'
const THREE = 'http://three.example:8080/announce'
const OUR_ID = 31
const MESSAGES = new Map([['lt_tex', OUR_ID]])

const bare = new TestTorrent({ size: 100_000 })
const listed = new TestTorrent({ size: 100_000, trackers: [ONE] })
const hidden = new TestTorrent({ size: 100_000, trackers: [ONE], private: true })

function tell(connection: SimPeerConnection, urls: readonly string[]): void {
  connection.send((to) => to.extended(theirId(connection, 'lt_tex'), encodeLtTex(urls)))
}

/** The messages a peer was sent, and the seconds since it connected. */
function toldTo(peer: SimPeer): { readonly second: number; readonly urls: readonly string[] }[] {
  const { connection } = peer
  const begin = connection.received('extended')[0].time
  return connection.received('extended').flatMap(({ body, time }) => {
    if (body[0] !== OUR_ID) return []
    return [{ second: Math.round((time - begin) / 1000), urls: decodeLtTex(body.subarray(1)) ?? ['rubbish'] }]
  })
}

const urlsOf = (client: SimClient) => client.torrent.trackers().map(({ url }) => url)

scenario('a magnet without trackers learns of one, which finds the seed', (world) => {
  world.tracker(ONE)
  const settings = { minAnnounceInterval: 1 }
  const seed = new SimClient(world, 'seed', listed, { has: 'all', settings })
  world.run({ seconds: 5 })
  const middle = new SimClient(world, 'middle', listed, {
    settings: { ...settings, seedingOutgoingConnections: false },
  })
  middle.torrent.prioritizeFiles([0])
  world.run({ seconds: 20 })
  const magnet = new SimClient(world, 'magnet', listed, { magnet: true })
  magnet.torrent.connectPeer(middle.endpoint)
  world.runUntil(() => magnet.torrent.isSeed, { minutes: 3 })
  expect(magnet.torrent.trackers()).toMatchObject([
    { url: ONE, source: TrackerSource.tex, failLimit: 1, verified: true },
  ])
  expect(seed.torrent.trackers()[0].source).not.toBe(TrackerSource.tex)
})

scenario(
  'trackers of peers come into a tier of their own at the end, and are told nothing of what we transferred',
  (world) => {
    world.tracker(ONE, { answers: Array(100).fill('timeout') })
    const strange = world.tracker(TWO)
    const client = new SimClient(world, 'client', new TestTorrent({ size: 100_000, trackers: [[ONE], [`${ONE}2`]] }))
    const torrent = new TestTorrent({ size: 100_000, trackers: [[ONE], [`${ONE}2`]] })
    const peer = extensionPeer(world, 'peer', torrent, { messages: MESSAGES }, { has: 'all', serves: true })
    client.torrent.connectPeer(peer.listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    const teller = extensionPeer(world, 'teller', torrent, { messages: MESSAGES }).connect(client.endpoint)
    world.run({ seconds: 2 })
    tell(teller, [TWO, ONE])
    world.run({ minutes: 3 })
    expect(client.torrent.trackers().map(({ url, tier }) => [url, tier])).toEqual([
      [ONE, 0],
      [`${ONE}2`, 1],
      [TWO, 2],
    ])
    expect(strange.announces.length).toBeGreaterThan(0)
    for (const announce of strange.announces) expect(announce).toMatchObject({ uploaded: 0, downloaded: 0 })
  },
)

scenario('a new peer is told after five seconds, and later only of what was added, two minutes apart', (world) => {
  for (const url of [ONE, TWO]) world.tracker(url)
  const client = new SimClient(world, 'client', listed)
  world.run({ seconds: 10 })
  const peer = extensionPeer(world, 'peer', listed, { messages: MESSAGES })
  const connection = peer.connect(client.endpoint)
  for (let s = 60; s < 500; s += 60) world.time.after(s * 1000, () => connection.send((to) => to.keepAlive()))
  world.run({ seconds: 20 })
  expect(toldTo(peer).map(({ urls }) => urls)).toEqual([[ONE]])
  expect(toldTo(peer)[0].second).toBeLessThanOrEqual(7)
  client.torrent.addTracker({ url: TWO })
  client.torrent.forceReannounce(0, TWO)
  world.run({ minutes: 6 })
  const told = toldTo(peer)
  expect(told.map(({ urls }) => urls)).toEqual([[ONE], [TWO]])
  expect(told[1].second - told[0].second).toBeGreaterThanOrEqual(119)
})

scenario('a peer with the same list is told nothing', (world) => {
  world.tracker(ONE)
  const client = new SimClient(world, 'client', listed)
  world.run({ seconds: 10 })
  const trackersHash = sha1(utf8(ONE)).bytes
  const peer = extensionPeer(world, 'peer', listed, { messages: MESSAGES, trackersHash })
  const connection = peer.connect(client.endpoint)
  world.run({ minutes: 1 })
  expect(toldTo(peer)).toEqual([])
  const handshake = decodeExtensionHandshake(connection.received('extended')[0].body.subarray(1))
  expect(handshake?.trackersHash).toEqual(trackersHash)
  expect(handshake?.messages?.get('lt_tex')).toBe(19)
})

scenario(
  'nobody is told of trackers that never answered, that need a password, or that are not for everybody',
  (world) => {
    const secret = 'http://me:secret@one.example/announce'
    world.tracker(ONE)
    world.tracker(TWO, { answers: Array(100).fill('timeout') })
    const near = 'http://192.168.1.9/announce'
    const torrent = new TestTorrent({ size: 1000, trackers: [secret, near, 'http://tracker.lan/announce', THREE] })
    const settings = { announceToAllTiers: true, announceToAllTrackers: true }
    const client = new SimClient(world, 'client', torrent, { settings, add: { trackers: [TWO] } })
    const teller = extensionPeer(world, 'teller', torrent, { messages: MESSAGES }).connect(client.endpoint)
    world.run({ seconds: 2 })
    tell(teller, ['http://nobody.example/announce'])
    const peer = extensionPeer(world, 'peer', torrent, { messages: MESSAGES })
    peer.connect(client.endpoint)
    world.run({ minutes: 1 })
    // What is in the .torrent file counts as good (BEP 28).
    expect(toldTo(peer).flatMap(({ urls }) => urls)).toEqual([THREE])
  },
)

scenario('URLs that are none, of other protocols, local, or with parameters of an announce are not taken', (world) => {
  const client = new SimClient(world, 'client', bare)
  world.run({ seconds: 1 })
  const teller = extensionPeer(world, 'teller', bare, { messages: MESSAGES }).connect(client.endpoint)
  world.run({ seconds: 2 })
  tell(teller, [
    'nonsense',
    'ftp://one.example/announce',
    'wss://one.example/announce',
    'file:///etc/passwd',
    'http://one.example:0/announce',
    'http://one.example:99999/announce',
    'http:///announce',
    'http://127.0.0.1:8080/announce',
    'http://127.1:8080/announce',
    'http://0x7f000001/announce',
    'http://[::1]/announce',
    'http://[::ffff:10.0.0.1]/announce',
    'http://10.0.0.1/announce',
    'http://localhost/announce',
    'http://router/announce',
    'http://nas.local/announce',
    'http://me:secret@one.example/announce',
    'http://one.example/announce?info_hash=abc',
    'http://one.example/\u001b[2Jannounce',
    'http://one.example/a b',
    `http://one.example/${'a'.repeat(2000)}`,
    'udp://224.0.0.1:6969',
  ])
  world.run({ seconds: 2 })
  expect(urlsOf(client)).toEqual([])
  tell(teller, [ONE, TWO])
  world.run({ seconds: 2 })
  expect(urlsOf(client)).toEqual([ONE, TWO])
  expect(client.endings).toEqual([])
})

scenario(
  'a hundred peers that name a hundred trackers each add fifty, and no more than ten of one host',
  (world) => {
    const client = new SimClient(world, 'client', bare)
    world.run({ seconds: 1 })
    for (let i = 0; i < 100; i++) {
      const teller = extensionPeer(world, `teller${i}`, bare, { messages: MESSAGES }).connect(client.endpoint)
      world.run({ ms: 500 })
      const host = i < 2 ? 'victim.example' : `host${i}.example`
      tell(
        teller,
        Array.from({ length: 100 }, (_, j) => `http://${host}:${1000 + i * 100 + j}/announce`),
      )
      world.run({ ms: 100 })
      teller.close()
    }
    expect(urlsOf(client)).toHaveLength(50)
    expect(urlsOf(client).filter((url) => url.includes('victim'))).toHaveLength(10)
    world.run({ hours: 2 })
    expect(client.torrent.trackers().every((entry) => entry.fails <= 1)).toBe(true)
  },
  { seeds: 1 },
)

scenario(
  'of messages without end only some are read, and rubbish ends the connection',
  (world) => {
    const client = new SimClient(world, 'client', bare)
    world.run({ seconds: 1 })
    const eager = extensionPeer(world, 'eager', bare, { messages: MESSAGES }).connect(client.endpoint)
    world.run({ seconds: 2 })
    for (let i = 0; i < 30; i++) tell(eager, [`http://host${i}.example/announce`])
    world.run({ seconds: 5 })
    expect(urlsOf(client)).toHaveLength(4)
    expect(client.endings).toEqual([])
    for (const payload of [utf8('rubbish'), utf8('le'), new Uint8Array(65_537), utf8('l'.repeat(60_000))]) {
      const connection = extensionPeer(world, `odd${payload.length}`, bare, { messages: MESSAGES }).connect(
        client.endpoint,
      )
      world.run({ seconds: 2 })
      connection.send((to) => to.extended(theirId(connection, 'lt_tex'), payload))
      world.run({ seconds: 2 })
      expect(client.endCodes.at(-1)).toBe('invalidLtTrackerMessage')
    }
    expect(client.endings).toHaveLength(4)
  },
  { seeds: 1 },
)

scenario('a private torrent neither tells nor listens, and offers none of it', (world) => {
  world.tracker(ONE)
  const client = new SimClient(world, 'client', hidden)
  world.run({ seconds: 10 })
  const peer = extensionPeer(world, 'peer', hidden, { messages: MESSAGES, trackersHash: new Uint8Array(20) })
  const connection = peer.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(theirId(connection, 'lt_tex')).toBe(0)
  connection.send((to) => to.extended(19, encodeLtTex([TWO])))
  world.run({ minutes: 3 })
  expect(toldTo(peer)).toEqual([])
  expect(urlsOf(client)).toEqual([ONE])
})

scenario('trackers that peers named for a magnet are dropped when its metadata says that it is private', (world) => {
  world.tracker(ONE)
  const magnet = new SimClient(world, 'magnet', hidden, { magnet: true, add: { trackers: [ONE] } })
  const messages = new Map([...MESSAGES, ['ut_metadata', 17] as const])
  const size = hidden.infoSection.length
  const connection = extensionPeer(world, 'peer', hidden, { messages, metadataSize: size }).connect(magnet.endpoint)
  world.run({ seconds: 2 })
  tell(connection, [TWO])
  world.run({ seconds: 2 })
  expect(urlsOf(magnet)).toEqual([ONE, TWO])
  sendMetadata(connection, metadataAnswers(hidden)(0))
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 30 })
  expect(urlsOf(magnet)).toEqual([ONE])
})

scenario('trackers that peers named are not saved', async (world) => {
  const client = new SimClient(world, 'client', listed)
  world.run({ seconds: 1 })
  const teller = extensionPeer(world, 'teller', listed, { messages: MESSAGES }).connect(client.endpoint)
  world.run({ seconds: 2 })
  tell(teller, [TWO])
  world.run({ seconds: 2 })
  expect(urlsOf(client)).toEqual([ONE, TWO])
  const saved = await world.settle(client.torrent.saveResumeData(), { minutes: 1 })
  const text = latin1(saved)
  expect(text).toContain('one.example')
  expect(text).not.toContain('two.example')
})
