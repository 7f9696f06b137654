import { describe, expect, test } from 'vitest'
import { AnnounceEntry } from '../../../src/tracker/announceEntry.ts'
import { FakeTime } from './fakes.ts'

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
    })
    expect(entry.isWorking()).toBe(true)
    expect(entry.canAnnounce(1, false)).toBe(true)
  })

  test('tells the seconds to its next announce', () => {
    const time = new FakeTime()
    const entry = new AnnounceEntry('http://t/', time)
    entry.nextAnnounce = time.now() + 1500
    entry.minAnnounce = time.now() + 500
    expect([entry.nextAnnounceIn(), entry.minAnnounceIn()]).toEqual([2, 1])
    time.pass(5000)
    expect([entry.nextAnnounceIn(), entry.minAnnounceIn()]).toEqual([0, 0])
  })

  test('that fails is due after the backoff, or later if the tracker wishes', () => {
    const entry = new AnnounceEntry('http://t/')
    entry.updating = true
    entry.failed(1000, 250)
    expect(entry).toMatchObject({ fails: 1, updating: false, nextAnnounce: 1000 + 17_000 })
    expect(entry.canAnnounce(17_999, false)).toBe(false)
    expect(entry.canAnnounce(18_000, false)).toBe(true)
    entry.failed(20_000, 250, 600)
    expect(entry).toMatchObject({ fails: 2, nextAnnounce: 20_000 + 600_000 })
    for (let i = 0; i < 200; i++) entry.failed(0, 250)
    expect(entry.fails).toBe(127)
  })

  test('cannot announce while updating, before its minimum interval, or over its fail limit', () => {
    const entry = new AnnounceEntry({ url: 'http://t/', failLimit: 2 })
    entry.minAnnounce = 50
    expect(entry.canAnnounce(49, false)).toBe(false)
    expect(entry.canAnnounce(49, true)).toBe(true)
    expect(entry.canAnnounce(50, false)).toBe(true)
    entry.updating = true
    expect(entry.canAnnounce(50, false)).toBe(false)
    entry.updating = false
    entry.fails = 2
    expect(entry.canAnnounce(50, false)).toBe(false)
  })

  test('that is reset starts anew but remembers its failures', () => {
    const entry = new AnnounceEntry('http://t/')
    Object.assign(entry, { startSent: true, nextAnnounce: 5, minAnnounce: 5, fails: 3 })
    entry.reset()
    expect(entry).toMatchObject({ startSent: false, nextAnnounce: 0, minAnnounce: 0, fails: 3 })
  })

  test('has a tier that fits in a byte', () => {
    expect([-1, 1.5, 300].map((tier) => new AnnounceEntry({ url: 'u', tier }).tier)).toEqual([0, 1, 255])
  })
})
