import { expect } from 'vitest'
import type { HostOptions, SimHost } from '../../sim/simHost.ts'
import type { SimProgram } from '../../sim/simProgram.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { type Endpoint, endpointText } from '../../src/address/endpoint.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { LocalDiscovery } from '../../src/lsd/localDiscovery.ts'
import type { LocalDiscoveryHost } from '../../src/lsd/localDiscoveryHost.ts'
import { LSD_GROUP_V4, LSD_PORT } from '../../src/lsd/lsdMessage.ts'
import { DEFAULT_LSD_SETTINGS, type LsdSettings } from '../../src/lsd/lsdSettings.ts'
import { latin1 } from '../../src/util/bytes.ts'
import { Sha1Hash } from '../../src/util/digest.ts'
import { scenario } from './scenario.ts'

/** A program that has nothing but local discovery, and the peers it heard of. */
class LsdClient implements LocalDiscoveryHost {
  readonly host: SimHost
  readonly program: SimProgram
  readonly lsd: LocalDiscovery
  readonly settings: LsdSettings
  readonly heard: { readonly hash: string; readonly peer: string; readonly at: number }[] = []
  readonly errors: string[] = []
  port = 6881

  constructor(
    private readonly world: SimWorld,
    on: string | SimHost,
    options: HostOptions = {},
    settings: Partial<LsdSettings> = {},
  ) {
    this.host = typeof on === 'string' ? world.host(on, { latency: 1, ...options }) : on
    this.program = world.start(this.host)
    this.settings = { ...DEFAULT_LSD_SETTINGS, ...settings }
    this.lsd = new LocalDiscovery(this)
    this.lsd.start()
  }

  get platform() {
    return this.program.platform
  }

  /** Where it listens; null: everywhere. */
  listensAt: string | null = null

  listenPort(address: string): number {
    return this.listensAt === null || this.listensAt === address ? this.port : 0
  }

  onLocalPeer(infoHash: Sha1Hash, peer: Endpoint): void {
    this.heard.push({ hash: infoHash.toHex().slice(0, 4), peer: endpointText(peer), at: this.world.time.elapsed })
  }

  onLocalDiscoveryError(address: string): void {
    this.errors.push(address)
  }

  /** What it heard, each once. */
  get news(): readonly string[] {
    return [...new Set(this.heard.map(({ hash, peer }) => `${hash} at ${peer}`))].sort()
  }
}

const hash = (n: number) => Sha1Hash.fromHex(n.toString(16).padStart(4, '0').padEnd(40, '7'))

