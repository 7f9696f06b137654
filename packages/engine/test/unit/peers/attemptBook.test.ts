import { describe, expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { AttemptBook, FORGIVEN_FAILURES, MAX_ATTEMPTS_AT_ONCE } from '../../../src/peers/attemptBook.ts'

const VICTIM = '60.0.0.1'

function scene() {
  const time = new VirtualTime()
  const book = new AttemptBook(time)
  const dial = (address = VICTIM) => {
    const attempt = {}
    book.dialled(address, attempt)
    return attempt
  }
  const told: string[] = []
  const mayDial = (address = VICTIM, who = 'me') =>
    book.mayDial(address, { onReached: (where) => told.push(`${who} ${where}`) })
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) book.ended(VICTIM, dial(), true)
  }
  return { time, book, dial, fail, mayDial, told }
}

describe('an address nobody has answered at', () => {
  test('is dialled by a few at once, not more', () => {
    const { book, dial, mayDial } = scene()
    const attempts = Array.from({ length: MAX_ATTEMPTS_AT_ONCE }, () => {
      expect(mayDial(VICTIM)).toBe(true)
      return dial()
    })
    expect(mayDial(VICTIM)).toBe(false)
    expect(mayDial('60.0.0.2')).toBe(true)
    // Given up by ourselves: that says nothing about the address.
    book.ended(VICTIM, attempts[0], false)
    expect(mayDial(VICTIM)).toBe(true)
  })

  test('is left alone for longer and longer, an hour at most, and then dialled by one at a time', () => {
    const { time, book, dial, fail, mayDial } = scene()
    fail(FORGIVEN_FAILURES - 1)
    expect(mayDial(VICTIM)).toBe(true)
    fail(1)
    for (let rest = 60; rest < 10_000; rest *= 2) {
      const seconds = Math.min(rest, 3600)
      expect(mayDial(VICTIM)).toBe(false)
      time.run({ seconds: seconds - 1 })
      expect(mayDial(VICTIM)).toBe(false)
      time.run({ seconds: 1 })
      expect(mayDial(VICTIM)).toBe(true)
      const attempt = dial()
      expect(mayDial(VICTIM)).toBe(false)
      book.ended(VICTIM, attempt, true)
    }
  })

  test('is forgotten when ten thousand others came after it', () => {
    const { book, dial, fail, mayDial } = scene()
    fail(FORGIVEN_FAILURES)
    for (let i = 0; i < 10_000; i++) {
      const address = `61.0.${i >> 8}.${i & 255}`
      book.ended(address, dial(address), true)
    }
    expect(mayDial(VICTIM)).toBe(true)
  })
})

describe('an address at which BitTorrent is spoken', () => {
  test('is dialled freely from then on, and those who had to wait are told', () => {
    const { book, dial, fail, mayDial, told } = scene()
    fail(1)
    for (let i = 0; i < MAX_ATTEMPTS_AT_ONCE; i++) dial()
    expect([mayDial(VICTIM, 'one'), mayDial(VICTIM, 'two')]).toEqual([false, false])
    book.reached(VICTIM)
    book.reached(VICTIM)
    expect(told).toEqual([`one ${VICTIM}`, `two ${VICTIM}`])
    for (let i = 0; i < 100; i++) {
      expect(mayDial()).toBe(true)
      dial()
      book.reached(VICTIM)
    }
  })

  test('is dialled freely also when it was left alone before', () => {
    const { book, fail, mayDial, told } = scene()
    fail(10)
    expect(mayDial()).toBe(false)
    book.reached(VICTIM)
    expect(told).toEqual([`me ${VICTIM}`])
    expect(mayDial()).toBe(true)
  })
})

test('our own machine may be dialled however often that fails', () => {
  const { book, dial, mayDial } = scene()
  for (let i = 0; i < 100; i++) book.ended('127.0.0.1', dial('127.0.0.1'), true)
  expect(mayDial('127.0.0.1')).toBe(true)
})
