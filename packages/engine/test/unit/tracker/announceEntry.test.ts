import { describe, expect, test } from 'vitest'
import { libtorrentError } from '../../../src/errors/libtorrentError.ts'
import { AnnounceEndpoint } from '../../../src/tracker/announceEndpoint.ts'
import { AnnounceEntry } from '../../../src/tracker/announceEntry.ts'
import { FakeTime } from './fakes.ts'

const V4 = { address: '0.0.0.0', port: 6881 }
const V6 = { address: '::', port: 6881 }

describe('an announce entry', () => {
  test('begins untried: due, working, unknown counts', () => {
    const entry = new AnnounceEntry(' http://t/announce ')
    expect(entry).toMatchObject({
      url: 'http://t/announce',
      tier: 0,
      failLimit: 0,
      fails: 0,
      source: 0,
      verified: false,
      updating: false,
      startSent: false,
      completeSent: false,
      scrapeComplete: -1,
      scrapeIncomplete: -1,
      scrapeDownloaded: -1,
      lastError: null,
      endpoints: [],
    })
    expect(entry.isWorking()).toBe(true)
    expect(entry.canAnnounce(1, false)).toBe(true)
  })

  test('tells the seconds to its next announce', () => {
    const time = new FakeTime()
    const entry = new AnnounceEntry('http://t/', time)
    const endpoint = entry.openEndpoint(V4)
    endpoint.nextAnnounce = time.now() + 1500
    endpoint.minAnnounce = time.now() + 500
    expect([entry.nextAnnounceIn(), entry.minAnnounceIn()]).toEqual([2, 1])
    time.pass(5000)
    expect([entry.nextAnnounceIn(), entry.minAnnounceIn()]).toEqual([0, 0])
  })

  test('that fails is due after the backoff, or later if the tracker wishes', () => {
    const entry = new AnnounceEntry('http://t/')
    const endpoint = entry.openEndpoint(V4)
    endpoint.updating = true
    endpoint.failed(1000, 250)
    expect(entry).toMatchObject({ fails: 1, updating: false, nextAnnounce: 1000 + 17_000 })
    expect(entry.canAnnounce(17_999, false)).toBe(false)
    expect(entry.canAnnounce(18_000, false)).toBe(true)
    endpoint.failed(20_000, 250, 600)
    expect(entry).toMatchObject({ fails: 2, nextAnnounce: 20_000 + 600_000 })
    for (let i = 0; i < 200; i++) endpoint.failed(0, 250)
    expect(entry.fails).toBe(127)
  })

  test('cannot announce while updating, before its minimum interval, or over its fail limit', () => {
    const entry = new AnnounceEntry({ url: 'http://t/', failLimit: 2 })
    const endpoint = entry.openEndpoint(V4)
    endpoint.minAnnounce = 50
    expect(entry.canAnnounce(49, false)).toBe(false)
    expect(entry.canAnnounce(49, true)).toBe(true)
    expect(entry.canAnnounce(50, false)).toBe(true)
    endpoint.updating = true
    expect(entry.canAnnounce(50, false)).toBe(false)
    endpoint.updating = false
    endpoint.fails = 2
    expect(entry.canAnnounce(50, false)).toBe(false)
  })

  test('that is reset starts anew but remembers its failures', () => {
    const entry = new AnnounceEntry('http://t/')
    Object.assign(entry.openEndpoint(V4), { startSent: true, nextAnnounce: 5, minAnnounce: 5, fails: 3 })
    entry.reset()
    expect(entry).toMatchObject({ startSent: false, nextAnnounce: 0, minAnnounce: 0, fails: 3 })
  })

  test('has a tier that fits in a byte', () => {
    expect([-1, 1.5, 300].map((tier) => new AnnounceEntry({ url: 'u', tier }).tier)).toEqual([0, 1, 255])
  })

  test('that is retired is exhausted, whichever listen socket asks', () => {
    const entry = new AnnounceEntry('http://t/')
    entry.retire()
    entry.openEndpoint(V4)
    expect([entry.isExhausted(), entry.canAnnounce(1, true), entry.failLimit]).toEqual([true, false, 1])
  })
})

describe('an announce entry of two listen sockets', () => {
  const timedOut = libtorrentError('timedOut')

  test('keeps the state of each', () => {
    const entry = new AnnounceEntry('http://t/')
    const v4 = entry.openEndpoint(V4)
    const v6 = entry.openEndpoint(V6)
    expect(entry.openEndpoint({ ...V6 })).toBe(v6)
    expect(entry.findEndpoint({ ...V4 })).toBe(v4)
    expect(entry.findEndpoint({ ...V4, port: 1 })).toBe(null)
    expect(entry.endpoints).toEqual([v4, v6])
  })

  test('works as long as one of them does, and tells what that one was told', () => {
    const entry = new AnnounceEntry('http://t/')
    Object.assign(entry.openEndpoint(V6), { fails: 2, lastError: timedOut, nextAnnounce: 5 })
    Object.assign(entry.openEndpoint(V4), { startSent: true, message: 'hello', nextAnnounce: 100 })
    expect(entry).toMatchObject({ fails: 0, lastError: null, message: 'hello', nextAnnounce: 100, startSent: true })
    expect(entry.isWorking()).toBe(true)
    entry.openEndpoint(V6).updating = true
    expect(entry.updating).toBe(true)
  })

  test('fails as often as the one that has failed least, of those that can reach it', () => {
    const entry = new AnnounceEntry({ url: 'http://t/', failLimit: 3 })
    const v4 = Object.assign(entry.openEndpoint(V4), { fails: 3, lastError: timedOut, message: 'no' })
    const v6 = Object.assign(entry.openEndpoint(V6), { fails: 1, enabled: false })
    expect(entry).toMatchObject({ fails: 3, lastError: timedOut, message: 'no' })
    expect(entry.isExhausted()).toBe(true)
    v6.enabled = true
    expect([entry.fails, entry.isExhausted()]).toEqual([1, false])
    v4.enabled = false
    expect(entry.fails).toBe(1)
  })

  test('counts the larger of what each was told, until a scrape tells anew', () => {
    const entry = new AnnounceEntry('http://t/')
    const v4 = entry.openEndpoint(V4)
    const v6 = entry.openEndpoint(V6)
    const counts = () => [entry.scrapeComplete, entry.scrapeIncomplete, entry.scrapeDownloaded]
    entry.noteCounts({ complete: 9, incomplete: 9, downloaded: 9 }, null)
    entry.noteCounts({ complete: 5, incomplete: 1, downloaded: -1 }, v4)
    entry.noteCounts({ complete: 3, incomplete: 2, downloaded: -1 }, v6)
    expect(counts()).toEqual([5, 2, 9])
    entry.noteCounts({ complete: 4, incomplete: -1, downloaded: 7 }, null)
    expect(counts()).toEqual([4, 2, 7])
  })

  test('is copied with them', () => {
    const entry = new AnnounceEntry('http://t/')
    const v4 = entry.openEndpoint(V4)
    const copy = entry.clone()
    v4.fails = 5
    entry.openEndpoint(V6)
    expect(copy.endpoints).toEqual([new AnnounceEndpoint(V4)])
  })
})