scenario('two neighbours find each other within seconds, and not themselves', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  bob.port = 7000
  alice.lsd.add(hash(1))
  bob.lsd.add(hash(1))
  bob.lsd.add(hash(2))
  world.run({ seconds: 2 })
  expect(alice.news).toEqual(['0001 at 192.168.1.3:7000', '0002 at 192.168.1.3:7000'])
  expect(bob.news).toEqual(['0001 at 192.168.1.2:6881'])
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario('by IPv6 as well', (world) => {
  const alice = new LsdClient(world, 'alice', { address: ['2001:db8::2', 'fe80::2'] })
  const bob = new LsdClient(world, 'bob', { address: ['2001:db8::3'] })
  alice.lsd.add(hash(1))
  world.run({ seconds: 2 })
  expect(bob.news).toEqual(['0001 at [2001:db8::2]:6881'])
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario(
  'programs of one machine that listen at loopback alone find each other there, which others do not hear',
  (world) => {
    const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
    const neighbour = new LsdClient(world, alice.host)
    const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
    alice.listensAt = '127.0.0.1'
    neighbour.listensAt = '127.0.0.1'
    neighbour.port = 7000
    alice.lsd.add(hash(1))
    neighbour.lsd.add(hash(1))
    world.run({ seconds: 2 })
    expect(alice.news).toEqual(['0001 at 127.0.0.1:7000'])
    expect(neighbour.news).toEqual(['0001 at 127.0.0.1:6881'])
    expect(bob.news).toEqual([])
    for (const { lsd } of [alice, neighbour, bob]) lsd.stop()
  },
)

scenario('each torrent has a small packet of its own: some clients read no more', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = world.start(world.host('bob', { latency: 1, address: '192.168.1.3' }))
  const packets: string[] = []
  const networkInterface = { name: 'eth0', address: '192.168.1.3', prefixLength: 24 }
  const options = { networkInterface, group: LSD_GROUP_V4, port: LSD_PORT, ttl: 1, broadcast: false }
  const onPacket = (packet: Uint8Array) => void packets.push(latin1(packet))
  let close = () => {}
  bob.platform.localNetwork.bindMulticast(options, { onPacket, onError: () => {} }, (socket) => {
    if (!(socket instanceof LibtorrentError)) close = () => socket.close()
  })
  for (let i = 1; i <= 5; i++) alice.lsd.add(hash(i))
  world.run({ seconds: 1 })
  expect(packets.map((packet) => packet.match(/infohash/gi)?.length)).toEqual([1, 1, 1, 1, 1])
  expect(Math.max(...packets.map(({ length }) => length))).toBeLessThanOrEqual(200)
  alice.lsd.stop()
  close()
})

scenario('a torrent is announced every five minutes, each time three times', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  alice.lsd.add(hash(1))
  world.run({ minutes: 12 })
  const first = bob.heard[0].at
  const times = bob.heard.map(({ at }) => Math.round((at - first) / 1000))
  expect(times).toEqual([0, 2, 6, 300, 302, 306, 600, 602, 606])
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario('a torrent that comes and goes is announced once a minute at most', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  for (let second = 0; second < 300; second += 5) {
    alice.lsd.add(hash(1))
    world.run({ seconds: 3 })
    alice.lsd.remove(hash(1))
    world.run({ seconds: 2 })
  }
  // Three copies of each.
  expect(bob.heard.length).toBeLessThanOrEqual(3 * 5)
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario('two thousand torrents make one announce a minute, and each has its turn', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  for (let i = 1; i <= 2000; i++) alice.lsd.add(hash(i))
  world.run({ minutes: 85 })
  const announces = new Set(bob.heard.map(({ at }) => at)).size / 3
  expect(announces).toBeLessThanOrEqual(85 + 5)
  expect(bob.news).toHaveLength(2000)
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario('nothing is announced where we do not listen, and at once when we do', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  alice.port = 0
  alice.lsd.add(hash(1))
  world.run({ minutes: 10 })
  expect(bob.heard).toEqual([])
  alice.port = 6999
  alice.lsd.networkChanged()
  world.run({ seconds: 2 })
  expect(bob.news).toEqual(['0001 at 192.168.1.2:6999'])
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario('other networks hear nothing', (world) => {
  const alice = new LsdClient(world, 'alice', { address: ['192.168.1.2', '10.0.0.2'] })
  const bob = new LsdClient(world, 'bob', { address: '10.0.0.3' })
  const carol = new LsdClient(world, 'carol', { address: '10.0.9.3' })
  alice.lsd.add(hash(1))
  world.run({ minutes: 6 })
  expect(bob.news).toEqual(['0001 at 10.0.0.2:6881'])
  expect(carol.news).toEqual([])
  for (const { lsd } of [alice, bob, carol]) lsd.stop()
})

scenario('with broadcast_lsd announces are sent to everybody too', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' }, { broadcastLsd: true })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  alice.lsd.add(hash(1))
  world.run({ seconds: 1 })
  expect(bob.heard).toHaveLength(2)
  for (const { lsd } of [alice, bob]) lsd.stop()
})

scenario('nothing is sent after the end, and it can be started again', (world) => {
  const alice = new LsdClient(world, 'alice', { address: '192.168.1.2' })
  const bob = new LsdClient(world, 'bob', { address: '192.168.1.3' })
  alice.lsd.add(hash(1))
  world.run({ seconds: 1 })
  alice.lsd.stop()
  const before = bob.heard.length
  world.run({ minutes: 20 })
  expect(bob.heard).toHaveLength(before)
  alice.lsd.start()
  world.run({ seconds: 1 })
  expect(bob.heard.length).toBeGreaterThan(before)
  for (const { lsd } of [alice, bob]) lsd.stop()
})
