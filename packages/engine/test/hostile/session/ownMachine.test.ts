import { expect } from 'vitest'
import type { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { type Endpoint, isV6 } from '../../../src/address/endpoint.ts'
import type { Settings } from '../../../src/settings/settings.ts'
import { SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'

// Hostile inputs, trackers: one that names peers at 127.0.0.1 would have us knock at the services of this machine.

const OWN_MACHINE: Endpoint[] = [
  { address: '127.0.0.1', port: 8332 },
  { address: '127.9.9.9', port: 9050 },
  { address: '::1', port: 6379 },
]

/** A client whose tracker, at `at`, names services of the client's machine. Who was tried, and who was blocked as what. */
function toldOfItself(world: SimWorld, at: string, settings: Partial<Settings> = {}) {
  const tracker = world.tracker(`${at}/announce`, { interval: 300 })
  tracker.answerNext(...Array.from({ length: 5 }, () => ({ peers: OWN_MACHINE })))
  const torrent = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
  const client = new SimClient(world, 'client', torrent, { settings })
  world.run({ minutes: 10 })
  return {
    tried: new Set(client.alerts('peerConnect').map(({ endpoint }) => endpoint.address)),
    blocked: new Set(client.alerts('peerBlocked').map(({ ip, reason }) => `${ip} ${reason}`)),
    known: client.torrent.status().listPeers,
  }
}

for (const at of ['http://60.0.0.9', 'udp://60.0.0.9:6969', 'http://tracker.example']) {
  scenario(`a tracker on the internet (${at}) leads nobody to services of its own machine`, (world) => {
    const { tried, blocked, known } = toldOfItself(world, at)
    expect([...tried]).toEqual([])
    expect(known).toBe(0)
    // An answer by UDP has addresses of one family only.
    const named = OWN_MACHINE.filter(({ address }) => !isV6(address) || at.startsWith('http'))
    expect([...blocked].sort()).toEqual(named.map(({ address }) => `${address} ssrfMitigation`).sort())
  })
}

scenario('a tracker in our own network may name peers of this machine', (world) => {
  const { tried, blocked } = toldOfItself(world, 'http://10.0.0.9')
  expect([...tried].sort()).toEqual(OWN_MACHINE.map(({ address }) => address).sort())
  expect([...blocked]).toEqual([])
})

scenario('any tracker may, where ssrfMitigation is off', (world) => {
  const { tried } = toldOfItself(world, 'http://60.0.0.9', { ssrfMitigation: false })
  expect([...tried].sort()).toEqual(OWN_MACHINE.map(({ address }) => address).sort())
})
