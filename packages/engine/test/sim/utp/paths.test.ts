import { describe, expect } from 'vitest'
import { defaultUtpSettings } from '../../../src/utp/utpSettings.ts'
import { scenario } from '../scenario.ts'
import { connectTo, Feeder, utpOn } from './utpScene.ts'

const RATE = 1_250_000
const QUEUES = [64_000, 256_000, 10_000_000]

describe('one connection alone', () => {
  for (const [rtt, seconds, least] of [
    [10, 5, 0.9],
    [100, 10, 0.75],
    [300, 20, 0.55],
  ]) {
    for (const queueBytes of QUEUES) {
      scenario(
        `over ${rtt} ms with a queue of ${queueBytes / 1000} KB it uses the line and keeps the delay near the target`,
        (world) => {
          const a = world.host('a', { latency: rtt / 4 })
          const b = world.host('b', { latency: rtt / 4, down: RATE, queueBytes })
          const [from, to] = [utpOn(world, a), utpOn(world, b)]
          const { near, far } = connectTo(world, from, to)
          const feeder = new Feeder(near)
          let waited = 0
          let longest = 0
          for (let i = 0; i < seconds * 20; i++) {
            world.run({ ms: 50 })
            const delay = (b.downlink.queuedBytes / RATE) * 1000
            longest = Math.max(longest, delay)
            waited += delay / (seconds * 20)
          }
          expect(far.received).toBeGreaterThan(least * RATE * seconds)
          expect(far.isIntact).toBe(true)
          expect(waited).toBeLessThan(110)
          expect(longest).toBeLessThan(100 + Math.max(30, rtt))
          expect(from.utp.counters.timeout).toBe(0)
          feeder.stop()
          near.stream.destroy()
          world.run({ seconds: 3 })
          expect([from.utp.size, to.utp.size]).toEqual([0, 0])
          from.close()
          to.close()
        },
        { seeds: 1 },
      )
    }
  }

  for (const [rtt, loss] of [
    [10, 0.05],
    [100, 0.01],
    [100, 0.05],
    [300, 0.05],
  ]) {
    scenario(`over ${rtt} ms with ${loss * 100} % loss it never collapses`, (world) => {
      const a = world.host('a', { latency: rtt / 4 })
      const b = world.host('b', { latency: rtt / 4, down: RATE })
      const [from, to] = [utpOn(world, a), utpOn(world, b)]
      const { near, far } = connectTo(world, from, to)
      b.loss = loss
      const feeder = new Feeder(near)
      const seconds = 20
      world.run({ seconds })
      // What TCP gets out of such a line (Mathis et al. 1997): this much is its due, less what timeouts cost.
      const tcp = Math.min(RATE, (1400 / (rtt / 1000)) * Math.sqrt(1.5 / loss))
      expect(far.received).toBeGreaterThan(0.5 * tcp * seconds)
      expect(far.isIntact).toBe(true)
      expect(far.closed).toBe(undefined)
      feeder.stop()
      from.close()
      to.close()
    })
  }

  for (const [rtt, loss] of [
    [50, 0.002],
    [50, 0.01],
    [100, 0.01],
  ]) {
    scenario(`over ${rtt} ms with ${loss * 100} % loss it gets what halving for each loss leaves`, (world) => {
      const a = world.host('a', { latency: rtt / 4 })
      const b = world.host('b', { latency: rtt / 4, down: 12_500_000 })
      const [from, to] = [utpOn(world, a), utpOn(world, b)]
      const { near, far } = connectTo(world, from, to)
      const packet = 1452
      const feeder = new Feeder(near)
      world.run({ seconds: 1 })
      b.loss = loss
      const { received } = far
      const seconds = 60
      world.run({ seconds })
      // Mathis et al. 1997 for who grows by `utp_gain_factor` a round trip, where there is no queue, and halves: over a
      // cycle the window goes from W/2 to W in W/2g rounds and carries 3W²/8g bytes, which is the distance of two losses.
      const due = Math.sqrt((1.5 * defaultUtpSettings.utpGainFactor * packet) / loss) / (rtt / 1000)
      expect((far.received - received) / seconds).toBeGreaterThan(0.9 * due)
      // Nothing waits for a timeout, and nothing is sent again that has arrived.
      const { timeout, packetResend, packetLoss } = from.utp.counters
      expect([timeout, packetResend]).toEqual([0, packetLoss])
      expect(to.utp.counters.redundantPacketsIn).toBe(0)
      feeder.stop()
      from.close()
      to.close()
    })
  }

  scenario('bytes arrive as they were sent when packets are lost, overtake each other and come twice', (world) => {
    const a = world.host('a', { latency: 10, jitter: 20, reorder: 0.1, duplicate: 0.1 })
    const b = world.host('b', { latency: 10, reorder: 0.05 })
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    const { near, far } = connectTo(world, from, to)
    a.loss = 0.03
    b.loss = 0.03
    const total = 600_000
    new Feeder(near, total)
    new Feeder(far, total)
    world.runUntil(() => far.received === total && near.received === total, { minutes: 5 })
    near.stream.end()
    far.stream.end()
    world.runUntil(() => near.closed !== undefined && far.closed !== undefined, { minutes: 1 })
    expect([near.isIntact, far.isIntact, near.closed, far.closed]).toEqual([true, true, null, null])
    world.run({ seconds: 30 })
    expect([from.utp.size, to.utp.size]).toEqual([0, 0])
    from.close()
    to.close()
  })

  for (const speed of [0.998, 1.002]) {
    scenario(
      `a receiver's clock that runs ${speed} times as fast as the sender's is no queue`,
      (world) => {
        const from = utpOn(world, world.host('a', { latency: 75 }))
        const b = world.host('b', { latency: 75, down: 500_000, queueBytes: 1_000_000 })
        const to = utpOn(world, b, {}, {}, { clockSpeed: speed })
        const { near, far } = connectTo(world, from, to)
        new Feeder(near)
        // The two clocks are as far apart then as the target delay, and again.
        world.run({ seconds: 100 })
        const before = far.received
        world.run({ seconds: 20 })
        expect(far.received - before).toBeGreaterThan(0.8 * 20 * 500_000)
        expect((b.downlink.queuedBytes / 500_000) * 1000).toBeLessThan(250)
        from.close()
        to.close()
      },
      { seeds: 1 },
    )
  }

  for (let seq = 0xffc0; seq < 0x10002; seq += 3) {
    scenario(
      `sequence numbers that wrap after ${0x10000 - seq} packets are no different`,
      (world) => {
        const a = world.host('a', { latency: 10, jitter: 5, reorder: 0.05, duplicate: 0.05 })
        const b = world.host('b', { latency: 10 })
        const from = utpOn(world, a, {}, {}, { seq: seq & 0xffff })
        const to = utpOn(world, b, {}, {}, { seq: (seq + 1) & 0xffff })
        const { near, far } = connectTo(world, from, to)
        a.loss = 0.05
        b.loss = 0.05
        new Feeder(near, 100_000)
        new Feeder(far, 100_000)
        world.runUntil(() => near.received === 100_000 && far.received === 100_000, { minutes: 1 })
        near.stream.end()
        far.stream.end()
        world.run({ seconds: 40 })
        expect([near.isIntact, far.isIntact, near.closed, far.closed]).toEqual([true, true, null, null])
        expect([from.utp.size, to.utp.size]).toEqual([0, 0])
        from.close()
        to.close()
      },
      { seeds: 1 },
    )
  }

  scenario('it works over IPv6', (world) => {
    const a = world.host('a', { address: '2001:db8::1' })
    const b = world.host('b', { address: '2001:db8::2' })
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    const { near, far } = connectTo(world, from, to)
    new Feeder(near, 200_000)
    world.runUntil(() => far.received === 200_000, { seconds: 20 })
    expect(far.isIntact).toBe(true)
    from.close()
    to.close()
  })

  scenario(
    'many megabytes pass the wrap of sequence numbers, and of both clocks',
    (world) => {
      // 4,294 seconds after its beginning a clock of microseconds wraps; sequence numbers after 65,536 packets.
      world.run({ seconds: 3290 })
      const a = world.host('a', { latency: 1 })
      const b = world.host('b', { latency: 1, down: 10_000_000 })
      const [from, to] = [utpOn(world, a), utpOn(world, b)]
      const { near, far } = connectTo(world, from, to)
      const total = 100_000_000
      new Feeder(near, total)
      world.runUntil(() => far.received === total, { seconds: 60 })
      expect(far.isIntact).toBe(true)
      expect(from.utp.counters.timeout).toBe(0)
      from.close()
      to.close()
    },
    { seeds: 1 },
  )
})

describe('the largest packet', () => {
  for (const mtu of [1500, 1492, 1400, 1280, 576]) {
    scenario(
      `of a line that carries ${mtu} bytes is found, and nothing is lost by looking for it`,
      (world) => {
        const a = world.host('a', { latency: 10 })
        const b = world.host('b', { latency: 10, mtu, down: RATE })
        const [from, to] = [utpOn(world, a), utpOn(world, b)]
        const { near, far } = connectTo(world, from, to)
        const total = 1_500_000
        let largest = 0
        const { send } = from.socket
        from.socket.send = (packet, ...rest) => {
          largest = packet.length + 28 <= mtu ? Math.max(largest, packet.length + 28) : largest
          send.call(from.socket, packet, ...rest)
        }
        new Feeder(near, total)
        world.runUntil(() => far.received === total, { seconds: 20 })
        expect(far.isIntact).toBe(true)
        expect(largest).toBeGreaterThan(mtu - 20)
        expect(from.utp.counters.timeout).toBe(0)
        from.close()
        to.close()
      },
      { seeds: 1 },
    )
  }
})
