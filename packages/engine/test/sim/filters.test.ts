import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { IpFilter } from '../../src/filter/ipFilter.ts'
import { PortFilter } from '../../src/filter/portFilter.ts'
import { readResumeData } from '../../src/resume/readResumeData.ts'
import { SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'
import { FileServer } from './webServer.ts'

const HTTP = 'http://tracker.example/announce'
const UDP = 'udp://tracker.example:6969'
const ORIGIN = 'http://web.example'
const content = new TestTorrent({ size: 300_000 })

function blocking(...addresses: readonly string[]): IpFilter {
  const filter = new IpFilter()
  for (const address of addresses) filter.addRule(address, address, IpFilter.blocked)
  return filter
}

function blockingPort(port: number): PortFilter {
  const filter = new PortFilter()
  filter.addRule(port, port, PortFilter.blocked)
  return filter
}

function blockedBy(client: SimClient) {
  return client.alerts('peerBlocked').map(({ ip, reason }) => [ip, reason])
}

scenario('peers that the IP filter blocks are not let in, not heard of and not connected to', (world) => {
  const client = new SimClient(world, 'client', content)
  const stranger = world.peer('stranger', { torrent: content, has: 'all', serves: true })
  client.session.setIpFilter(blocking(stranger.host.address))
  world.run({ seconds: 1 })
  const incoming = stranger.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(incoming.handshake).toBeNull()
  expect(incoming.closed).not.toBeUndefined()
  client.torrent.connectPeer(stranger.listen())
  world.run({ minutes: 1 })
  expect(stranger.connections).toHaveLength(1)
  expect(client.torrent.status().listPeers).toBe(0)
  expect(blockedBy(client)).toEqual([
    [stranger.host.address, 'ipFilter'],
    [stranger.host.address, 'ipFilter'],
  ])
  // It was gone before there was a torrent it could be for, and is no connection that ended.
  const [atTheDoor, named] = client.alerts('peerBlocked')
  expect(client.torrent.equals(named.handle)).toBe(true)
  expect(atTheDoor.handle.infoHash.toHex()).toBe('0'.repeat(40))
  expect(client.endings).toEqual([])
})

scenario('peers that are connected when a filter comes to block them are left at once, others stay', (world) => {
  const client = new SimClient(world, 'client', content)
  const [bad, good] = ['bad', 'good'].map((name) => world.peer(name, { torrent: content, has: 'none' }))
  for (const peer of [bad, good]) client.torrent.connectPeer(peer.listen())
  client.torrent.connectPeer({ address: '99.0.0.1', port: 6881 })
  world.run({ seconds: 5 })
  expect(client.torrent.status().listPeers).toBe(3)
  client.forget()
  client.session.setIpFilter(blocking(bad.host.address, '99.0.0.1'))
  world.run({ seconds: 1 })
  expect(client.endings.map(({ address, code }) => [address, code])).toContainEqual([
    bad.host.address,
    'bannedByIpFilter',
  ])
  // Of those that were not connected nothing is said, but they are forgotten.
  expect(blockedBy(client)).toContainEqual([bad.host.address, 'ipFilter'])
  expect(client.torrent.status().listPeers).toBe(1)
  expect(good.connection.closed).toBeUndefined()
  world.run({ minutes: 5 })
  expect(bad.connections).toHaveLength(1)
})

scenario(
  'a filter is copied: later changes count once it is set again, and none leads back to the one before',
  (world) => {
    const client = new SimClient(world, 'client', content)
    const peer = world.peer('peer', { torrent: content, has: 'none' })
    const filter = new IpFilter()
    client.session.setIpFilter(filter)
    filter.addRule('0.0.0.0', '255.255.255.255', IpFilter.blocked)
    client.torrent.connectPeer(peer.listen())
    world.run({ seconds: 5 })
    expect(peer.connection.closed).toBeUndefined()
    const got = client.session.getIpFilter()
    expect(got.isEmpty).toBe(true)
    got.addRule('1.2.3.4', '1.2.3.4', IpFilter.blocked)
    expect(client.session.getIpFilter().isEmpty).toBe(true)
    client.session.setIpFilter(filter)
    world.run({ seconds: 5 })
    expect(peer.connection.closed).not.toBeUndefined()
    client.session.setIpFilter(new IpFilter())
    client.torrent.connectPeer({ address: peer.host.address, port: 6881 })
    world.run({ minutes: 3 })
    expect(peer.connections).toHaveLength(2)
    expect(() => client.session.setIpFilter({} as IpFilter)).toThrow(/needs an IpFilter/)
    expect(() => client.session.setPortFilter({} as PortFilter)).toThrow(/needs a PortFilter/)
  },
)

scenario('a torrent can be exempt from the IP filter, and says so in its status and resume data', async (world) => {
  const client = new SimClient(world, 'client', content, { add: { applyIpFilter: false } })
  const stranger = world.peer('stranger', { torrent: content, has: 'none' })
  client.session.setIpFilter(blocking(stranger.host.address))
  world.run({ seconds: 1 })
  const first = stranger.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(first.handshake).not.toBeNull()
  expect(first.closed).toBeUndefined()
  expect(client.torrent.status().ipFilterApplies).toBe(false)
  const resumeData = await world.settle(client.torrent.saveResumeData())
  const saved = readResumeData(resumeData)
  expect(saved instanceof LibtorrentError ? null : saved.applyIpFilter).toBe(false)

  client.torrent.applyIpFilter(true)
  world.run({ seconds: 5 })
  expect(first.closed).not.toBeUndefined()
  expect(client.endCodes).toEqual(['bannedByIpFilter'])
  expect(client.torrent.status()).toMatchObject({ ipFilterApplies: true, needSaveResume: true })
  const second = stranger.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(second.handshake).toBeNull()

  const again = new SimClient(world, 'again', content, { add: { resumeData } })
  expect(again.torrent.status().ipFilterApplies).toBe(false)
  const overridden = new SimClient(world, 'overridden', content, { add: { resumeData, applyIpFilter: true } })
  expect(overridden.torrent.status().ipFilterApplies).toBe(true)
})

scenario('with one exempt torrent in the session the others still refuse who the filter blocks', (world) => {
  const other = new TestTorrent({ size: 50_000, name: 'other' })
  const client = new SimClient(world, 'client', content)
  const exempt = client.session.addTorrent({ ti: other.info(), savePath: '/other', applyIpFilter: false })
  const stranger = world.peer('stranger', { torrent: content, has: 'none' })
  client.session.setIpFilter(blocking(stranger.host.address))
  world.run({ seconds: 1 })
  const incoming = stranger.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(incoming.closed).not.toBeUndefined()
  expect(client.endCodes).toEqual(['bannedByIpFilter'])
  expect(blockedBy(client)).toEqual([[stranger.host.address, 'ipFilter']])
  // When it has left, the door is closed again.
  client.forget()
  void client.session.removeTorrent(exempt)
  world.run({ seconds: 5 })
  stranger.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(client.endings).toEqual([])
  expect(blockedBy(client)).toEqual([[stranger.host.address, 'ipFilter']])
})

scenario('ports of the port filter are not connected to; who connects to us is let in', (world) => {
  const client = new SimClient(world, 'client', content)
  const mail = world.peer('mail', { torrent: content, has: 'none' })
  const peer = world.peer('peer', { torrent: content, has: 'none' })
  client.torrent.connectPeer(mail.listen(25))
  client.torrent.connectPeer(peer.listen())
  world.run({ seconds: 5 })
  client.session.setPortFilter(blockingPort(25))
  world.run({ seconds: 5 })
  expect(client.endings.map(({ address, code }) => [address, code])).toEqual([[mail.host.address, 'portBlocked']])
  expect(blockedBy(client)).toEqual([[mail.host.address, 'portFilter']])
  client.torrent.connectPeer({ address: mail.host.address, port: 25 })
  world.run({ minutes: 5 })
  expect(mail.connections).toHaveLength(1)
  expect(blockedBy(client)).toHaveLength(2)
  const incoming = mail.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(incoming.handshake).not.toBeNull()
  expect(incoming.closed).toBeUndefined()
  client.session.setPortFilter(blockingPort(25))
  world.run({ seconds: 5 })
  expect(incoming.closed).toBeUndefined()
  expect(client.session.getPortFilter().isBlocked(25)).toBe(true)
})

scenario('peers at privileged ports are told of as blocked when the setting forbids them', (world) => {
  const client = new SimClient(world, 'client', content)
  const web = world.peer('web', { torrent: content, has: 'none' })
  client.torrent.connectPeer(web.listen(80))
  world.run({ seconds: 5 })
  void client.session.applySettings({ noConnectPrivilegedPorts: true })
  world.run({ seconds: 5 })
  expect(client.endCodes).toEqual(['portBlocked'])
  client.torrent.connectPeer({ address: web.host.address, port: 81 })
  world.run({ seconds: 5 })
  expect(blockedBy(client)).toEqual([
    [web.host.address, 'privilegedPorts'],
    [web.host.address, 'privilegedPorts'],
  ])
})

for (const url of [HTTP, UDP]) {
  scenario(
    `a tracker that the filter blocks is not announced to, unless the setting exempts trackers (${url})`,
    (world) => {
      const tracker = world.tracker(url, { interval: 600 })
      const listed = new TestTorrent({ size: 100_000, trackers: [url] })
      const client = new SimClient(world, 'client', listed, { add: { paused: true } })
      const everybody = new IpFilter()
      everybody.addRule('0.0.0.0', '255.255.255.255', IpFilter.blocked)
      client.session.setIpFilter(everybody)
      client.torrent.resume()
      world.run({ seconds: 30 })
      expect(tracker.announces).toEqual([])
      expect(client.alerts('trackerError').map(({ error }) => error.code)).toContain('bannedByIpFilter')
      client.torrent.scrapeTracker()
      world.run({ seconds: 30 })
      expect(client.alerts('scrapeFailed').map(({ error }) => error.code)).toEqual(['bannedByIpFilter'])
      void client.session.applySettings({ applyIpFilterToTrackers: false })
      client.torrent.forceReannounce()
      world.run({ seconds: 30 })
      expect(tracker.announces.length).toBe(1)
    },
  )

  scenario(`the trackers of a torrent that is exempt from the filter are announced to (${url})`, (world) => {
    const tracker = world.tracker(url, { interval: 600 })
    const listed = new TestTorrent({ size: 100_000, trackers: [url] })
    const client = new SimClient(world, 'client', listed, { add: { paused: true, applyIpFilter: false } })
    const everybody = new IpFilter()
    everybody.addRule('0.0.0.0', '255.255.255.255', IpFilter.blocked)
    client.session.setIpFilter(everybody)
    client.torrent.resume()
    world.run({ seconds: 30 })
    expect(tracker.announces.length).toBe(1)
  })
}

scenario('peers that a tracker names are filtered one by one', (world) => {
  const tracker = world.tracker(HTTP, { interval: 600 })
  const listed = new TestTorrent({ size: 100_000, trackers: [HTTP] })
  const good = world.peer('good', { torrent: listed, has: 'all', serves: true })
  tracker.addPeer(listed.infoHash, { address: '99.0.0.1', port: 6881 })
  tracker.addPeer(listed.infoHash, good.listen())
  const client = new SimClient(world, 'client', listed, { add: { paused: true } })
  client.session.setIpFilter(blocking('99.0.0.1'))
  client.torrent.resume()
  world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
  expect(blockedBy(client)).toEqual([['99.0.0.1', 'ipFilter']])
})

scenario('a web seed at an address or port that a filter blocks is not asked, and is once it is allowed', (world) => {
  const torrent = new TestTorrent({ size: 300_000, webSeeds: [`${ORIGIN}/pub/`] })
  const server = new FileServer(world, world.host('web'), torrent, ORIGIN)
  const client = new SimClient(world, 'client', torrent, { add: { paused: true } })
  client.session.setIpFilter(blocking(server.host.address))
  client.torrent.resume()
  world.run({ seconds: 20 })
  expect(server.requests).toEqual([])
  expect(client.alerts('urlSeed')[0].error.code).toBe('bannedByIpFilter')
  expect(blockedBy(client)[0]).toEqual([server.host.address, 'ipFilter'])
  client.session.setPortFilter(blockingPort(80))
  client.session.setIpFilter(new IpFilter())
  world.run({ minutes: 5 })
  client.session.setPortFilter(new PortFilter())
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
})

scenario('a web seed at a port the filter blocks is left alone', (world) => {
  const torrent = new TestTorrent({ size: 300_000, webSeeds: [`${ORIGIN}/pub/`] })
  const server = new FileServer(world, world.host('web'), torrent, ORIGIN)
  const client = new SimClient(world, 'client', torrent, { add: { paused: true } })
  client.session.setPortFilter(blockingPort(80))
  client.torrent.resume()
  world.run({ minutes: 5 })
  expect(server.requests).toEqual([])
  expect(client.alerts('urlSeed').map(({ error }) => error.code)).toEqual(['portBlocked'])
  client.session.setPortFilter(new PortFilter())
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
})

scenario('a web seed that is in use when the filter comes to block it is left at once', (world) => {
  const torrent = new TestTorrent({ size: 3_000_000, webSeeds: [`${ORIGIN}/pub/`] })
  const server = new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const client = new SimClient(world, 'client', torrent)
  world.run({ seconds: 8 })
  expect(client.numPeers).toBe(1)
  client.session.setIpFilter(blocking(server.host.address))
  const asked = server.requests.length
  world.run({ minutes: 2 })
  expect(client.numPeers).toBe(0)
  expect(server.requests.length).toBe(asked)
  client.session.setIpFilter(new IpFilter())
  world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
})

scenario('web seeds with international names are refused unless the setting allows them, redirects too', (world) => {
  const name = 'http://xn--wb-lka.example'
  for (const [allowIdna, redirected] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ]) {
    const torrent = new TestTorrent({ size: 100_000, webSeeds: [`${redirected ? ORIGIN : name}/pub/`] })
    const label = `${allowIdna} ${redirected}`
    const server = new FileServer(world, world.host(`web ${label}`), torrent, name)
    const front = new FileServer(world, world.host(`front ${label}`), torrent, ORIGIN, ({ path }) => {
      return { status: 302, headers: { location: `${name}${path}` } }
    })
    const client = new SimClient(world, `client ${label}`, torrent, { settings: { allowIdna } })
    world.run({ minutes: 1 })
    expect(client.torrent.isSeed).toBe(allowIdna)
    if (!allowIdna) {
      expect(server.requests).toEqual([])
      expect(client.alerts('urlSeed')[0].error.code).toBe('blockedByIdna')
    }
    server.stop()
    front.stop()
  }
})

