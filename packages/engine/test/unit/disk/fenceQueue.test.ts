import { expect, test } from 'vitest'
import { FenceQueue } from '../../../src/disk/fenceQueue.ts'

test('a fence waits for the jobs under way, and holds back those that come after it', () => {
  const queue = new FenceQueue()
  const log: string[] = []
  let release = () => {}
  queue.started()
  queue.started()
  queue.fence((done) => {
    log.push('fence')
    release = done
  })
  expect(queue.isOpen).toBe(false)
  queue.hold(() => log.push('later job'))
  queue.finished()
  expect(log).toEqual([])
  queue.finished()
  expect(log).toEqual(['fence'])
  release()
  expect(log).toEqual(['fence', 'later job'])
  expect(queue.isOpen).toBe(true)
})

test('fences and jobs run in the order they were asked for', () => {
  const queue = new FenceQueue()
  const log: string[] = []
  const releases: (() => void)[] = []
  const fence = (name: string) =>
    queue.fence((done) => {
      log.push(name)
      releases.push(done)
    })
  fence('a')
  queue.hold(() => {
    queue.started()
    log.push('job')
  })
  fence('b')
  fence('c')
  releases[0]()
  expect(log).toEqual(['a', 'job'])
  queue.finished()
  expect(log).toEqual(['a', 'job', 'b'])
  releases[1]()
  releases[2]()
  expect(log).toEqual(['a', 'job', 'b', 'c'])
  expect(queue.isOpen).toBe(true)
})

test('a fence that is done at once lets the next one run', () => {
  const queue = new FenceQueue()
  const log: number[] = []
  for (let i = 0; i < 3; i++) {
    queue.fence((release) => {
      log.push(i)
      release()
    })
  }
  expect(log).toEqual([0, 1, 2])
  expect(queue.isOpen).toBe(true)
})
