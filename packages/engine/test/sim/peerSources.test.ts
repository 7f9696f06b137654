import { expect } from 'vitest'
import { SimRouter } from '../../sim/simRouter.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { endpointText } from '../../src/address/endpoint.ts'
import { ed25519CreateKeypair } from '../../src/crypto/ed25519.ts'
import { SAVE, SimClient } from './client.ts'
import { DHT, dhtOf } from './dhtOf.ts'
import { scenario } from './scenario.ts'

const content = new TestTorrent({ size: 200_000 })
const hidden = new TestTorrent({ size: 200_000, private: true })

scenario('a bare info-hash is enough: peer, metadata and content come by the DHT', (world) => {
  const { settings } = dhtOf(world, 20)
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings })
  world.run({ minutes: 1 })
  const leech = new SimClient(world, 'leech', content, { magnet: true, settings })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
  expect(content.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
  expect(leech.alerts('dhtReply').some(({ numPeers }) => numPeers > 0)).toBe(true)
  expect(leech.alerts('dhtBootstrap')).toHaveLength(1)
  expect(seed.session.status().dhtNodes).toBeGreaterThan(5)
})

scenario('a torrent is looked for in the DHT before its turn when that is asked for', (world) => {
  const { settings } = dhtOf(world, 10)
  const once = { ...settings, dhtAnnounceInterval: 3600 }
  const leech = new SimClient(world, 'leech', content, { magnet: true, settings: once })
  world.run({ minutes: 1 })
  new SimClient(world, 'seed', content, { has: 'all', settings: once })
  world.run({ minutes: 1 })
  const before = leech.alerts('dhtReply').length
  world.run({ minutes: 5 })
  expect(leech.alerts('dhtReply')).toHaveLength(before)
  leech.torrent.forceDhtAnnounce()
  world.runUntil(() => leech.alerts('dhtReply').length > before, { minutes: 1 })
  expect(leech.session.getDhtSettings()).toMatchObject({ announceInterval: 3600, restrictRoutingIps: false })
  leech.session.setDhtSettings({ announceInterval: 600 })
  expect(leech.session.settings().dhtAnnounceInterval).toBe(600)
})

scenario('a torrent that names DHT nodes needs no router', (world) => {
  dhtOf(world, 10)
  const settings = { ...DHT, dhtBootstrapNodes: '' }
  const dhtNodes = [{ host: '60.0.1.1', port: 6881 }]
  new SimClient(world, 'seed', content, { has: 'all', settings, add: { dhtNodes } })
  world.run({ minutes: 1 })
  const leech = new SimClient(world, 'leech', content, { magnet: true, settings, add: { dhtNodes } })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 5 })
})

scenario('peers tell each other of their DHT nodes', (world) => {
  dhtOf(world, 10)
  const known = new SimClient(world, 'known', content, {
    has: 'all',
    settings: { ...DHT, dhtBootstrapNodes: '60.0.0.1:6881' },
  })
  world.run({ minutes: 1 })
  const lost = new SimClient(world, 'lost', content, { settings: { ...DHT, dhtBootstrapNodes: '' } })
  expect(lost.session.status().dhtNodes).toBe(0)
  lost.torrent.connectPeer(known.endpoint)
  world.runUntil(() => lost.session.status().dhtNodes > 3, { minutes: 20 })
})

scenario('dhtBootstrap comes when the DHT has found its place, not when it starts', (world) => {
  dhtOf(world, 10)
  const client = new SimClient(world, 'client', content, { settings: { ...DHT, dhtBootstrapNodes: '' } })
  world.run({ minutes: 1 })
  expect(client.alerts('dhtBootstrap')).toEqual([])
  client.session.addDhtNode({ host: '60.0.3.1', port: 6881 })
  world.run({ seconds: 10 })
  expect(client.alerts('dhtBootstrap')).toHaveLength(1)
  expect(client.session.status().dhtNodes).toBe(10)
})

scenario('a router whose name is unknown is told, and hinders nothing', (world) => {
  dhtOf(world, 5)
  const settings = { ...DHT, dhtBootstrapNodes: 'nowhere.example:6881,60.0.0.1:6881' }
  const client = new SimClient(world, 'client', content, { settings })
  world.runUntil(() => client.session.status().dhtNodes > 0, { minutes: 1 })
  expect(client.alerts('dhtError').map((alert) => alert.operation)).toEqual([1])
})