scenario('a web seed on the local network that brings a query string is told of as blocked', (world) => {
  const torrent = new TestTorrent({ size: 100_000, webSeeds: [`${ORIGIN}/pub/content?x=1`] })
  const server = new FileServer(world, world.host('web', { address: '192.168.0.7' }), torrent, ORIGIN)
  const client = new SimClient(world, 'client', torrent)
  world.run({ minutes: 1 })
  expect(server.requests).toEqual([])
  expect(client.alerts('urlSeed').map(({ error }) => error.code)).toEqual(['ssrfMitigation'])
  expect(blockedBy(client)).toEqual([['192.168.0.7', 'ssrfMitigation']])
})

scenario('nodes of the DHT that the filter blocks are not heard, unless the setting exempts the DHT', (world) => {
  const dht = { enableDht: true, dhtRestrictRoutingIps: false, dhtRestrictSearchIps: false }
  // Routers never enter a table.
  world.session(world.host('router', { address: '60.0.0.1' }), { settings: dht })
  const settings = { ...dht, dhtBootstrapNodes: '60.0.0.1:6881' }
  for (const address of ['60.0.1.1', '60.0.2.1']) world.session(world.host(address, { address }), { settings })
  world.run({ minutes: 1 })
  const session = world.session(world.host('client'), { settings, ipFilter: blocking('60.0.1.1') })
  world.run({ minutes: 2 })
  expect(session.status().dhtNodes).toBe(1)
  void session.applySettings({ applyFilterToDht: false })
  world.runUntil(() => session.status().dhtNodes === 2, { minutes: 30 })
})

scenario('a filter given with the session holds before anybody can connect, and all torrents share it', (world) => {
  const seed = seedOf(world, content)
  const host = world.host('client')
  const session = world.session(host, { ipFilter: blocking(seed.host.address) })
  const torrent = session.addTorrent({ ti: content.info(), savePath: '/save', peers: [seed.endpoint] })
  world.run({ minutes: 1 })
  expect(torrent.getPeerInfo()).toEqual([])
  expect(seed.alerts('incomingConnection')).toEqual([])
})

scenario('whoever connected to us from behind a privileged port is not disconnected when settings change', (world) => {
  const content = new TestTorrent({ size: 1_000_000 })
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings: { noConnectPrivilegedPorts: true } })
  const client = new SimClient(world, 'client', content, { settings: { listenInterfaces: '0.0.0.0:80' }, down: 10_000 })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 5 })
  expect(seed.numPeers).toBe(1)
  world.settle(seed.session.applySettings({ maxFailcount: 4 }))
  expect(seed.endings.filter(({ address }) => address === client.host.address)).toEqual([])
  expect(seed.numPeers).toBe(1)
})
