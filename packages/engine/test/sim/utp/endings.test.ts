import { describe, expect } from 'vitest'
import { scenario } from '../scenario.ts'
import { connectTo, End, Feeder, pattern, utpOn } from './utpScene.ts'

describe('connecting', () => {
  scenario('to somebody who is not there fails when the SYN packets are used up, each wait twice as long', (world) => {
    const a = world.host('a')
    const from = utpOn(world, a)
    world.network.blackHole('9.9.9.9')
    const end = new End()
    const begin = world.time.now()
    end.onEnd = () => {
      end.closedAt = world.time.now()
    }
    end.stream = from.utp.connect({ address: '9.9.9.9', port: 1 }, end)
    expect(end.stream.local).toBe(null)
    world.run({ seconds: 60 })
    expect(end.closed).toMatchObject({ code: 'ETIMEDOUT', operation: 'connect' })
    expect(end.closedAt - begin).toBeCloseTo(3000 + 6000, 0)
    expect(from.utp.counters.packetsOut).toBe(2)
    expect(from.utp.size).toBe(0)
    from.close()
  })

  scenario('to somebody who takes no incoming uTP fails', (world) => {
    const from = utpOn(world, world.host('a'))
    const to = utpOn(world, world.host('b'), { enableIncomingUtp: false })
    const end = new End()
    end.stream = from.utp.connect(to.at, end)
    world.run({ seconds: 20 })
    expect(end.closed).toMatchObject({ code: 'ETIMEDOUT' })
    expect(to.utp.counters.packetsOut).toBe(0)
    from.close()
    to.close()
  })

  scenario('succeeds when the first SYN, or its answer, is lost', (world) => {
    const [a, b] = [world.host('a'), world.host('b')]
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    for (const [x, y] of [
      [a, b],
      [b, a],
    ]) {
      world.network.setPath(x, y, { loss: 1 })
      const end = new End()
      end.stream = from.utp.connect(to.at, end)
      world.run({ seconds: 1 })
      expect(end.connected).toBe(false)
      world.network.setPath(x, y, {})
      world.run({ seconds: 4 })
      expect(end.connected).toBe(true)
    }
    expect(to.accepted.length).toBe(2)
    from.close()
    to.close()
  })

  scenario('brings what was written before, and says so, and where we are', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
    const end = new End()
    end.stream = from.utp.connect(to.at, end)
    let sent = 0
    end.stream.write(pattern(0, 100), () => sent++)
    end.stream.write(pattern(100, 100), () => sent++)
    expect(end.stream.unsentBytes).toBe(200)
    end.stream.end()
    world.run({ seconds: 5 })
    expect(sent).toBe(2)
    expect(end.closed).toBe(null)
    expect(to.accepted[0]).toMatchObject({ received: 200, isIntact: true, closed: null })
    expect(to.accepted[0].stream.local).toEqual(to.at)
    expect(to.accepted[0].stream.remote).toEqual(from.at)
    from.close()
    to.close()
  })

  // A clock of microseconds shows the upper half of its numbers for 36 minutes, and then the lower half again.
  for (const seconds of [1, 2140, 2200, 4290, 4300]) {
    scenario(
      `lets the one that was connected to speak at once, ${seconds} s after the other's clock began`,
      (world) => {
        world.run({ seconds })
        const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
        const { near, far } = connectTo(world, from, to)
        far.stream.write(pattern(0, 100))
        world.run({ ms: 200 })
        expect(near.received).toBe(100)
        expect(to.utp.counters.timeout).toBe(0)
        from.close()
        to.close()
      },
      { seeds: 1 },
    )
  }

  scenario('to the same machine at the same time from both sides gives two connections', (world) => {
    const [one, other] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
    const ends = [new End(), new End()]
    ends[0].stream = one.utp.connect(other.at, ends[0])
    ends[1].stream = other.utp.connect(one.at, ends[1])
    world.run({ seconds: 1 })
    expect(ends.map((end) => end.connected)).toEqual([true, true])
    expect([one.utp.size, other.utp.size]).toEqual([2, 2])
    one.close()
    other.close()
  })
})

