import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { Connector, type ConnectorHost } from '../../../src/session/connector.ts'
import type { ConnectingTorrent } from '../../../src/session/connectTurns.ts'

/** A session with torrents that want connections, and nothing else. */
class Scene implements ConnectorHost {
  readonly clock = new VirtualTime()
  readonly timers = this.clock
  readonly settings = {
    connectionSpeed: 10,
    connectSeedEveryNDownload: 10,
    halfOpenLimit: 0,
    smoothConnects: false,
    tickInterval: 500,
  }
  freeConnections = 1000
  halfOpen = 0
  /** When attempts were made, in ms. */
  readonly attempts: number[] = []
  readonly connector: Connector
  private readonly begin = this.clock.now()

  constructor(changes: Partial<Scene['settings']> = {}) {
    Object.assign(this.settings, changes)
    this.connector = new Connector(this)
  }

  torrent(candidates = Number.POSITIVE_INFINITY): ConnectingTorrent {
    let left = candidates
    return {
      isFinished: false,
      connectOne: () => {
        if (left <= 0) return false
        left--
        this.freeConnections--
        this.attempts.push(this.clock.now() - this.begin)
        return true
      },
    }
  }

  /** Attempts in each of the first seconds. */
  perSecond(seconds: number): number[] {
    this.clock.run({ seconds })
    return Array.from({ length: seconds }, (_, i) => this.attempts.filter((at) => Math.floor(at / 1000) === i).length)
  }
}

test('what was saved up is spent at once, then as many a second as the setting says', () => {
  const scene = new Scene()
  scene.connector.add(scene.torrent())
  const counts = scene.perSecond(5)
  expect(scene.attempts.filter((at) => at === 0)).toHaveLength(10)
  expect(counts[0]).toBe(15)
  expect(counts.slice(1)).toEqual([10, 10, 10, 10])
})

test.each([100, 250, 1000])('they are handed out every %i ms: the tick interval', (tickInterval) => {
  const scene = new Scene({ tickInterval, connectionSpeed: 100 })
  scene.connector.add(scene.torrent())
  scene.clock.run({ seconds: 10 })
  const times = [...new Set(scene.attempts)]
  const gaps = times.slice(1).map((at, i) => at - times[i])
  expect(new Set(gaps)).toEqual(new Set([tickInterval]))
})

test('a speed of 0 makes none, and asks for no timer', () => {
  const scene = new Scene({ connectionSpeed: 0 })
  scene.connector.add(scene.torrent())
  expect(scene.connector.boost(scene.torrent(), 30)).toBe(0)
  expect(scene.perSecond(3)).toEqual([0, 0, 0])
  expect(scene.clock.pending).toBe(0)
  scene.settings.connectionSpeed = 10
  scene.connector.resume()
  expect(scene.perSecond(4)[3]).toBeGreaterThan(0)
})

test('a boost is made at once, and the attempts that follow make up for it', () => {
  const scene = new Scene()
  const torrent = scene.torrent()
  expect(scene.connector.boost(torrent, 40)).toBe(40)
  scene.connector.add(torrent)
  const counts = scene.perSecond(6)
  // Ten were saved up; the other thirty are three seconds of silence.
  expect(counts.slice(0, 3)).toEqual([40, 0, 0])
  expect(counts.slice(3).every((count) => count >= 5 && count <= 15)).toBe(true)
  expect(counts.slice(3).reduce((sum, count) => sum + count)).toBeLessThanOrEqual(30)
})

test('a boost ends where candidates or connections do', () => {
  const scene = new Scene()
  expect(scene.connector.boost(scene.torrent(7), 40)).toBe(7)
  scene.freeConnections = 5
  expect(scene.connector.boost(scene.torrent(), 40)).toBe(5)
})

test('close to the limit attempts are spread over time, and all connections are used in the end', () => {
  const scene = new Scene({ smoothConnects: true, connectionSpeed: 100 })
  scene.freeConnections = 40
  scene.connector.add(scene.torrent())
  const counts = scene.perSecond(8)
  expect(counts[0]).toBeLessThanOrEqual(40 / 2 + 20 / 2)
  for (let i = 1; i < counts.length; i++) expect(counts[i]).toBeLessThanOrEqual(counts[i - 1])
  expect(counts.reduce((sum, count) => sum + count)).toBe(40)
})

test('without free connections nothing is tried until there is one', () => {
  const scene = new Scene()
  scene.freeConnections = 0
  scene.connector.add(scene.torrent())
  expect(scene.perSecond(3)).toEqual([0, 0, 0])
  expect(scene.clock.pending).toBe(0)
  scene.freeConnections = 1
  scene.connector.resume()
  expect(scene.perSecond(4)).toEqual([0, 0, 0, 1])
})
