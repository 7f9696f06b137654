import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import { AlertQueue } from '../../../src/alerts/alertQueue.ts'
import { SessionErrorAlert } from '../../../src/alerts/sessionAlerts.ts'
import { AlertHub } from '../../../src/api/alertHub.ts'
import { systemError } from '../../../src/errors/libtorrentError.ts'

const QUEUE_LIMIT = 10

function scene() {
  const time = new VirtualTime()
  const queue = new AlertQueue(time, { mask: AlertCategory.error, sizeLimit: QUEUE_LIMIT })
  const hub = new AlertHub(queue, time)
  const post = () => queue.post(new SessionErrorAlert({ error: systemError(new Error('a fault')) }))
  return { time, queue, hub, post }
}

test('an iterator that nobody reads does not grow without end', async () => {
  const { time, hub, post } = scene()
  const alerts = hub.iterate()
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < QUEUE_LIMIT; i++) post()
    time.run({ seconds: 1 })
  }
  hub.end()
  let kept = 0
  for await (const _alert of alerts) kept++
  expect(kept).toBeLessThan(10 * QUEUE_LIMIT)
})

test('listening to an alert that does not exist throws, with the name that was meant', () => {
  const { hub } = scene()
  expect(() => hub.on('torentFinished', () => {})).toThrow(/did you mean "torrentFinished"/)
  expect(() => hub.once('torrent_finished', () => {})).toThrow(TypeError)
  for (const name of ['constructor', '__proto__', 'toString', ''])
    expect(() => hub.on(name, () => {})).toThrow(TypeError)
  hub.on('alert', () => {})
  hub.once('torrentFinished', () => {})
  hub.off('nonsense', () => {})
})

test('an iterator made after the end is at its end', async () => {
  const { hub } = scene()
  hub.end()
  expect(await hub.iterate().next()).toEqual({ value: undefined, done: true })
})
