import { describe, expect, test } from 'vitest'
import { SIM_EPOCH, VirtualTime } from '../../../sim/virtualTime.ts'
import { cpuTime } from '../../cpuTime.ts'

describe('virtual time', () => {
  test('events happen at their instants, in order, whatever the order they were asked for', () => {
    const time = new VirtualTime()
    const seen: [string, number][] = []
    const note = (name: string) => () => seen.push([name, time.elapsed])
    time.after(30, note('c'))
    time.after(10, note('a'))
    time.after(20.5, note('b'))
    time.run({ ms: 25 })
    expect(seen).toEqual([
      ['a', 10],
      ['b', 20.5],
    ])
    expect(time.elapsed).toBe(25)
    time.run({ ms: 5 })
    expect(seen.at(-1)).toEqual(['c', 30])
  })

  test('events of one instant keep the order they were asked for, those asked for meanwhile come last', () => {
    const time = new VirtualTime()
    const seen: number[] = []
    for (let i = 0; i < 100; i++) time.after(5, () => seen.push(i))
    time.after(5, () => time.after(0, () => seen.push(101)))
    time.after(5, () => seen.push(100))
    time.run(5)
    expect(seen).toEqual(Array.from({ length: 102 }, (_, i) => i))
  })

  test('a delay of 0 is one turn later, never inside the call', () => {
    const time = new VirtualTime()
    let called = false
    time.after(0, () => {
      called = true
    })
    expect(called).toBe(false)
    time.run(0)
    expect(called).toBe(true)
  })

  test('a cancelled timer stays silent, and cancelling it again does nothing', () => {
    const time = new VirtualTime()
    const timer = time.after(10, () => expect.unreachable())
    timer.cancel()
    timer.cancel()
    expect(time.pending).toBe(0)
    time.run(20)
    const fired = time.after(1, () => {})
    time.run(1)
    fired.cancel()
    expect(time.pending).toBe(0)
  })

  test('many timers that are set and cancelled do not pile up', () => {
    const time = new VirtualTime()
    let left = 100_000
    const rearm = (): void => {
      time.after(3_600_000, () => expect.unreachable()).cancel()
      if (--left > 0) time.after(1, rearm)
    }
    rearm()
    time.run({ hours: 2 })
    expect(left).toBe(0)
    expect(time.pending).toBe(0)
  })

  test('a simulated day with an event a second is over in no time', () => {
    const time = new VirtualTime()
    let ticks = 0
    const tick = () => {
      ticks++
      time.after(1000, tick)
    }
    time.after(1000, tick)
    const started = cpuTime()
    time.run({ days: 1 })
    expect(ticks).toBe(86_400)
    expect(cpuTime() - started).toBeLessThan(1000)
  })

  test('sums of fractions do not drift', () => {
    const time = new VirtualTime()
    let count = 0
    const next = () => {
      if (++count < 10_000) time.after(0.1, next)
    }
    time.after(0.1, next)
    time.runUntil(() => count === 10_000)
    expect(time.elapsed).toBe(1000)
  })

  test('runUntil stops right after the event that makes it true, or at the limit', () => {
    const time = new VirtualTime()
    let done = false
    time.after(1234, () => {
      done = true
    })
    time.after(1235, () => expect.unreachable())
    expect(time.runUntil(() => done, { minutes: 1 })).toBe(true)
    expect(time.elapsed).toBe(1234)
    expect(new VirtualTime().runUntil(() => false, { seconds: 3 })).toBe(false)
  })

  test('a jump of the wall clock leaves the monotonic clock and timers alone', () => {
    const time = new VirtualTime()
    let firedAt = 0
    time.after(60_000, () => {
      firedAt = time.elapsed
    })
    expect(time.unixTime()).toBe(SIM_EPOCH)
    time.run({ seconds: 30 })
    time.jumpWallClock(-86_400)
    expect(time.unixTime()).toBe(SIM_EPOCH + 30 - 86_400)
    time.run({ seconds: 30 })
    expect(firedAt).toBe(60_000)
  })

  test('a program that never lets time pass is reported as a livelock', () => {
    const time = new VirtualTime({ maxEventsPerInstant: 1000 })
    const spin = () => {
      time.after(0, spin)
    }
    time.after(7, spin)
    expect(() => time.run({ seconds: 1 })).toThrow(/livelock: more than 1000 events at 7 ms/)
  })

  test('time cannot be run from inside an event, and a failing event does not wedge it', () => {
    const time = new VirtualTime()
    time.after(1, () => time.run(1))
    expect(() => time.run(5)).toThrow(/inside an event/)
    time.run(5)
    expect(time.elapsed).toBe(6)
  })
})
