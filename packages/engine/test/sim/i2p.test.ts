import { describe, expect } from 'vitest'
import { SamBridge, testAddress, testDestination } from '../../sim/samBridge.ts'
import type { SimHost } from '../../sim/simHost.ts'
import { SimProcess } from '../../sim/simProcess.ts'
import { SimTcp } from '../../sim/simTcp.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { bencode } from '../../src/bencode/bencode.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { fromBase32 } from '../../src/util/base32.ts'
import { concatBytes, fromLatin1, latin1 } from '../../src/util/bytes.ts'
import { SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const TRACKER = 'http://tracker.i2p/announce'
const CLEAR = 'http://tracker.example/announce'

interface I2p {
  readonly bridge: SamBridge
  readonly host: SimHost
  readonly settings: Partial<Settings>
}

function i2pIn(world: SimWorld): I2p {
  const host = world.host('router')
  const bridge = new SamBridge(new SimTcp(new SimProcess(world.network, host)))
  return { bridge, host, settings: { i2pHostname: host.address, i2pPort: 7656 } }
}

/** A tracker inside I2P that remembers who announces, and what with. */
class Tracker {
  readonly announces: URLSearchParams[] = []
  private readonly swarm = new Set<string>()

  constructor(
    { bridge }: I2p,
    private readonly answer: 'compact' | 'full' = 'compact',
  ) {
    bridge.serve('tracker.i2p', (client) => {
      let request = ''
      client.setHandler({
        onConnected: () => {},
        onDrain: () => {},
        onClosed: () => {},
        onData: (chunk) => {
          request += latin1(chunk)
          if (!request.endsWith('\r\n\r\n')) return
          const query = new URL(request.split(' ')[1], 'http://tracker.i2p').searchParams
          this.announces.push(query)
          this.swarm.add((query.get('ip') ?? '').replace(/\.i2p$/, ''))
          client.write(this.reply())
        },
      })
    })
  }

  private reply(): Uint8Array {
    const peers = [...this.swarm]
    const list =
      this.answer === 'full'
        ? peers.map((destination) => ({ ip: `${destination}.i2p`, port: 6881 }))
        : concatBytes(...peers.map((destination) => fromBase32(testAddress(destination).slice(0, 52)) as Uint8Array))
    const body = bencode({ interval: 1800, peers: list, 'external ip': Uint8Array.of(1, 2, 3, 4) })
    return concatBytes(fromLatin1(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body)
  }
}

describe('torrents of I2P', () => {
  for (const answer of ['compact', 'full'] as const) {
    scenario(`find each other by a tracker that answers in its ${answer} form, and share content`, (world) => {
      const i2p = i2pIn(world)
      const tracker = new Tracker(i2p, answer)
      const torrent = new TestTorrent({ size: 500_000, trackers: [TRACKER] })
      const seed = seedOf(world, torrent, { settings: i2p.settings })
      world.run({ seconds: 10 })
      const leech = new SimClient(world, 'leech', torrent, { settings: i2p.settings })
      world.runUntil(() => leech.torrent.isSeed, { minutes: 5 })

      const [ofSeed, ofLeech] = i2p.bridge.destinations.map(testAddress)
      expect([seed.session.i2pAddress, leech.session.i2pAddress]).toEqual([ofSeed, ofLeech])
      expect(leech.alerts('peerConnect').map(({ socketType }) => socketType)).toContain('i2p')
      const incoming = [...seed.alerts('incomingConnection'), ...leech.alerts('incomingConnection')]
      expect(incoming.map(({ socketType }) => socketType)).toContain('i2p')
      expect(leech.torrent.isSeed).toBe(true)
      // Nobody's address was asked for, told or learned.
      for (const announce of tracker.announces) {
        expect(announce.get('port')).toBe('6881')
        expect(announce.get('ip')).toMatch(/^[A-Za-z0-9~-]+=*\.i2p$/)
      }
      const ids = new Set(tracker.announces.map((announce) => announce.get('peer_id')))
      expect(ids.size).toBe(2)
      expect(leech.alerts('externalIp')).toEqual([])
    })
  }

  scenario('show their peers by destination, with the flag of I2P', (world) => {
    const i2p = i2pIn(world)
    const torrent = new TestTorrent({ size: 2_000_000 })
    const add = { i2pTorrent: true }
    const seed = seedOf(world, torrent, { settings: i2p.settings, add, up: 100_000 })
    const leech = new SimClient(world, 'leech', torrent, { settings: i2p.settings, add })
    world.runUntil(() => leech.session.i2pAddress !== '')
    leech.torrent.connectPeer({ address: seed.session.i2pAddress.toUpperCase(), port: 0 })
    world.runUntil(() => leech.torrent.getPeerInfo()[0]?.client !== undefined && seed.numPeers === 1)
    world.run({ seconds: 2 })
    const [info] = leech.torrent.getPeerInfo()
    expect(info.ip).toEqual({ address: seed.session.i2pAddress, port: 6881 })
    expect(info.flags & PeerFlags.i2pSocket).toBe(PeerFlags.i2pSocket)
    expect(seed.torrent.getPeerInfo()[0].ip.address).toBe(leech.session.i2pAddress)
    expect(seed.torrent.getPeerInfo()[0].flags & PeerFlags.i2pSocket).toBe(PeerFlags.i2pSocket)
  })

  scenario('tell their peers of each other (i2p_pex), and none of it to ordinary ones', (world) => {
    const i2p = i2pIn(world)
    const torrent = new TestTorrent({ size: 3_000_000 })
    const settings = { ...i2p.settings, allowI2pMixed: true, closeRedundantConnections: false }
    const add = { i2pTorrent: true }
    const middle = seedOf(world, torrent, { settings, add, up: 20_000 })
    const [first, second] = ['first', 'second'].map(
      (name) => new SimClient(world, name, torrent, { settings: i2p.settings, add }),
    )
    const outside = new SimClient(world, 'outside', torrent, { settings: { closeRedundantConnections: false } })
    world.runUntil(() => [middle, first, second].every(({ session }) => session.i2pAddress !== ''))
    first.torrent.connectPeer({ address: middle.session.i2pAddress, port: 0 })
    second.torrent.connectPeer({ address: middle.session.i2pAddress, port: 0 })
    outside.torrent.connectPeer(middle.endpoint)
    world.runUntil(() => middle.numPeers === 3)
    const met = () => first.torrent.getPeerInfo().map(({ ip }) => ip.address)
    world.runUntil(() => met().includes(second.session.i2pAddress), { minutes: 3 })
    world.run({ minutes: 3 })
    expect(new Set(met())).toEqual(new Set([middle.session.i2pAddress, second.session.i2pAddress]))
    expect(outside.torrent.getPeerInfo().map(({ ip }) => ip.address)).toEqual([middle.host.address])
    expect(outside.torrent.status().listPeers).toBe(1)
    for (const client of [first, second]) expect(client.alerts('peerBlocked')).toEqual([])
  })

  scenario('have nothing to do with ordinary peers, nor ordinary torrents with those in I2P', (world) => {
    const i2p = i2pIn(world)
    const torrent = new TestTorrent({ size: 100_000 })
    const hidden = new SimClient(world, 'hidden', torrent, { settings: i2p.settings, add: { i2pTorrent: true } })
    const open = new SimClient(world, 'open', torrent, { settings: i2p.settings })
    world.runUntil(() => hidden.session.i2pAddress !== '' && open.session.i2pAddress !== '')
    hidden.torrent.connectPeer(open.endpoint)
    open.torrent.connectPeer(hidden.endpoint)
    open.torrent.connectPeer({ address: hidden.session.i2pAddress, port: 6881 })
    world.run({ seconds: 30 })
    const refused = hidden.alerts('peerBlocked').map(({ ip, reason }) => `${ip} ${reason}`)
    // The one it was to connect to, and as often as that one came.
    expect(refused.length).toBeGreaterThan(1)
    expect(new Set(refused)).toEqual(new Set([`${open.host.address} i2pMixed`]))
    expect(open.alerts('peerBlocked')).toMatchObject([{ ip: hidden.session.i2pAddress, reason: 'i2pMixed' }])
    expect([hidden.numPeers, open.numPeers]).toEqual([0, 0])
  })

  scenario('with allowI2pMixed take ordinary peers, until that is over', (world) => {
    const i2p = i2pIn(world)
    const torrent = new TestTorrent({ size: 3_000_000 })
    const seed = seedOf(world, torrent, { up: 50_000 })
    const settings = { ...i2p.settings, allowI2pMixed: true }
    const mixed = new SimClient(world, 'mixed', torrent, { settings, add: { i2pTorrent: true } })
    mixed.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => mixed.numPeers === 1)
    world.run({ seconds: 3 })
    expect(mixed.numPeers).toBe(1)
    void mixed.session.applySettings({ allowI2pMixed: false })
    world.run({ seconds: 1 })
    expect(mixed.numPeers).toBe(0)
    expect(mixed.alerts('peerBlocked')).toMatchObject([{ ip: seed.host.address, reason: 'i2pMixed' }])
  })

  scenario('ask no ordinary tracker, and nobody for the address of one in I2P', (world) => {
    const i2p = i2pIn(world)
    const clear = world.tracker(CLEAR)
    const torrent = new TestTorrent({ trackers: [[CLEAR], [TRACKER]] })
    const client = new SimClient(world, 'client', torrent)
    world.run({ minutes: 1 })
    expect(client.alerts('trackerError')[0]).toMatchObject({ url: TRACKER, error: { code: 'noI2pRouter' } })
    const inI2p = new Tracker(i2p)
    void client.session.setI2pProxy({ hostname: i2p.host.address, port: 7656 })
    world.run({ seconds: 10 })
    expect(inI2p.announces.length).toBe(1)
    expect(new Set(client.alerts('trackerAnnounce').map(({ url }) => url))).toEqual(new Set([TRACKER]))
    expect(clear.announces).toEqual([])
  })
})

describe('the session with the router', () => {
  scenario('is made again when the router was restarted, and trackers are told the new destination', (world) => {
    const i2p = i2pIn(world)
    const tracker = new Tracker(i2p)
    const torrent = new TestTorrent({ trackers: [TRACKER] })
    const client = new SimClient(world, 'client', torrent, { settings: i2p.settings })
    world.run({ minutes: 2 })
    const first = client.session.i2pAddress
    expect(tracker.announces.length).toBe(1)
    i2p.bridge.dropClients()
    world.run({ seconds: 10 })
    expect(client.alerts('i2p').length).toBe(1)
    expect(client.session.i2pAddress).not.toBe(first)
    expect(client.session.i2pAddress).toBe(testAddress(i2p.bridge.destinations[0]))
    expect(tracker.announces.map((announce) => announce.get('ip'))).toEqual([
      `${testDestination('session 1')}.i2p`,
      `${testDestination('session 2')}.i2p`,
    ])
  })

  scenario('is tried less and less often while there is no router', (world) => {
    const empty = world.host('empty')
    const settings = { i2pHostname: empty.address, i2pPort: 7656 }
    const client = new SimClient(world, 'client', new TestTorrent(), { settings })
    world.run({ minutes: 30 })
    const seconds = client.secondsOf('i2p')
    const pauses = seconds.slice(1).map((second, i) => second - seconds[i])
    expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 64, 128])
    expect(Math.max(...pauses)).toBe(300)
    expect(client.alerts('i2p')[0].error).toMatchObject({ code: 'ECONNREFUSED', operation: 'proxy' })
  })

  scenario('ends when the router is taken away', async (world) => {
    const i2p = i2pIn(world)
    const client = new SimClient(world, 'client', new TestTorrent(), { settings: i2p.settings })
    world.runUntil(() => client.session.i2pAddress !== '')
    expect(client.session.i2pProxy).toMatchObject({ type: ProxyType.i2pProxy, hostname: i2p.host.address, port: 7656 })
    void client.session.setI2pProxy({ type: ProxyType.none })
    world.run({ seconds: 1 })
    expect(client.session.i2pAddress).toBe('')
    expect(i2p.bridge.sessions.size).toBe(0)
    expect(client.alerts('i2p')).toEqual([])
    expect(() => client.session.setI2pProxy({ type: ProxyType.socks5 })).toThrow(TypeError)
  })
})
