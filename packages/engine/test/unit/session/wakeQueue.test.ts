import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { WakeQueue } from '../../../src/session/wakeQueue.ts'

function scene() {
  const time = new VirtualTime()
  const begin = time.now()
  const woken: [string, number][] = []
  const queue = new WakeQueue<{ name: string }>(time, time, ({ name }, now) => woken.push([name, now - begin]))
  return { time, queue, woken, at: (ms: number) => begin + ms }
}

test('nobody is woken before the time wished for, nor much later', () => {
  const { time, queue, woken, at } = scene()
  for (const ms of [1000, 1003, 1009]) queue.set({ name: String(ms) }, at(ms))
  time.run({ seconds: 2 })
  expect(woken.map(([name]) => name)).toEqual(['1000', '1003', '1009'])
  for (const [name, when] of woken) {
    expect(when).toBeGreaterThanOrEqual(Number(name))
    expect(when).toBeLessThanOrEqual(Number(name) + 10)
  }
})

test('of several wishes of one owner the last counts, and an infinite one takes it back', () => {
  const { time, queue, woken, at } = scene()
  const [a, b] = [{ name: 'a' }, { name: 'b' }]
  queue.set(a, at(100))
  queue.set(a, at(500))
  queue.set(b, at(200))
  queue.set(b, Number.POSITIVE_INFINITY)
  time.run({ seconds: 1 })
  expect(woken.length).toBe(1)
  expect(woken[0][1]).toBeGreaterThanOrEqual(500)
})

test('an owner that wishes for the same moment again while another is woken does not keep the queue going round', () => {
  const time = new VirtualTime()
  const begin = time.now()
  let calls = 0
  const queue = new WakeQueue<{ readonly when: number }>(time, time, (owner, now) => {
    calls++
    if (now < owner.when) queue.set(owner, owner.when)
  })
  for (const ms of [100, 102, 104]) queue.set({ when: begin + ms }, begin + ms)
  time.run({ seconds: 1 })
  expect(calls).toBe(3)
})
