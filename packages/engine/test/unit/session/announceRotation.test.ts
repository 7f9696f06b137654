import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { AnnounceRotation } from '../../../src/session/announceRotation.ts'

const MINUTE = 60_000

function scene() {
  const time = new VirtualTime()
  const begin = time.now()
  const announced: [string, number][] = []
  const rotation = new AnnounceRotation<string>({
    timers: time,
    interval: 15 * MINUTE,
    announce: (member) => announced.push([member, time.now() - begin]),
  })
  const timesOf = (name: string) => announced.filter(([member]) => member === name).map(([, when]) => when)
  return { time, rotation, announced, timesOf }
}

test('a new member is announced at once, and then once in each interval', () => {
  const { time, rotation, timesOf } = scene()
  rotation.add('a')
  time.run({ minutes: 46 })
  expect(timesOf('a')).toEqual([0, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE])
})

test('many members share the interval, and each has its turn in it', () => {
  const { time, rotation, announced, timesOf } = scene()
  const names = Array.from({ length: 100 }, (_, i) => `torrent ${i}`)
  for (const name of names) rotation.add(name)
  time.run({ seconds: 12 })
  expect(new Set(announced.map(([name]) => name)).size).toBe(100)
  time.run({ minutes: 15 })
  for (const name of names) expect(timesOf(name).length).toBeGreaterThanOrEqual(2)
  expect(announced.length).toBeLessThan(210)
})

test('a member added in a quiet time does not wait for the turn of another', () => {
  const { time, rotation, timesOf } = scene()
  rotation.add('a')
  time.run({ minutes: 5 })
  rotation.add('b')
  time.run({ seconds: 1 })
  expect(timesOf('b')).toEqual([5 * MINUTE])
})

test('while the service is not ready nobody loses a turn', () => {
  const time = new VirtualTime()
  const begin = time.now()
  const announced: [string, number][] = []
  const rotation = new AnnounceRotation<string>({
    timers: time,
    interval: MINUTE,
    isReady: () => time.now() - begin >= 10_000,
    announce: (member) => announced.push([member, time.now() - begin]),
  })
  rotation.add('a')
  rotation.add('b')
  time.run({ seconds: 20 })
  expect(announced).toEqual([
    ['a', 10_000],
    ['b', 10_100],
  ])
})

test('who has left is not announced, and without members no timer runs', () => {
  const { time, rotation, timesOf } = scene()
  rotation.add('a')
  rotation.add('b')
  time.run({ minutes: 1 })
  rotation.delete('a')
  rotation.delete('b')
  time.run({ minutes: 60 })
  expect(timesOf('a')).toHaveLength(1)
  expect(time.pending).toBe(0)
  rotation.add('a')
  time.run({ seconds: 1 })
  expect(timesOf('a')).toHaveLength(2)
})

test('whoever announces may add and remove members meanwhile', () => {
  const time = new VirtualTime()
  const announced: string[] = []
  const rotation: AnnounceRotation<string> = new AnnounceRotation<string>({
    timers: time,
    interval: MINUTE,
    announce: (member) => {
      announced.push(member)
      rotation.delete(member)
      if (member !== 'last') rotation.add('last')
    },
  })
  rotation.add('first')
  time.run({ minutes: 5 })
  expect(announced).toEqual(['first', 'last'])
})
