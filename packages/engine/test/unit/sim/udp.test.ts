import { describe, expect, test } from 'vitest'
import type { HostOptions } from '../../../sim/simHost.ts'
import { SimWorld } from '../../../sim/simWorld.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'

class Port {
  socket: UdpSocket | null = null
  error: LibtorrentError | null = null
  readonly packets: { readonly bytes: Uint8Array; readonly from: Endpoint }[] = []
  readonly lent: Uint8Array[] = []

  constructor(platform: Platform, local: Endpoint) {
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => {
        this.packets.push({ bytes: new Uint8Array(packet), from })
        this.lent.push(packet)
      },
      onError: () => expect.unreachable(),
    }
    platform.udp.bind(local, handler, (result) => {
      if ('code' in result) this.error = result
      else this.socket = result
    })
  }

  get numbers(): number[] {
    return this.packets.map(({ bytes }) => (bytes[0] << 8) | bytes[1])
  }
}

function pair(a: HostOptions = {}, b: HostOptions = {}) {
  const world = new SimWorld()
  const onA = world.platformOf(world.host('a', { address: '1.0.0.1', ...a }))
  const onB = world.platformOf(world.host('b', { address: ['2.0.0.2', '2001:db8::2'], ...b }))
  const from = new Port(onA, { address: '0.0.0.0', port: 1000 })
  const to = new Port(onB, { address: '0.0.0.0', port: 2000 })
  world.run(0)
  const send = (number: number, size = 100) => {
    const packet = new Uint8Array(size)
    packet[0] = number >> 8
    packet[1] = number
    from.socket?.send(packet, { address: '2.0.0.2', port: 2000 })
  }
  return { world, onA, onB, from, to, send }
}

describe('UDP', () => {
  test('a packet arrives as it was when sent, from the address and port it was sent from', () => {
    const { world, from, to } = pair({ latency: 15 }, { latency: 25 })
    const packet = new Uint8Array([1, 2, 3])
    from.socket?.send(packet, { address: '2.0.0.2', port: 2000 })
    packet.fill(9)
    world.run({ ms: 39 })
    expect(to.packets).toEqual([])
    world.run({ ms: 1 })
    expect(to.packets).toEqual([{ bytes: new Uint8Array([1, 2, 3]), from: { address: '1.0.0.1', port: 1000 } }])
    expect([...to.lent[0]]).toEqual([0xdd, 0xdd, 0xdd])
  })

  test('packets to nobody, to another family, to closed ports, or too large vanish', () => {
    const { world, from, to } = pair()
    from.socket?.send(new Uint8Array(1), { address: '9.9.9.9', port: 1 })
    from.socket?.send(new Uint8Array(1), { address: '2.0.0.2', port: 1 })
    from.socket?.send(new Uint8Array(1), { address: '2001:db8::2', port: 2000 })
    from.socket?.send(new Uint8Array(65_508), { address: '2.0.0.2', port: 2000 })
    world.run({ seconds: 1 })
    expect(to.packets).toEqual([])
  })

  test('a port can be bound once, and again after it was closed', () => {
    const { world, onB, to } = pair()
    const clash = new Port(onB, { address: '2.0.0.2', port: 2000 })
    const v6 = new Port(onB, { address: '::', port: 2000 })
    world.run(0)
    expect([clash.error?.code, v6.error]).toEqual(['EADDRINUSE', null])
    to.socket?.close()
    const again = new Port(onB, { address: '2.0.0.2', port: 2000 })
    world.run(0)
    expect(again.error).toBeNull()
  })

  test('losses on both lines add up', () => {
    const { world, to, send } = pair({ loss: 0.1 }, { loss: 0.2 })
    for (let i = 0; i < 20_000; i++) {
      send(i & 0xff)
      if (i % 100 === 0) world.run({ ms: 1 })
    }
    world.run({ seconds: 1 })
    // 0.9 * 0.8 of 20,000; 5 standard deviations of a binomial are 318.
    expect(Math.abs(to.packets.length - 14_400)).toBeLessThan(318)
  })

  test('packets keep their order, unless reordering is asked for; then all still arrive', () => {
    const inOrder = pair()
    const mixed = pair({ reorder: 0.2 })
    for (const { world, send } of [inOrder, mixed]) {
      for (let i = 0; i < 1000; i++) {
        send(i)
        world.run({ ms: 1 })
      }
      world.run({ seconds: 1 })
    }
    const sorted = Array.from({ length: 1000 }, (_, i) => i)
    expect(inOrder.to.numbers).toEqual(sorted)
    expect(mixed.to.numbers).not.toEqual(sorted)
    expect([...mixed.to.numbers].sort((a, b) => a - b)).toEqual(sorted)
  })

  test('some packets come twice where lines double them', () => {
    const { world, to, send } = pair({ duplicate: 0.5 })
    for (let i = 0; i < 200; i++) send(i)
    world.run({ seconds: 1 })
    expect(to.packets.length).toBeGreaterThan(240)
    expect(new Set(to.numbers).size).toBe(200)
  })

  test('a slow line takes size and headers into account, and drops what does not fit its queue', () => {
    const { world, to, send } = pair({ up: 10_000, queueBytes: 10_000, latency: 0 }, { latency: 0 })
    for (let i = 0; i < 20; i++) send(i, 972)
    // One packet is on the line, ten wait; each takes 1000 bytes with its headers: 100 ms.
    world.run({ ms: 499 })
    expect(to.packets.length).toBe(4)
    world.run({ seconds: 5 })
    expect(to.numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('nothing passes a partition', () => {
    const { world, to, send } = pair()
    world.network.unplug(world.network.hosts[1])
    send(1)
    world.run({ seconds: 1 })
    world.network.plugIn(world.network.hosts[1])
    send(2)
    world.run({ seconds: 1 })
    expect(to.numbers).toEqual([2])
  })
})
