import { describe, expect, test } from 'vitest'
import { BandwidthScene, Eater, INTERVAL_MS } from './bandwidthScene.ts'

describe('BandwidthManager', () => {
  test('while nothing is limited everything passes, and nothing is queued, timed or allocated', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.manager.newChannel()])
    expect(eater.user.take(1_000_000)).toBe(1_000_000)
    expect([scene.manager.isLimited, scene.manager.queueSize, scene.timers, eater.user.quota]).toEqual([false, 0, 0, 0])
    expect(eater.user.channels).toEqual([])
  })

  test('whom no limit concerns waits for none, whatever is limited elsewhere', () => {
    const scene = new BandwidthScene()
    const [limited, free] = [new Eater(scene, [scene.channel(1000)]), new Eater(scene, [])]
    limited.eat()
    expect(free.user.take(5_000_000)).toBe(5_000_000)
    expect([limited.user.isWaiting, free.user.isWaiting]).toEqual([true, false])
  })

  test('one that always wants more gets the limit, no more and no less', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(20_000)])
    eater.eat()
    scene.run(10_000)
    expect(eater.passed).toBeGreaterThanOrEqual(20_000 * 9.9)
    expect(eater.passed).toBeLessThanOrEqual(20_000 * 10)
  })

  test('who takes less than the limit never waits', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(100_000)])
    scene.run(2000)
    for (let i = 0; i < 100; i++) {
      expect(eater.user.take(4000)).toBe(4000)
      scene.run(50)
    }
    expect(scene.timers).toBe(0)
  })

  test('quota is saved for one second, not longer', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(10_000)])
    scene.run(60_000)
    eater.eat()
    scene.run(INTERVAL_MS)
    expect(eater.passed).toBeLessThanOrEqual(11_000)
  })

  test('what one peer may not use, because it has a limit of its own, the others get', () => {
    const scene = new BandwidthScene()
    const all = scene.channel(100_000)
    const slow = Array.from({ length: 50 }, () => new Eater(scene, [all, scene.channel(100)]))
    const quick = new Eater(scene, [all])
    for (const eater of [...slow, quick]) eater.eat()
    scene.run(20_000)
    for (const { passed } of slow) expect(passed / 20).toBeCloseTo(100, -1)
    expect(quick.passed / 20).toBeGreaterThan(93_000)
    expect(quick.passed / 20).toBeLessThan(96_000)
  })

  test('what a torrent may have its peers share, and so do the torrents what the session may have', () => {
    const scene = new BandwidthScene()
    const [session, narrow] = [scene.channel(90_000), scene.channel(20_000)]
    const ofNarrow = [0, 1].map(() => new Eater(scene, [session, narrow]))
    const ofWide = [0, 1].map(() => new Eater(scene, [session]))
    for (const eater of [...ofNarrow, ...ofWide]) eater.eat()
    scene.run(10_000)
    for (const { passed } of ofNarrow) expect(Math.abs(passed / 10 - 10_000)).toBeLessThan(500)
    for (const { passed } of ofWide) expect(Math.abs(passed / 10 - 35_000)).toBeLessThan(1500)
  })

  test('a limit that is raised, lowered or lifted holds at once for those who wait', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(1000)
    const eater = new Eater(scene, [channel])
    eater.eat()
    scene.run(5000)
    const slow = eater.passed
    expect(slow).toBeLessThanOrEqual(5000)
    channel.setLimit(50_000, scene.now)
    scene.run(4000)
    expect((eater.passed - slow) / 4).toBeGreaterThan(48_000)
    channel.setLimit(1000, scene.now)
    const before = eater.passed
    scene.run(4000)
    // And what was saved under the old limit counts no more.
    expect(eater.passed - before).toBeLessThanOrEqual(5000)
    channel.setLimit(0, scene.now)
    const limited = eater.passed
    scene.run(2 * INTERVAL_MS)
    expect(eater.passed - limited).toBeGreaterThan(1_000_000)
    expect([scene.manager.isLimited, scene.manager.queueSize, scene.isIdle]).toEqual([false, 0, true])
  })

  test('-1 is no limit', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(-1)
    expect([channel.limit, scene.manager.isLimited]).toEqual([0, false])
  })

  test('who leaves while waiting gives back what it was given, and is called no more', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(10_000)
    const leaving = new Eater(scene, [channel], 1, 16_384, 16_384)
    leaving.eat()
    scene.run(1000)
    expect(scene.manager.queueSize).toBe(1)
    leaving.user.leave()
    expect([scene.manager.queueSize, scene.manager.queuedBytes]).toEqual([0, 0])
    const other = new Eater(scene, [channel])
    other.eat()
    scene.run(INTERVAL_MS)
    expect(other.passed).toBeGreaterThan(9900)
    expect(leaving.wakes).toBe(0)
  })

  test('a block at a time: who needs all of it is given it in parts, and woken when it has all', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(1000)], 1, 16_397, 16_397)
    eater.eat()
    scene.run(16_300)
    expect([eater.wakes, eater.passed]).toEqual([0, 0])
    scene.run(200)
    expect([eater.wakes, eater.passed]).toEqual([1, 16_397])
  })

  test('those who need whole blocks get them one after the other, not all at once', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(100_000)
    const eaters = Array.from({ length: 50 }, () => new Eater(scene, [channel], 1, 16_397, 16_397))
    for (const eater of eaters) eater.eat()
    const passed = () => eaters.reduce((sum, eater) => sum + eater.passed, 0)
    for (let second = 0; second < 60; second++) {
      const before = passed()
      scene.run(1000)
      expect(Math.abs(passed() - before - 100_000)).toBeLessThanOrEqual(16_397 * 1.5)
    }
    // In a minute everybody's turn has come seven times.
    for (const eater of eaters) expect(Math.abs(eater.passed / 16_397 - 7.3)).toBeLessThan(1.5)
  })

  test('so do those who have wider limits of their own beside the one they share, and these hold, too', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(100_000)
    const wide = Array.from(
      { length: 50 },
      () => new Eater(scene, [channel, scene.channel(400_000)], 1, 16_397, 16_397),
    )
    const narrow = new Eater(scene, [channel, scene.channel(500)], 1, 16_397, 16_397)
    const eaters = [...wide, narrow]
    for (const eater of eaters) eater.eat()
    const passed = () => eaters.reduce((sum, eater) => sum + eater.passed, 0)
    for (let second = 0; second < 60; second++) {
      const before = passed()
      scene.run(1000)
      expect(Math.abs(passed() - before - 100_000)).toBeLessThanOrEqual(16_397 * 2)
    }
    for (const eater of wide) expect(Math.abs(eater.passed / 16_397 - 7.3)).toBeLessThan(1.5)
    expect(narrow.passed).toBeLessThanOrEqual(500 * 60)
    expect(narrow.passed).toBeGreaterThan(0)
  })

  test('who has lent to others that are gone goes on without them', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(10_000)
    const eaters = Array.from({ length: 5 }, () => new Eater(scene, [channel], 1, 16_397, 16_397))
    for (const eater of eaters) eater.eat()
    scene.run(3000)
    // Some were served with what the others had saved, and want nothing more.
    const waiting = eaters.filter(({ passed }) => passed === 0)
    expect(waiting.length).toBeLessThan(5)
    for (const eater of eaters) if (eater.passed > 0) eater.isHungry = false
    scene.run(20_000)
    for (const { passed } of waiting) expect(passed).toBeGreaterThan(0)
  })

  test('of those who need whole blocks, too, a higher priority gets more', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(50_000)
    const eaters = [1, 1, 4, 2].map((priority) => new Eater(scene, [channel], priority, 16_397, 16_397))
    for (const eater of eaters) eater.eat()
    scene.run(200_000)
    const part = eaters.map(({ passed }) => (passed * 8) / 10_000_000)
    ;[1, 1, 4, 2].forEach((fair, i) => {
      expect(Math.abs(part[i] - fair)).toBeLessThan(0.05)
    })
  })

  test('messages pass whatever the limit, and what follows makes up for them', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(10_000)])
    eater.user.charge(5000)
    eater.eat()
    scene.run(1000)
    expect(eater.passed).toBeLessThanOrEqual(5000)
    scene.run(1000)
    expect(eater.passed).toBeGreaterThan(14_000)
  })

  test('what is owed is forgotten after three seconds: no flood of headers stops a peer for ever', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(1000)])
    eater.user.charge(1_000_000)
    eater.eat()
    scene.run(3000)
    expect(eater.passed).toBe(0)
    scene.run(2000)
    expect(eater.passed).toBeGreaterThan(1500)
  })

  test('one that throws keeps nobody else waiting, and is reported', () => {
    const scene = new BandwidthScene()
    const channel = scene.channel(10_000)
    const [broken, sound] = [new Eater(scene, [channel]), new Eater(scene, [channel])]
    broken.eat()
    sound.eat()
    broken.onQuota = () => {
      throw new Error('a fault')
    }
    scene.run(5000)
    expect(scene.faults).toHaveLength(1)
    expect(sound.passed).toBeGreaterThan(40_000)
  })

  test('when nobody waits there is no timer', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(10_000)])
    eater.eat()
    scene.run(1000)
    eater.isHungry = false
    scene.run(5000)
    expect([scene.isIdle, scene.manager.queueSize]).toEqual([true, 0])
  })

  test('after the end nobody is served', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(10_000)])
    eater.eat()
    scene.manager.stop()
    scene.run(5000)
    expect([eater.passed, scene.isIdle]).toEqual([0, true])
  })

  test('limits beyond what any line carries hold nobody up', () => {
    const scene = new BandwidthScene()
    const eater = new Eater(scene, [scene.channel(10_000_000_000)])
    scene.run(1000)
    for (let i = 0; i < 1000; i++) expect(eater.user.take(262_144)).toBe(262_144)
    expect(scene.timers).toBe(0)
  })
})
