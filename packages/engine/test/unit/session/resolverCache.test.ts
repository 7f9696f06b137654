import { describe, expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { type LibtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import { RESOLVER_CACHE_SIZE, ResolverCache } from '../../../src/session/resolverCache.ts'

const NOWHERE = systemError({ code: 'EAI_AGAIN', message: 'no name server' })

/** A name server that takes 20 ms, and the cache in front of it. */
function scene() {
  const time = new VirtualTime()
  const asked: string[] = []
  const names = new Map<string, readonly string[]>()
  let cancelled = 0
  const host = {
    clock: time,
    timers: time,
    cacheTimeout: 1200,
    resolver: {
      resolve(name: string, done: (result: readonly string[] | LibtorrentError) => void) {
        asked.push(name)
        const timer = time.after(20, () => done(names.get(name) ?? NOWHERE))
        return () => {
          cancelled++
          timer.cancel()
        }
      },
    },
  }
  const cache = new ResolverCache(host)
  const answers: string[] = []
  const ask = (name: string) =>
    cache.resolve(name, (result) => answers.push('code' in result ? result.code : result.join(' ')))
  return { time, asked, names, host, cache, answers, ask, cancelled: () => cancelled }
}

describe('a resolver cache', () => {
  test('answers from memory, later, until the timeout is over', () => {
    const { time, asked, names, answers, ask } = scene()
    names.set('t.example', ['1.1.1.1', '2001:db8::1'])
    ask('t.example')
    time.run({ seconds: 1199 })
    names.set('t.example', ['2.2.2.2'])
    ask('T.Example')
    expect(answers).toEqual(['1.1.1.1 2001:db8::1'])
    time.run({ seconds: 2 })
    expect(answers).toEqual(['1.1.1.1 2001:db8::1', '1.1.1.1 2001:db8::1'])
    expect(asked).toEqual(['t.example'])
    ask('t.example')
    time.run({ seconds: 1 })
    expect(answers[2]).toBe('2.2.2.2')
    expect(asked).toEqual(['t.example', 't.example'])
  })

  test('asks once for all who want to know at the same time', () => {
    const { time, asked, names, answers, ask } = scene()
    names.set('t.example', ['1.1.1.1'])
    for (let i = 0; i < 1000; i++) ask('t.example')
    time.run({ seconds: 1 })
    expect(asked).toEqual(['t.example'])
    expect(answers.length).toBe(1000)
  })

  test('remembers no failure', () => {
    const { time, names, answers, ask } = scene()
    ask('t.example')
    ask('t.example')
    time.run({ seconds: 1 })
    names.set('t.example', ['1.1.1.1'])
    ask('t.example')
    time.run({ seconds: 1 })
    expect(answers).toEqual(['EAI_AGAIN', 'EAI_AGAIN', '1.1.1.1'])
  })

  test('remembers nothing with a timeout of 0', () => {
    const { time, asked, names, host, ask } = scene()
    names.set('t.example', ['1.1.1.1'])
    host.cacheTimeout = 0
    for (let i = 0; i < 3; i++) {
      ask('t.example')
      time.run({ seconds: 1 })
    }
    expect(asked.length).toBe(3)
  })

  test('forgets the oldest names when there are too many', () => {
    const { time, asked, names, ask } = scene()
    for (let i = 0; i <= RESOLVER_CACHE_SIZE; i++) {
      names.set(`n${i}`, ['1.1.1.1'])
      ask(`n${i}`)
    }
    time.run({ seconds: 1 })
    asked.length = 0
    for (const name of ['n1', `n${RESOLVER_CACHE_SIZE}`, 'n0']) ask(name)
    time.run({ seconds: 1 })
    expect(asked).toEqual(['n0'])
  })

  test('tells nobody who has cancelled, and gives up a lookup that nobody waits for', () => {
    const { time, names, answers, ask, cancelled } = scene()
    names.set('t.example', ['1.1.1.1'])
    const first = ask('t.example')
    const second = ask('t.example')
    first()
    first()
    expect(cancelled()).toBe(0)
    second()
    expect(cancelled()).toBe(1)
    ask('t.example')
    time.run({ seconds: 1 })
    ask('t.example')()
    time.run({ seconds: 1 })
    expect(answers).toEqual(['1.1.1.1'])
  })

  test('knows what it remembers, and addresses', () => {
    const { time, names, cache, ask } = scene()
    names.set('t.example', ['1.1.1.1'])
    expect(cache.known('t.example')).toBe(null)
    ask('t.example')
    time.run({ seconds: 1 })
    expect([cache.known('T.example'), cache.known('10.0.0.1')]).toEqual([['1.1.1.1'], ['10.0.0.1']])
    time.run({ seconds: 1200 })
    expect(cache.known('t.example')).toBe(null)
  })

  test('hands addresses on as they are', () => {
    const { time, asked, answers, names, ask } = scene()
    for (const literal of ['10.0.0.1', '::1', '[::1]']) {
      names.set(literal, [literal])
      ask(literal)
      ask(literal)
    }
    time.run({ seconds: 1 })
    expect(asked.length).toBe(6)
    expect(answers.length).toBe(6)
  })
})
