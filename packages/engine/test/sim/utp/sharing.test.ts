import { describe, expect } from 'vitest'
import type { SimHost } from '../../../sim/simHost.ts'
import type { SimWorld } from '../../../sim/simWorld.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'
import { scenario } from '../scenario.ts'
import { connectTo, type End, Feeder, utpOn } from './utpScene.ts'

const RATE = 1_250_000

/** Jain's index: 1 when all have the same, 1/n when one has all. */
function fairness(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  return (sum * sum) / (shares.length * shares.reduce((a, b) => a + b * b, 0))
}

/** What each end receives in a time. */
function received(world: SimWorld, ends: readonly End[], seconds: number): number[] {
  const before = ends.map((end) => end.received)
  world.run({ seconds })
  return ends.map((end, i) => end.received - before[i])
}

/** Packets sent as TCP sends them (SACK, NewReno's window): it knows of a queue only when it overflows. */
class TcpLike {
  delivered = 0
  private window = 10
  private threshold = Number.POSITIVE_INFINITY
  private next = 0
  private recover = -1
  private heardAt = 0
  /** In the order they were sent. */
  private readonly underWay = new Set<number>()
  private sockets: UdpSocket[] = []
  private readonly from: Endpoint
  private readonly to: Endpoint

  constructor(
    private readonly world: SimWorld,
    from: SimHost,
    to: SimHost,
  ) {
    this.from = { address: from.address, port: 9000 }
    this.to = { address: to.address, port: 9000 }
    this.open(from, this.from, (n) => this.acked(n))
    this.open(to, this.to, (n) => {
      this.delivered += SEGMENT
      this.sockets[1].send(numbered(n, 40), this.from)
    })
    world.run({ ms: 1 })
    this.pump()
    this.watch()
  }

  close(): void {
    for (const socket of this.sockets.splice(0)) socket.close()
  }

  private open(host: SimHost, at: Endpoint, take: (n: number) => void): void {
    const onPacket = (packet: Uint8Array) => take(new DataView(packet.buffer, packet.byteOffset).getUint32(0))
    this.world.start(host).platform.udp.bind(at, { onPacket, onError: () => {} }, (socket) => {
      if ('code' in socket) throw socket
      this.sockets.push(socket)
    })
  }

  private acked(n: number): void {
    this.heardAt = this.world.time.now()
    if (this.underWay.delete(n)) this.window += this.window < this.threshold ? 1 : 1 / this.window
    for (const sent of this.underWay) {
      if (sent > n - 3) break
      this.underWay.delete(sent)
      if (sent > this.recover) this.cut(Math.max(2, this.window / 2))
    }
    this.pump()
  }

  private cut(to: number): void {
    this.threshold = Math.max(2, this.window / 2)
    this.window = to
    this.recover = this.next
  }

  private pump(): void {
    while (this.sockets.length > 0 && this.underWay.size < this.window) {
      this.underWay.add(this.next)
      this.sockets[0].send(numbered(this.next++, SEGMENT), this.to)
    }
  }

  private watch(): void {
    this.world.time.after(200, () => {
      if (this.sockets.length === 0) return
      if (this.world.time.now() - this.heardAt > 1500) {
        this.underWay.clear()
        this.cut(1)
        this.pump()
      }
      this.watch()
    })
  }
}

const SEGMENT = 1428

function numbered(n: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}

describe('connections that share a line', () => {
  for (const queueBytes of [64_000, 256_000, 1_000_000]) {
    scenario(
      `of which four begin together come to equal shares behind a queue of ${queueBytes / 1000} KB`,
      (world) => {
        const b = world.host('b', { latency: 12, down: RATE, queueBytes })
        const to = utpOn(world, b)
        const senders = [0, 1, 2, 3].map((i) => utpOn(world, world.host(`a${i}`, { latency: 12 })))
        const pairs = senders.map((from) => connectTo(world, from, to))
        for (const { near } of pairs) new Feeder(near)
        world.run({ seconds: 25 })
        const shares = received(
          world,
          pairs.map(({ far }) => far),
          10,
        )
        expect(fairness(shares)).toBeGreaterThan(0.9)
        expect(shares.reduce((a, b) => a + b)).toBeGreaterThan(0.9 * RATE * 10)
        for (const each of [...senders, to]) each.close()
      },
      { seeds: 1 },
    )
  }

  scenario(
    'one that comes later neither pushes out who was first, nor is kept out, nor makes the queue grow',
    (world) => {
      const b = world.host('b', { latency: 12, down: RATE, queueBytes: 1_000_000 })
      const to = utpOn(world, b)
      const senders = [0, 1].map((i) => utpOn(world, world.host(`a${i}`, { latency: 12 })))
      const first = connectTo(world, senders[0], to)
      new Feeder(first.near)
      world.run({ seconds: 10 })
      const second = connectTo(world, senders[1], to)
      new Feeder(second.near)
      world.run({ seconds: 30 })
      const shares = received(world, [first.far, second.far], 10)
      expect(fairness(shares)).toBeGreaterThan(0.9)
      expect((b.downlink.queuedBytes / RATE) * 1000).toBeLessThan(130)
      for (const each of [...senders, to]) each.close()
    },
  )

  scenario('with TCP leave it nearly everything, and take the line again when it is gone', (world) => {
    const b = world.host('b', { latency: 12, down: RATE, queueBytes: 400_000 })
    const to = utpOn(world, b)
    const from = utpOn(world, world.host('a', { latency: 12 }))
    const { near, far } = connectTo(world, from, to)
    new Feeder(near)
    world.run({ seconds: 10 })
    const tcp = new TcpLike(world, world.host('c', { latency: 12 }), b)
    world.run({ seconds: 20 })
    const before = tcp.delivered
    const [ours] = received(world, [far], 20)
    expect(tcp.delivered - before).toBeGreaterThan(0.8 * RATE * 20)
    expect(ours).toBeLessThan(0.15 * RATE * 20)
    tcp.close()
    world.run({ seconds: 15 })
    expect(received(world, [far], 5)[0]).toBeGreaterThan(0.8 * RATE * 5)
    expect(far.closed).toBe(undefined)
    from.close()
    to.close()
  })
})
