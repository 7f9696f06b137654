import { expect, test } from 'vitest'
import { AnnounceQueue } from '../../../src/tracker/announceQueue.ts'

function aQueue(limit: number) {
  const queue = new AnnounceQueue(() => limit)
  const running = new Map<string, () => void>()
  const started: string[] = []
  const submit = (name: string, urgent = false, lane = '') =>
    queue.submit(
      (finished) => {
        started.push(name)
        running.set(name, () => {
          running.delete(name)
          finished()
        })
        return () => running.delete(name)
      },
      urgent,
      lane,
    )
  return { queue, started, submit, finish: (name: string) => running.get(name)?.(), running }
}

test('no more than the limit run at once, the others in the order they came', () => {
  const { queue, started, submit, finish } = aQueue(2)
  for (const name of ['a', 'b', 'c', 'd']) submit(name)
  expect(started).toEqual(['a', 'b'])
  expect([queue.activeCount, queue.queuedCount]).toEqual([2, 2])
  finish('b')
  finish('a')
  expect(started).toEqual(['a', 'b', 'c', 'd'])
})

test('those a person asked for go before all that wait', () => {
  const { started, submit, finish } = aQueue(1)
  submit('running')
  submit('first')
  submit('urgent', true)
  submit('urgent too', true)
  for (const name of ['running', 'urgent', 'urgent too', 'first']) finish(name)
  expect(started).toEqual(['running', 'urgent', 'urgent too', 'first'])
})

test('one that waits is put before all that nobody asked for, behind those that somebody did', () => {
  const { queue, started, submit, finish } = aQueue(1)
  const running = submit('running')
  submit('first')
  const asked = submit('asked for')
  submit('urgent', true)
  for (const work of [asked, asked, running]) work.hurry()
  expect([queue.activeCount, queue.queuedCount]).toEqual([1, 3])
  for (const name of ['running', 'urgent', 'asked for', 'first']) finish(name)
  expect(started).toEqual(['running', 'urgent', 'asked for', 'first'])
  asked.hurry()
  expect(queue.queuedCount).toBe(0)
})

test('cancelling takes off the queue what waits and aborts what runs, once', () => {
  const { queue, started, submit, running } = aQueue(1)
  const cancelRunning = submit('running')
  const cancelWaiting = submit('waiting')
  submit('next')
  cancelWaiting.cancel()
  cancelRunning.cancel()
  cancelRunning.cancel()
  expect(started).toEqual(['running', 'next'])
  expect([...running.keys()]).toEqual(['next'])
  expect(queue.activeCount).toBe(1)
})

test('a limit of zero still lets one run', () => {
  const { started, submit } = aQueue(0)
  submit('a')
  expect(started).toEqual(['a'])
})

test('a lane where everything takes long has no more than its share while another has work', () => {
  const { started, submit, finish, running } = aQueue(4)
  for (let i = 0; i < 100; i++) submit(`slow ${i}`, false, '::')
  expect(running.size).toBe(4)
  for (let i = 0; i < 100; i++) submit(`quick ${i}`, false, '0.0.0.0')
  for (const name of ['slow 0', 'slow 1']) finish(name)
  while (started.some((name) => name.startsWith('quick') && running.has(name))) {
    for (const name of [...running.keys()]) if (name.startsWith('quick')) finish(name)
  }
  expect(started.filter((name) => name.startsWith('quick')).length).toBe(100)
  // Of those that waited two got a place when nothing else was left.
  expect(started.filter((name) => name.startsWith('slow')).length).toBe(6)
})