describe('ending', () => {
  scenario('brings everything that was written, and both sides know', (world) => {
    const a = world.host('a', { latency: 20 })
    const [from, to] = [utpOn(world, a), utpOn(world, world.host('b'))]
    const { near, far } = connectTo(world, from, to)
    a.loss = 0.05
    for (let i = 0; i < 20; i++) near.stream.write(pattern(i * 10_000, 10_000))
    near.stream.end()
    expect(near.stream.write(new Uint8Array(1))).toBe(false)
    world.run({ minutes: 1 })
    expect(far).toMatchObject({ received: 200_000, isIntact: true, closed: null })
    expect(near.closed).toBe(null)
    expect([from.utp.size, to.utp.size]).toEqual([0, 0])
    from.close()
    to.close()
  })

  scenario('by both sides at once is in order for both', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
    const { near, far } = connectTo(world, from, to)
    near.stream.write(pattern(0, 5000))
    far.stream.write(pattern(0, 7000))
    near.stream.end()
    far.stream.end()
    world.run({ seconds: 10 })
    expect([near.closed, far.closed]).toEqual([null, null])
    expect([near.received, far.received]).toEqual([7000, 5000])
    expect([from.utp.size, to.utp.size]).toEqual([0, 0])
    from.close()
    to.close()
  })

  scenario('data that comes after our FIN is still handed on until we are through', (world) => {
    const [from, to] = [utpOn(world, world.host('a', { latency: 50 })), utpOn(world, world.host('b', { latency: 50 }))]
    const { near, far } = connectTo(world, from, to)
    far.stream.write(pattern(0, 3000))
    near.stream.end()
    world.run({ seconds: 5 })
    expect(near).toMatchObject({ received: 3000, isIntact: true, closed: null })
    expect(far.closed).toBe(null)
    from.close()
    to.close()
  })

  scenario('by destroy drops what waits, calls every onSent once, and tells the other side', (world) => {
    const [from, to] = [utpOn(world, world.host('a', { latency: 50 })), utpOn(world, world.host('b', { latency: 50 }))]
    const { near, far } = connectTo(world, from, to)
    let sent = 0
    for (let i = 0; i < 100; i++) near.stream.write(pattern(i * 10_000, 10_000), () => sent++)
    world.run({ ms: 200 })
    near.stream.destroy()
    world.run({ seconds: 20 })
    expect(sent).toBe(100)
    expect(near.closed).toBe(undefined)
    expect(far.closed).toBe(null)
    expect(far.isIntact).toBe(true)
    expect(far.received).toBeLessThan(1_000_000)
    expect([from.utp.size, to.utp.size]).toEqual([0, 0])
    from.close()
    to.close()
  })

  for (const utpFinResends of [0, 1, 3]) {
    scenario(`to somebody who is gone is told ${1 + utpFinResends} times (utp_fin_resends)`, (world) => {
      const [a, b] = [world.host('a'), world.host('b')]
      const [from, to] = [utpOn(world, a, { utpFinResends, utpNumResends: 9 }), utpOn(world, b)]
      const { near } = connectTo(world, from, to)
      world.run({ seconds: 1 })
      world.network.unplug(b)
      const before = from.utp.counters.packetsOut
      near.stream.destroy()
      world.run({ seconds: 9 })
      expect(from.utp.counters.packetsOut - before).toBe(1 + utpFinResends)
      expect(from.utp.size).toBe(0)
      from.close()
      to.close()
    })
  }

  // At every step of a connection's life one side, or the line, goes.
  for (const [after, seconds] of [0, 15, 25, 35, 45, 60, 100, 150, 200, 300, 500].entries()) {
    for (const how of ['destroy', 'end', 'close', 'cut'] as const) {
      scenario(
        `${how} ${seconds} ms after connecting leaves nothing behind (${after})`,
        (world) => {
          const [a, b] = [world.host('a'), world.host('b', { down: 500_000 })]
          const [from, to] = [utpOn(world, a), utpOn(world, b)]
          const near = new End()
          near.stream = from.utp.connect(to.at, near)
          const feeder = new Feeder(near, 100_000)
          world.run({ ms: seconds })
          if (how === 'destroy') near.stream.destroy()
          else if (how === 'end') near.stream.end()
          else if (how === 'close') from.close()
          else world.network.unplug(a)
          feeder.stop()
          // The receiver has nothing to send, and cannot tell silence from absence: its owner must.
          world.run({ seconds: 30 })
          near.stream.destroy()
          for (const { stream } of to.accepted) stream.destroy()
          world.run({ seconds: 30 })
          expect([from.utp.size, to.utp.size]).toEqual([0, 0])
          expect(to.accepted.every((end) => end.isIntact)).toBe(true)
          if (how === 'cut' && seconds > 0 && near.closed !== undefined) {
            expect(near.closed).toMatchObject({ code: 'ETIMEDOUT' })
          }
          from.close()
          to.close()
        },
        { seeds: 1 },
      )
    }
  }

  scenario('of the UDP socket tells the other sides and the owners', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
    const { near, far } = connectTo(world, from, to)
    to.close()
    world.run({ seconds: 1 })
    expect(far.closed).toMatchObject({ code: 'ECONNABORTED' })
    expect(near.closed).toMatchObject({ code: 'ECONNRESET' })
    const late = new End()
    late.stream = to.utp.connect(from.at, late)
    world.run({ seconds: 1 })
    expect(late.closed).toMatchObject({ code: 'ECONNABORTED' })
    from.close()
  })

  scenario('of a process is told by a reset when its next packet comes', (world) => {
    const [a, b] = [world.host('a'), world.host('b')]
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    const { near } = connectTo(world, from, to)
    world.kill(b)
    const again = utpOn(world, b)
    near.stream.write(pattern(0, 10))
    world.run({ seconds: 3 })
    expect(near.closed).toMatchObject({ code: 'ECONNRESET' })
    from.close()
    again.close()
  })

  scenario('without a word is noticed when packets stay unanswered', (world) => {
    const [a, b] = [world.host('a'), world.host('b')]
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    const { near } = connectTo(world, from, to)
    world.network.unplug(b)
    near.stream.write(pattern(0, 10))
    const begin = world.time.now()
    world.runUntil(() => near.closed !== undefined, { minutes: 2 })
    expect(near.closed).toMatchObject({ code: 'ETIMEDOUT' })
    // 0.5 s, doubled with each of three further tries.
    expect(world.time.now() - begin).toBeCloseTo(500 * (1 + 2 + 4 + 8), -2)
    from.close()
    to.close()
  })
})