scenario('the DHT goes on with the nodes of an earlier run', (world) => {
  const { sessions } = dhtOf(world, 10)
  const state = sessions[3].dhtState()
  const host = world.host('again')
  const session = world.session(host, { settings: { ...DHT, enableDht: false, dhtBootstrapNodes: '' } })
  world.run({ seconds: 1 })
  session.startDht(state ?? undefined)
  world.runUntil(() => session.status().dhtNodes > 3, { minutes: 2 })
  session.stopDht()
  expect(session.isDhtRunning).toBe(false)
  expect(session.status().dhtNodes).toBe(0)
})

scenario('the session tells of its DHT: traffic, buckets, lookups, and the nodes of each of ours', (world) => {
  const { sessions, settings } = dhtOf(world, 12)
  const client = new SimClient(world, 'client', content, { magnet: true, settings })
  world.run({ seconds: 20 })
  const status = client.session.status()
  expect(status.totalDhtUpload).toBeGreaterThan(500)
  expect(status.totalDhtDownload).toBeGreaterThan(500)
  expect(status.dhtUploadRate).toBeGreaterThan(0)
  expect(status.uploadRate).toBeGreaterThanOrEqual(status.dhtUploadRate)
  expect(status.totalUpload).toBeGreaterThanOrEqual(status.totalDhtUpload)
  const inBuckets = status.dhtRoutingTable.reduce((sum, { numNodes }) => sum + numNodes, 0)
  expect(inBuckets).toBe(status.dhtNodes)
  expect(status.dhtRoutingTable.some(({ lastActive }) => lastActive >= 0 && lastActive <= 20)).toBe(true)

  client.session.dhtGetPeers(hidden.infoHash)
  client.session.postDhtStats()
  const stats = client.alerts('dhtStats')
  // One for each listen socket; nobody here has IPv6.
  const [four] = stats.filter(({ localEndpoint }) => !localEndpoint.address.includes(':'))
  expect(stats.reduce((sum, { activeRequests }) => sum + activeRequests.length, 0)).toBeGreaterThan(0)
  const nodes = client.session.dhtLiveNodes(four.nid)
  expect(nodes.length).toBe(status.dhtNodes)
  expect(new Set(nodes.map(({ endpoint }) => endpoint.address)).has(client.host.address)).toBe(false)
  expect(client.session.dhtLiveNodes(nodes[0].id)).toEqual([])
  expect(client.alerts('dhtLiveNodes').map(({ nodeId, numNodes }) => [nodeId, numNodes])).toEqual([
    [four.nid, nodes.length],
    [nodes[0].id, 0],
  ])

  sessions[1].stopDht()
  expect(sessions[1].status()).toMatchObject({ dhtUploadRate: 0, totalDhtDownload: 0, dhtRoutingTable: [] })
  sessions[1].postDhtStats()
})

scenario('items are put into the DHT by one and read by another, and changed by who has the key', async (world) => {
  const { sessions } = dhtOf(world, 10)
  const [writer, reader] = [sessions[2], sessions[7]]
  const put = await world.settle(writer.dhtPutItem('hello'), { minutes: 1 })
  expect(put.numSuccess).toBeGreaterThan(0)
  const text = new TextDecoder()
  expect(text.decode((await world.settle(reader.dhtGetItem(put.target), { minutes: 1 })) as Uint8Array)).toBe('hello')

  const keys = ed25519CreateKeypair(new Uint8Array(32).fill(7))
  for (const [seq, word] of [
    [1, 'first'],
    [2, 'second'],
  ] as const) {
    const result = await world.settle(
      writer.dhtPutItem(keys, () => word, 'salt'),
      { minutes: 1 },
    )
    expect(result.seq).toBe(seq)
    const found = await world.settle(reader.dhtGetItem(keys.publicKey, 'salt'), { minutes: 1 })
    expect(text.decode(found?.item as Uint8Array)).toBe(word)
    expect(found?.seq).toBe(seq)
  }
  expect(await world.settle(reader.dhtGetItem(keys.publicKey, 'other'), { minutes: 1 })).toBeNull()
})

