import { expect } from 'vitest'
import type { SimPeerConnection } from '../../../sim/simPeer.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { PEX_PEERS_PER_HOUR } from '../../../src/extensions/pexQuota.ts'
import { FORGIVEN_FAILURES, MAX_ATTEMPTS_AT_ONCE } from '../../../src/peers/attemptBook.ts'
import { encodeUtPex, type PexPeer } from '../../../src/wire/utPexMessage.ts'
import { cpuTime } from '../../cpuTime.ts'
import { type ClientOptions, SimClient } from '../../sim/client.ts'
import { extensionPeer, theirId } from '../../sim/extensionPeer.ts'
import { scenario } from '../../sim/scenario.ts'

// Hostile inputs, line 24.

const ONCE = { seeds: 1 }
const torrent = new TestTorrent({ size: 100_000 })
const hidden = new TestTorrent({ size: 100_000, private: true })
const MESSAGES = new Map([['ut_pex', 29]])
/** Our number for it. */
const PEX_ID = 1

const peer = (n: number): PexPeer => ({
  address: `70.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
  port: 6881,
  flags: 0,
})
const peers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => peer(from + i))

/** Nobody is dialled, so that nothing but what was named is in the list. */
const QUIET: ClientOptions = { settings: { connectionSpeed: 0, torrentConnectBoost: 0 } }

function sceneOf(world: Parameters<Parameters<typeof scenario>[1]>[0], options: ClientOptions = QUIET, of = torrent) {
  const client = new SimClient(world, 'client', of, options)
  world.run({ seconds: 1 })
  let tellers = 0
  const newPeer = () => extensionPeer(world, `teller${tellers++}`, of, { messages: MESSAGES })
  const teller = (from = newPeer()) => {
    const connection = from.connect(client.endpoint)
    world.run({ seconds: 1 })
    return connection
  }
  return { client, teller, newPeer }
}

function say(to: SimPeerConnection, added: readonly PexPeer[], dropped: readonly PexPeer[] = []): void {
  to.send((writer) => writer.extended(PEX_ID, encodeUtPex({ added, dropped })))
}

const known = (client: SimClient) => client.torrent.status().listPeers

scenario(
  'a hundred thousand peers in messages of every second: fifty are known, and the sender is gone',
  (world) => {
    const { client, teller } = sceneOf(world)
    const flood = teller()
    const before = known(client)
    const begin = cpuTime()
    for (let i = 0; i < 7; i++) {
      say(flood, peers(i * 80_000, (i + 1) * 70_000 + i * 10_000))
      world.run({ seconds: 1 })
    }
    expect(cpuTime() - begin).toBeLessThan(5000)
    expect(client.endCodes).toEqual(['tooFrequentPex'])
    expect(known(client) - before).toBe(50)
  },
  ONCE,
)

scenario(
  'one message of a hundred thousand peers is too long, and nothing of it is read',
  (world) => {
    const { client, teller } = sceneOf(world)
    const flood = teller()
    const before = known(client)
    say(flood, peers(0, 100_000))
    world.run({ seconds: 5 })
    expect(client.endCodes).toEqual(['pexMessageTooLarge'])
    expect(known(client) - before).toBe(0)
  },
  ONCE,
)

scenario(
  'whoever takes back peers to name others, hour after hour, and comes again, adds so many an hour and no more',
  (world) => {
    const { client, teller, newPeer } = sceneOf(world)
    const from = newPeer()
    let at = 0
    const before = known(client)
    for (let come = 0; come < 3; come++) {
      const churn = teller(from)
      for (let minute = 0; minute < 10; minute++) {
        say(churn, peers(at + 50, at + 100), peers(at, at + 50))
        at += 50
        world.run({ minutes: 1 })
      }
      churn.close()
      world.run({ seconds: 1 })
    }
    expect(at).toBeGreaterThan(PEX_PEERS_PER_HOUR)
    expect(known(client) - before).toBeLessThanOrEqual(PEX_PEERS_PER_HOUR + 1)
    expect(known(client) - before).toBeGreaterThanOrEqual(PEX_PEERS_PER_HOUR - 1)
    // Others are heard all the same.
    say(teller(), peers(500_000, 500_010))
    world.run({ seconds: 1 })
    expect(known(client) - before).toBeGreaterThanOrEqual(PEX_PEERS_PER_HOUR + 9)
  },
  ONCE,
)

scenario(
  'addresses nobody can be at, or that are ours or on our network, are not taken',
  (world) => {
    const { client, teller } = sceneOf(world, { settings: {} })
    const mischief = teller()
    const odd = [
      '127.0.0.1',
      '0.0.0.0',
      '10.0.0.1',
      '192.168.1.1',
      '172.16.0.1',
      '169.254.1.1',
      '100.64.0.1',
      '224.0.0.1',
    ]
    const odd6 = ['::1', '::', 'fe80::1', 'fc00::1', 'ff02::1']
    const ours = client.endpoint.address
    say(
      mischief,
      [...odd, ...odd6].map((address) => ({ address, port: 6881, flags: 0 })),
    )
    say(
      mischief,
      [0, 1].map((port) => ({ address: '70.0.0.9', port, flags: 0 })),
    )
    const before = known(client)
    say(mischief, [{ address: ours, port: 6881, flags: 0 }])
    world.run({ minutes: 2 })
    const dialled = client.alerts('peerConnect').map(({ endpoint }) => endpoint.address)
    for (const address of [...odd, ...odd6, '70.0.0.9']) expect(dialled).not.toContain(address)
    // Until the world has told us our address we may find ourselves once.
    expect(dialled.filter((address) => address === ours).length).toBeLessThanOrEqual(1)
    expect(known(client) - before).toBeLessThanOrEqual(1)
  },
  ONCE,
)

for (const noConnectPrivilegedPorts of [true, false]) {
  scenario(
    `ports of other services are ${noConnectPrivilegedPorts ? 'never' : 'not often'} knocked at`,
    (world) => {
      const { client, teller } = sceneOf(world, { settings: { noConnectPrivilegedPorts } })
      const ports = [19, 25, 53, 80]
      for (let come = 0; come < 30; come++) {
        const mischief = teller()
        say(
          mischief,
          ports.map((port) => ({ address: '70.0.0.9', port, flags: 0 })),
        )
        world.run({ minutes: 1 })
        mischief.close()
      }
      const visits = client.alerts('peerConnect').filter(({ endpoint }) => endpoint.address === '70.0.0.9')
      expect(visits.length).toBeLessThanOrEqual(
        noConnectPrivilegedPorts ? 0 : MAX_ATTEMPTS_AT_ONCE + FORGIVEN_FAILURES + 5,
      )
    },
    ONCE,
  )
}

scenario(
  'a private torrent hears nothing',
  (world) => {
    const { client, teller } = sceneOf(world, QUIET, hidden)
    const mischief = teller()
    const before = known(client)
    expect(theirId(mischief, 'ut_pex')).toBe(0)
    for (let i = 0; i < 20; i++) say(mischief, peers(i, i + 10))
    world.run({ minutes: 2 })
    expect(known(client) - before).toBe(0)
    expect(client.endings).toEqual([])
  },
  ONCE,
)
