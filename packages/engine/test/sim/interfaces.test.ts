import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { Session } from '../../src/api/session.ts'
import { SimClient, seedOf } from './client.ts'
import { recordedPlatform } from './recordedPlatform.ts'
import { scenario } from './scenario.ts'

// Devices of simulated machines are called eth0, eth1, ...: one for each address.

const HTTP = 'http://tracker.example/announce'
const [HOME, VPN, OTHER_VPN] = ['60.0.0.1', '10.8.0.2', '10.8.0.3']

scenario('a device that is listened on comes, gets another address, and goes', (world) => {
  const tracker = world.tracker(HTTP, { interval: 600 })
  const torrent = new TestTorrent({ trackers: [HTTP] })
  const client = new SimClient(world, 'client', torrent, { address: HOME, settings: { listenInterfaces: 'eth1:7000' } })
  world.run({ minutes: 10 })
  expect(client.session.isListening).toBe(false)
  expect(tracker.announces).toEqual([])

  const announcers = () => tracker.announces.map(({ peer }) => `${peer.address}:${peer.port}`)
  world.network.renumber(client.host, [HOME, VPN])
  world.run({ minutes: 1 })
  expect(announcers()).toEqual([`${VPN}:7000`])
  world.network.renumber(client.host, [HOME, OTHER_VPN])
  world.run({ minutes: 1 })
  expect(announcers()).toEqual([`${VPN}:7000`, `${OTHER_VPN}:7000`])
  const opened = client.alerts('listenSucceeded').map(({ endpoint }) => endpoint.address)
  expect(opened).toEqual([VPN, OTHER_VPN])
  world.network.renumber(client.host, [HOME])
  world.run({ minutes: 1 })
  expect(client.session.isListening).toBe(false)
  world.run({ hours: 1 })
  expect(announcers().every((each) => !each.startsWith(HOME))).toBe(true)
})

scenario('neighbours and routers are met on the devices that are listened on, and on no other', async (world) => {
  const torrent = new TestTorrent()
  const host = world.host('client', { address: [HOME], gateway: '60.0.0.254' })
  const program = world.start(host)
  const { platform, log } = recordedPlatform(program.platform)
  const settings = { enableLsd: true, enableUpnp: true, enableNatpmp: true, enableDht: false }
  const session = new Session({
    platform,
    disk: program.disk,
    settings: { ...settings, listenInterfaces: 'eth1:7000' },
  })
  session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
  const met = () => [...new Set(log.splice(0))].filter((line) => /^(multicast|bind|listen)/.test(line)).sort()
  world.run({ minutes: 10 })
  expect(met()).toEqual([])
  world.network.renumber(host, [HOME, VPN])
  world.run({ minutes: 10 })
  expect(met()).toEqual([`bind ${VPN}`, `listen on ${VPN}`, `multicast on ${VPN}`])
  await world.settle(session.applySettings({ listenInterfaces: '0.0.0.0:7000' }))
  world.run({ minutes: 10 })
  expect(met()).toEqual(expect.arrayContaining([`multicast on ${HOME}`]))
  await world.settle(session.abort())
})

scenario('peers are connected to from the outgoing interface, and from no other while it is gone', (world) => {
  const torrent = new TestTorrent()
  const seed = seedOf(world, torrent)
  const client = new SimClient(world, 'client', torrent, { address: HOME, settings: { outgoingInterfaces: 'eth1' } })
  client.torrent.connectPeer(seed.endpoint)
  world.run({ minutes: 5 })
  expect(new Set(client.endCodes)).toEqual(new Set(['EADDRNOTAVAIL']))
  expect(seed.alerts('incomingConnection')).toEqual([])
  world.network.renumber(client.host, [HOME, VPN])
  world.run({ seconds: 2 })
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 10 })
  expect(seed.alerts('incomingConnection').map(({ endpoint }) => endpoint.address)).toEqual([VPN])
})

scenario('one torrent is bound to an interface of its own', (world) => {
  const torrent = new TestTorrent()
  const seed = seedOf(world, torrent)
  const client = new SimClient(world, 'client', torrent, { address: [HOME, VPN] })
  expect(() => client.torrent.useInterface('no such:thing')).toThrow('neither an address')
  client.torrent.useInterface(VPN)
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed)
  expect(seed.alerts('incomingConnection').map(({ endpoint }) => endpoint.address)).toEqual([VPN])
})

scenario('a socket for the local network is open, and no tracker is told of it', (world) => {
  const tracker = world.tracker(HTTP)
  const torrent = new TestTorrent({ trackers: [HTTP] })
  const listenInterfaces = `${HOME}:7000,${VPN}:7001l`
  const client = new SimClient(world, 'client', torrent, { address: [HOME, VPN], settings: { listenInterfaces } })
  world.run({ minutes: 1 })
  expect(client.alerts('listenSucceeded').map(({ endpoint }) => endpoint.port)).toEqual([7000, 7001])
  expect(tracker.announces.map(({ peer }) => peer.port)).toEqual([7000])
  const peer = world.peer('peer', { torrent, has: 'none' })
  peer.connect({ address: VPN, port: 7001 })
  world.runUntil(() => client.numPeers === 1)
})

scenario('of several ports that are taken the next free one is found, or none if none may be', (world) => {
  const torrent = new TestTorrent()
  const host = world.host('machine')
  const open = (listenInterfaces: string, maxRetryPortBind: number, listenSystemPortFallback: boolean) =>
    new SimClient(world, host, torrent, { settings: { listenInterfaces, maxRetryPortBind, listenSystemPortFallback } })
  const clients = [
    open('0.0.0.0:7000', 0, false),
    open('0.0.0.0:7000', 3, false),
    open('0.0.0.0:7000', 0, false),
    open('0.0.0.0:7000', 1, true),
  ]
  world.run({ seconds: 1 })
  const [first, second, third, fourth] = clients.map(({ session }) => session.listenPort)
  expect([first, second, third]).toEqual([7000, 7001, 0])
  expect(fourth).toBeGreaterThan(7001)
  expect(clients[2].alerts('listenFailed').map(({ error }) => error.code)).toEqual(['EADDRINUSE'])
})

scenario(
  'of five hundred peers that do not answer no more are tried at a time than the half-open limit says',
  (world) => {
    const addresses = Array.from({ length: 500 }, (_, i) => `70.0.${i >> 8}.${i & 255}`)
    for (const address of addresses) world.network.blackHole(address)
    const torrents = [1, 2].map((seed) => new TestTorrent({ seed, name: `t${seed}` }))
    const peers = addresses.map((address) => ({ address, port: 6881 }))
    const client = new SimClient(world, 'client', torrents[0], {
      settings: { connectionSpeed: 200, torrentConnectBoost: 100 },
      add: { peers: peers.slice(0, 250) },
    })
    client.session.setMaxHalfOpenConnections(20)
    client.session.addTorrent({
      ti: torrents[1].info(),
      savePath: '/save',
      autoManaged: false,
      peers: peers.slice(250),
    })
    expect(client.session.maxHalfOpenConnections).toBe(20)
    let most = 0
    for (let i = 0; i < 600; i++) {
      world.run({ ms: 500 })
      most = Math.max(most, client.session.numConnections)
    }
    expect(most).toBe(20)
    // All of them had their turn.
    expect(new Set(client.endings.map(({ address }) => address)).size).toBeGreaterThan(300)
    client.session.setMaxHalfOpenConnections(-1)
    expect(client.session.maxHalfOpenConnections).toBe(-1)
    world.run({ seconds: 10 })
    expect(client.session.numConnections).toBeGreaterThan(20)
  },
)