scenario('peers learn of one another from a peer they share', (world) => {
  const middle = new SimClient(world, 'middle', content)
  const first = new SimClient(world, 'first', content)
  const second = new SimClient(world, 'second', content)
  world.run({ seconds: 1 })
  first.torrent.connectPeer(middle.endpoint)
  second.torrent.connectPeer(middle.endpoint)
  const knows = (client: SimClient, other: SimClient) =>
    client.torrent.getPeerInfo().some(({ ip }) => ip.address === other.endpoint.address)
  world.runUntil(() => knows(first, second) && knows(second, first), { minutes: 3 })
})

scenario('neighbours find each other without anybody telling them', (world) => {
  const settings = { enableLsd: true }
  new SimClient(world, 'seed', content, { has: 'all', settings, address: '192.168.1.2' })
  const leech = new SimClient(world, 'leech', content, { magnet: true, settings, address: '192.168.1.3' })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 1 })
  expect(leech.alerts('lsdPeer').map((alert) => endpointText(alert.endpoint))).toContain('192.168.1.2:6881')
})

scenario('a private torrent is told to its trackers only', (world) => {
  const { settings, sessions } = dhtOf(world, 10)
  const all = { ...settings, enableLsd: true }
  const seed = new SimClient(world, 'seed', hidden, { has: 'all', settings: all, address: '192.168.1.2' })
  const middle = new SimClient(world, 'middle', hidden, { settings: all, address: '192.168.1.3' })
  const leech = new SimClient(world, 'leech', hidden, { settings: all, address: '192.168.1.4' })
  world.run({ seconds: 1 })
  middle.torrent.connectPeer(seed.endpoint)
  leech.torrent.connectPeer(middle.endpoint)
  world.run({ minutes: 20 })
  expect(seed.numPeers + leech.numPeers).toBeLessThanOrEqual(2)
  for (const client of [seed, middle, leech]) {
    expect(client.alerts('dhtReply')).toEqual([])
    expect(client.alerts('lsdPeer')).toEqual([])
  }
  expect(sessions.reduce((sum, session) => sum + session.status().dhtTorrents, 0)).toBe(0)
})

scenario('what is switched off for one torrent is off for that one', (world) => {
  const settings = { enableLsd: true }
  const add = { disableDht: true, disableLsd: true, disablePex: true }
  new SimClient(world, 'seed', content, { has: 'all', settings, address: '192.168.1.2' })
  const leech = new SimClient(world, 'leech', content, { settings, add, address: '192.168.1.3' })
  world.run({ minutes: 10 })
  expect(leech.numPeers).toBe(0)
})

scenario('the router forwards the listen port, and takes it back at the end', async (world) => {
  const router = new SimRouter(world)
  const host = world.host('client', { address: '192.168.1.2', gateway: '192.168.1.1', latency: 1 })
  const session = world.session(host, { settings: { enableUpnp: true, enableNatpmp: true } })
  const mapped: string[] = []
  session.on('portmap', (alert) => mapped.push(`${alert.mapType} ${alert.externalPort}`))
  world.runUntil(() => router.forwards.length > 0 && mapped.length > 0, { seconds: 30 })
  expect(router.forwards).toContain('tcp 6881 -> 192.168.1.2:6881')
  const mapping = session.addPortMapping('udp', 7000, 7001)
  world.run({ seconds: 10 })
  expect(router.forwards).toContain('udp 7000 -> 192.168.1.2:7001')
  session.deletePortMapping(mapping)
  await world.settle(session.abort(), { seconds: 20 })
  expect(router.forwards).toEqual([])
})

scenario('resume data remembers where peers are not looked for, and parameters overrule it', async (world) => {
  const settings = { ...dhtOf(world, 8).settings, enableLsd: true }
  const lonely = { disableDht: true, disableLsd: true, disablePex: true }
  const first = new SimClient(world, 'first', content, { has: 'all', settings, address: '192.168.1.2', add: lonely })
  world.run({ minutes: 1 })
  const resumeData = await world.settle(first.torrent.saveResumeData())
  await world.settle(first.session.abort())

  const again = new SimClient(world, first.host, content, { settings, add: { resumeData } })
  const leech = new SimClient(world, 'leech', content, { magnet: true, settings, address: '192.168.1.3' })
  world.run({ minutes: 20 })
  expect(again.alerts('dhtReply').length + again.alerts('lsdPeer').length).toBe(0)
  expect(leech.torrent.isSeed).toBe(false)
  await world.settle(again.session.abort())

  new SimClient(world, first.host, content, { settings, add: { resumeData, disableLsd: false } })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 10 })
})
