import { expect } from 'vitest'
import type { NatKind, NatOptions } from '../../sim/simNat.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { EncPolicy } from '../../src/settings/settingEnums.ts'
import type { Settings } from '../../src/settings/settings.ts'
import type { AddTorrentParams } from '../../src/torrent/addTorrentParams.ts'
import { PeerFlags, type PeerInfo } from '../../src/torrent/peerInfo.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const UTP = { enableOutgoingUtp: true, enableIncomingUtp: true, closeRedundantConnections: false }
const SEED_ADDRESS = '70.0.0.1'
const LEECHER_ADDRESS = '80.0.0.1'

const content = new TestTorrent({ size: 300_000, pieceLength: 32 * 1024 })

interface MeetingOptions {
  readonly seedNat: NatOptions
  readonly leecherNat: NatOptions
  readonly addresses?: { readonly seed: string; readonly leecher: string; readonly relay: string }
  /** Of all three. */
  readonly settings?: Partial<Settings>
  /** Of the relay, beside `settings`. */
  readonly relaySettings?: Partial<Settings>
  readonly torrent?: TestTorrent
  /** Seconds by which the leecher finds the relay later than the seed does. */
  readonly leecherLate?: number
  /** Of packets, on the lines of the two. */
  readonly loss?: number
  /** Parameters of the seed's torrent. */
  readonly seedAdd?: Partial<AddTorrentParams>
}

/** A seed and a leecher behind routers, and a relay in the open, which wants nothing itself, that both connect to. */
function meeting(world: SimWorld, options: MeetingOptions) {
  const { seedNat, leecherNat, addresses, torrent = content } = options
  const settings = { ...UTP, ...options.settings }
  const relay = new SimClient(world, 'relay', torrent, {
    settings: { ...settings, ...options.relaySettings },
    add: { filePriorities: [0] },
    address: addresses?.relay ?? '60.0.0.1',
  })
  const seed = new SimClient(world, 'seed', torrent, {
    has: 'all',
    add: options.seedAdd,
    settings,
    address: addresses?.seed ?? '192.168.1.2',
    nat: seedNat,
    loss: options.loss,
  })
  const leecher = new SimClient(world, 'leecher', torrent, {
    settings,
    address: addresses?.leecher ?? '192.168.2.2',
    nat: leecherNat,
    loss: options.loss,
  })
  world.run({ seconds: 2 })
  seed.torrent.connectPeer(relay.endpoint)
  world.run({ seconds: options.leecherLate ?? 0 })
  leecher.torrent.connectPeer(relay.endpoint)
  return { relay, seed, leecher }
}

function peerAt(client: SimClient, address: string): PeerInfo | undefined {
  return client.torrent.getPeerInfo().find((peer) => peer.ip.address === address)
}

const KINDS: readonly NatKind[] = ['fullCone', 'addressRestricted', 'portRestricted', 'symmetric']

/** The port a symmetric router opens is unknown to the other side: only whoever lets any port in can be met. */
function canMeet(a: NatKind, b: NatKind): boolean {
  const isStrict = (kind: NatKind) => kind === 'portRestricted' || kind === 'symmetric'
  return !(a === 'symmetric' && isStrict(b)) && !(b === 'symmetric' && isStrict(a))
}

for (const a of KINDS) {
  for (const b of KINDS) {
    const nats = {
      seedNat: { kind: a, externalAddress: SEED_ADDRESS },
      leecherNat: { kind: b, externalAddress: LEECHER_ADDRESS },
    }
    if (canMeet(a, b)) {
      scenario(`a ${a} and a ${b} NAT are met through a relay`, (world) => {
        const { seed, leecher } = meeting(world, nats)
        world.runUntil(() => leecher.torrent.isSeed, { minutes: 6 })
        const peer = peerAt(leecher, SEED_ADDRESS)
        expect(peer?.totalDownload).toBeGreaterThanOrEqual(content.totalSize)
        expect((peer?.flags ?? 0) & PeerFlags.utpSocket).toBe(PeerFlags.utpSocket)
        expect(peerAt(seed, LEECHER_ADDRESS)).toBeDefined()
      })
    } else {
      scenario(
        `a ${a} and a ${b} NAT do not meet, and the attempts end`,
        (world) => {
          const { seed, leecher } = meeting(world, nats)
          world.run({ minutes: 60 })
          expect(leecher.torrent.isSeed).toBe(false)
          const tries = (client: SimClient) => client.alerts('peerConnect').length
          const sofar = tries(seed) + tries(leecher)
          expect(sofar).toBeLessThan(60)
          world.run({ minutes: 60 })
          expect(tries(seed) + tries(leecher) - sofar).toBeLessThan(20)
        },
        { seeds: 1 },
      )
    }
  }
}

