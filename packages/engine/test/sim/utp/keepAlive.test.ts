import { describe, expect } from 'vitest'
import type { NatKind } from '../../../sim/simNat.ts'
import type { SimWorld } from '../../../sim/simWorld.ts'
import { scenario } from '../scenario.ts'
import { connectTo, type Endpoints, pattern, utpOn } from './utpScene.ts'

const MAPPING_MS = 30_000

function behind(world: SimWorld, name: string, kind: NatKind, address: string): Endpoints {
  const nat = { kind, externalAddress: address, timeout: MAPPING_MS }
  return utpOn(world, world.host(name, { address: `192.168.${name.length}.2`, nat }))
}

/** Packets that have left. */
const packetsOf = ({ utp }: Endpoints) => utp.counters.packetsOut

describe('a connection that says nothing for five minutes', () => {
  for (const kind of ['portRestricted', 'symmetric', 'firewall'] as const) {
    for (const first of ['inside', 'outside'] as const) {
      scenario(`stands behind a router that forgets after 30 seconds: ${kind}, ${first} speaks first`, (world) => {
        const inside = kind === 'firewall' ? utpFirewalled(world) : behind(world, 'in', kind, '70.0.0.1')
        const outside = utpOn(world, world.host('out', { address: '60.0.0.1' }))
        const { near, far } = connectTo(world, inside, outside)
        world.run({ minutes: 5 })
        const [speaker, listener] = first === 'inside' ? [near, far] : [far, near]
        speaker.stream.write(pattern(0, 5000))
        world.run({ seconds: 2 })
        expect(listener.received).toBe(5000)
        listener.stream.write(pattern(0, 5000))
        world.run({ seconds: 2 })
        expect([speaker.received, speaker.isIntact, listener.isIntact]).toEqual([5000, true, true])
        expect([near.closed, far.closed]).toEqual([undefined, undefined])
        inside.close()
        outside.close()
      })
    }
  }

  scenario('costs a packet in 29 seconds on each side, and nobody takes one for a loss', (world) => {
    const a = utpOn(world, world.host('a', { address: '60.0.0.1' }))
    const b = utpOn(world, world.host('b', { address: '60.0.0.2' }))
    const { near, far } = connectTo(world, a, b)
    near.stream.write(pattern(0, 100_000))
    far.stream.write(pattern(0, 100_000))
    world.run({ seconds: 20 })
    const before = [packetsOf(a), packetsOf(b)]
    const losses = ({ utp }: Endpoints) => utp.counters.packetLoss + utp.counters.timeout
    const lost = [losses(a), losses(b)]
    world.run({ minutes: 29 })
    expect([packetsOf(a) - before[0], packetsOf(b) - before[1]]).toEqual([60, 60])
    expect([losses(a), losses(b)]).toEqual(lost)
    near.stream.write(pattern(100_000, 100_000))
    world.run({ seconds: 20 })
    expect([far.received, far.isIntact]).toEqual([200_000, true])
    a.close()
    b.close()
  })

  scenario('is silent on the own network, where no router is between', (world) => {
    const a = utpOn(world, world.host('a', { address: '192.168.1.2' }))
    const b = utpOn(world, world.host('b', { address: '192.168.1.3' }))
    connectTo(world, a, b)
    world.run({ seconds: 20 })
    const before = [packetsOf(a), packetsOf(b)]
    world.run({ minutes: 30 })
    expect([packetsOf(a), packetsOf(b)]).toEqual(before)
    a.close()
    b.close()
  })

  scenario('learns that the other side has forgotten it', (world) => {
    const a = utpOn(world, world.host('a', { address: '60.0.0.1' }))
    const host = world.host('b', { address: '60.0.0.2' })
    const b = utpOn(world, host)
    const { near } = connectTo(world, a, b)
    world.run({ seconds: 5 })
    // It goes without a word, and comes back.
    b.socket.close()
    b.utp.close()
    const again = utpOn(world, host)
    world.run({ seconds: 30 })
    expect(near.closed).toMatchObject({ code: 'ECONNRESET' })
    a.close()
    again.close()
  })
})

scenario('keep-alives beside packets that are on their way make nobody send these again', (world) => {
  const a = utpOn(world, world.host('a', { address: '60.0.0.1', latency: 1000 }))
  const b = utpOn(world, world.host('b', { address: '60.0.0.2', latency: 1000 }))
  const { near, far } = connectTo(world, a, b)
  // Small words, each sent about when the other side's keep-alive is due.
  for (let i = 0; i < 40; i++) {
    world.run({ ms: 27_000 + i * 100 })
    near.stream.write(pattern(i * 10, 10))
  }
  world.run({ seconds: 10 })
  expect([far.received, far.isIntact]).toEqual([400, true])
  expect(a.utp.counters.fastRetransmit).toBe(0)
  expect(a.utp.counters.packetLoss).toBe(0)
  a.close()
  b.close()
})

function utpFirewalled(world: SimWorld): Endpoints {
  return utpOn(world, world.host('in', { address: '70.0.0.1', nat: { kind: 'firewall', timeout: MAPPING_MS } }))
}
