import { expect } from 'vitest'
import { scenario } from '../scenario.ts'
import { connectTo, Feeder, utpOn } from './utpScene.ts'

const RATE = 1_250_000

for (const reorder of [0.01, 0.05, 0.2]) {
  scenario(`where others overtake ${reorder * 100} % of all packets the line is used all the same`, (world) => {
    const a = world.host('a', { latency: 12 })
    const b = world.host('b', { latency: 12, down: RATE })
    const [from, to] = [utpOn(world, a), utpOn(world, b)]
    const { near, far } = connectTo(world, from, to)
    a.reorder = reorder
    new Feeder(near)
    world.run({ seconds: 5 })
    const before = far.received
    world.run({ seconds: 10 })
    expect(far.received - before).toBeGreaterThan(0.85 * 10 * RATE)
    expect(far.isIntact).toBe(true)
    from.close()
    to.close()
  })
}

scenario('patience with packets that are overtaken costs nothing where they are lost', (world) => {
  const a = world.host('a', { latency: 12 })
  const b = world.host('b', { latency: 12, down: RATE })
  const [from, to] = [utpOn(world, a), utpOn(world, b)]
  const { near, far } = connectTo(world, from, to)
  a.reorder = 0.2
  new Feeder(near)
  world.run({ seconds: 3 })
  a.reorder = 0
  b.loss = 0.02
  world.run({ seconds: 3 })
  const before = far.received
  world.run({ seconds: 20 })
  // As for any path (Mathis et al. 1997).
  expect(far.received - before).toBeGreaterThan(0.5 * (1400 / 0.048) * Math.sqrt(1.5 / 0.02) * 20)
  expect(from.utp.counters.timeout).toBeLessThan(20)
  from.close()
  to.close()
})