describe('a reader that pauses', () => {
  scenario('shrinks the window to nothing, loses nothing, and gets all when it goes on', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b', { down: 5_000_000 }))]
    const { near, far } = connectTo(world, from, to)
    far.stream.pauseReading()
    const total = 3_000_000
    const feeder = new Feeder(near, total)
    world.run({ seconds: 30 })
    expect(far.received).toBe(0)
    // What it may keep is sent, and not more.
    expect(feeder.sent).toBeLessThanOrEqual(1024 * 1024 + 64 * 1024)
    expect(feeder.sent).toBeGreaterThan(900_000)
    far.stream.resumeReading()
    world.runUntil(() => far.received === total, { seconds: 30 })
    expect(far.isIntact).toBe(true)
    expect(near.closed).toBe(undefined)
    from.close()
    to.close()
  })

  scenario('is sent more as soon as it goes on, however long it has paused', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b', { down: 5_000_000 }))]
    const { near, far } = connectTo(world, from, to)
    far.stream.pauseReading()
    new Feeder(near, 2_000_000)
    // It is asked once a minute by now.
    world.run({ minutes: 10 })
    far.stream.resumeReading()
    world.runUntil(() => far.received === 2_000_000, { seconds: 2 })
    from.close()
    to.close()
  })

  scenario('goes on although the packet that opened the window was lost', (world) => {
    const [a, b] = [world.host('a'), world.host('b', { down: 5_000_000 })]
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    const { near, far } = connectTo(world, from, to)
    far.stream.pauseReading()
    new Feeder(near, 2_000_000)
    world.run({ minutes: 10 })
    expect(near.closed).toBe(undefined)
    // While it is closed it is asked now and then, ever more seldom.
    expect(from.utp.counters.packetsOut).toBeLessThan(1100)
    world.network.setPath(b, a, { loss: 1 })
    far.stream.resumeReading()
    world.run({ ms: 200 })
    world.network.setPath(b, a, {})
    world.runUntil(() => far.received === 2_000_000, { minutes: 3 })
    expect(far.isIntact).toBe(true)
    from.close()
    to.close()
  })
})

