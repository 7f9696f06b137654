import { expect, test } from 'vitest'
import { type ConnectingTorrent, ConnectTurns } from '../../../src/session/connectTurns.ts'

interface Named extends ConnectingTorrent {
  readonly name: string
  isFinished: boolean
}

function torrent(name: string, isFinished = false): Named {
  return { name, isFinished, connectOne: () => true }
}

/** Names of the next turns; each torrent goes to the end again. */
function turns(queue: ConnectTurns, count: number): string {
  let names = ''
  for (let i = 0; i < count; i++) {
    const next = queue.next() as Named | null
    if (next === null) break
    names += next.name
    queue.add(next)
  }
  return names
}

test('downloading torrents take turns', () => {
  const queue = new ConnectTurns(() => 10)
  for (const name of 'abc') queue.add(torrent(name))
  expect(turns(queue, 7)).toBe('abcabca')
})

test('after every tenth of their turns it is that of a finished torrent', () => {
  const queue = new ConnectTurns(() => 10)
  for (const name of 'ab') queue.add(torrent(name))
  for (const name of 'XY') queue.add(torrent(name, true))
  expect(turns(queue, 33)).toBe('ababababab' + 'X' + 'ababababab' + 'Y' + 'ababababab' + 'X')
})

test('finished torrents have all turns when nothing is downloading', () => {
  const queue = new ConnectTurns(() => 10)
  for (const name of 'XY') queue.add(torrent(name, true))
  expect(turns(queue, 5)).toBe('XYXYX')
})

test('a torrent that finishes or begins anew while it waits counts as what it is when its turn comes', () => {
  const queue = new ConnectTurns(() => 2)
  const [a, b, x] = [torrent('a'), torrent('b'), torrent('X', true)]
  for (const each of [a, b, x]) queue.add(each)
  a.isFinished = true
  x.isFinished = false
  expect(turns(queue, 6)).toBe('bbabXa')
})

test('a torrent that is preferred has the next ten turns, and then one like the others', () => {
  const queue = new ConnectTurns(() => 10)
  const [a, b] = [torrent('a'), torrent('b')]
  queue.add(a)
  queue.add(b)
  queue.prefer(b)
  queue.prefer(b)
  expect(turns(queue, 14)).toBe('bbbbbbbbbb' + 'abab')
})

test('one that is preferred and wants nothing has no turn', () => {
  const queue = new ConnectTurns(() => 10)
  queue.add(torrent('a'))
  queue.prefer(torrent('b'))
  expect(turns(queue, 2)).toBe('aa')
})

test('waiting twice is waiting once', () => {
  const queue = new ConnectTurns(() => 10)
  const a = torrent('a')
  for (let i = 0; i < 3; i++) queue.add(a)
  expect(queue.size).toBe(1)
  expect(queue.next()).toBe(a)
  expect(queue.next()).toBeNull()
})