const PORT_RESTRICTED = {
  seedNat: { kind: 'portRestricted', externalAddress: SEED_ADDRESS },
  leecherNat: { kind: 'portRestricted', externalAddress: LEECHER_ADDRESS },
} as const

const KEEPS_PORTS = {
  seedNat: { ...PORT_RESTRICTED.seedNat, keepsPorts: true },
  leecherNat: { ...PORT_RESTRICTED.leecherNat, keepsPorts: true },
} as const

scenario('routers that keep ports are no different', (world) => {
  const { leecher } = meeting(world, KEEPS_PORTS)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 6 })
})

scenario('a relay that is reached by TCP knows the ports that routers keep', (world) => {
  const { relay, leecher } = meeting(world, {
    ...KEEPS_PORTS,
    relaySettings: { enableIncomingUtp: false },
  })
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 6 })
  expect(relay.torrent.getPeerInfo().every(({ flags }) => (flags & PeerFlags.utpSocket) === 0)).toBe(true)
})

scenario('two behind IPv6 firewalls are met through a relay, though only one of them heard of the other', (world) => {
  const { seed, leecher } = meeting(world, {
    seedAdd: { disablePex: true },
    seedNat: { kind: 'firewall' },
    leecherNat: { kind: 'firewall' },
    addresses: { seed: '2001:db8:1::2', leecher: '2001:db8:2::2', relay: '2001:db8:3::2' },
    settings: { listenInterfaces: '[::]:6881' },
  })
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 6 })
  const met = [...leecher.torrent.getPeerInfo(), ...seed.torrent.getPeerInfo()]
  expect(met.some(({ flags }) => (flags & PeerFlags.holepunched) !== 0)).toBe(true)
})

scenario('peers that speak encrypted only are met through a relay', (world) => {
  const { leecher } = meeting(world, {
    ...PORT_RESTRICTED,
    settings: { outEncPolicy: EncPolicy.forced, inEncPolicy: EncPolicy.forced },
  })
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 6 })
  const encrypted = PeerFlags.rc4Encrypted | PeerFlags.plaintextEncrypted
  expect((peerAt(leecher, SEED_ADDRESS)?.flags ?? 0) & encrypted).not.toBe(0)
})

scenario('keep-alives are sent before routers forget', (world) => {
  const { seed, leecher } = meeting(world, {
    seedNat: { ...PORT_RESTRICTED.seedNat, timeout: 90_000 },
    leecherNat: { ...PORT_RESTRICTED.leecherNat, timeout: 90_000 },
  })
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 6 })
  world.run({ minutes: 10 })
  expect(peerAt(leecher, SEED_ADDRESS)).toBeDefined()
  expect(peerAt(seed, LEECHER_ADDRESS)).toBeDefined()
})

scenario('members of a private torrent are introduced to nobody', (world) => {
  const secret = new TestTorrent({ size: 100_000, private: true })
  const { leecher } = meeting(world, { ...PORT_RESTRICTED, torrent: secret })
  // A tracker named it, and peers that meet elsewhere know that it can punch.
  leecher.torrent.connectPeer({ address: SEED_ADDRESS, port: 6881 })
  world.run({ minutes: 5 })
  expect(leecher.torrent.isSeed).toBe(false)
})

scenario('one that is told of the other while it still tries by itself gives that up', (world) => {
  const { leecher } = meeting(world, { ...PORT_RESTRICTED, leecherLate: 40 })
  world.runUntil(() => leecher.torrent.isSeed, { seconds: 35 })
})

scenario(
  'lines that lose packets keep nobody apart for long',
  (world) => {
    const { leecher } = meeting(world, { ...KEEPS_PORTS, loss: 0.1 })
    world.runUntil(() => leecher.torrent.isSeed, { minutes: 15 })
  },
  { seeds: 10 },
)