describe('writing', () => {
  scenario('tells when there is too much, and when all of it has left', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
    const { near, far } = connectTo(world, from, to)
    const answers = Array.from({ length: 20 }, (_, i) => near.stream.write(pattern(i * 100_000, 100_000)))
    expect(answers.filter((ok) => ok).length).toBe(10)
    expect(near.stream.unsentBytes).toBe(2_000_000)
    world.runUntil(() => near.drains === 1, { minutes: 1 })
    expect(near.stream.unsentBytes).toBe(0)
    world.run({ seconds: 5 })
    expect(far).toMatchObject({ received: 2_000_000, isIntact: true })
    expect(near.drains).toBe(1)
    from.close()
    to.close()
  })

  scenario('many small pieces makes few packets', (world) => {
    const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
    const { near, far } = connectTo(world, from, to)
    const before = from.utp.counters.packetsOut
    for (let i = 0; i < 100; i++) near.stream.write(pattern(i * 17, 17))
    world.run({ seconds: 1 })
    expect(far).toMatchObject({ received: 1700, isIntact: true })
    expect(from.utp.counters.packetsOut - before).toBeLessThanOrEqual(5)
    near.stream.cork()
    near.stream.write(pattern(1700, 10))
    world.run({ seconds: 1 })
    expect(far.received).toBe(1700)
    near.stream.uncork()
    world.run({ seconds: 1 })
    expect(far.received).toBe(1710)
    from.close()
    to.close()
  })

  scenario('costs half the acks when these may wait for a second packet', (world) => {
    const acks = [0, 100].map((utpDelayedAck) => {
      const from = utpOn(world, world.host(`a${utpDelayedAck}`))
      const to = utpOn(world, world.host(`b${utpDelayedAck}`, { down: 500_000 }), { utpDelayedAck })
      const { near, far } = connectTo(world, from, to)
      new Feeder(near, 300_000)
      world.runUntil(() => far.received === 300_000, { seconds: 10 })
      const packets = to.utp.counters.packetsOut
      near.stream.write(pattern(300_000, 1))
      world.run({ ms: 300 })
      // A single packet is acknowledged, too.
      expect(to.utp.counters.packetsOut).toBeGreaterThan(packets)
      from.close()
      to.close()
      return packets
    })
    expect(acks[1]).toBeLessThan(0.6 * acks[0])
  })

  scenario('inside one machine goes in large packets, to who takes them', (world) => {
    const a = world.host('a')
    const from = utpOn(world, a, {}, { address: '127.0.0.1', port: 7001 })
    const to = utpOn(world, a, {}, { address: '127.0.0.1', port: 7002 })
    const near = new End()
    near.stream = from.utp.connect(to.at, near)
    new Feeder(near, 3_000_000)
    world.runUntil(() => to.accepted[0]?.received === 3_000_000, { seconds: 20 })
    expect(to.accepted[0].isIntact).toBe(true)
    expect(from.utp.counters.packetsOut).toBeLessThan(400)
    from.close()
    to.close()
  })
})

scenario('a handler that throws ends its own connection, and no other', (world) => {
  const [from, to] = [utpOn(world, world.host('a')), utpOn(world, world.host('b'))]
  const bad = connectTo(world, from, to)
  const good = connectTo(world, from, to)
  bad.far.onBytes = () => {
    throw new Error('a bug of the owner')
  }
  bad.near.stream.write(pattern(0, 10))
  good.near.stream.write(pattern(0, 10))
  world.run({ seconds: 5 })
  expect(to.faults.splice(0)).toMatchObject([{ message: 'a bug of the owner' }])
  expect(bad.near.closed).toBe(null)
  expect(good.far.received).toBe(10)
  from.close()
  to.close()
})
