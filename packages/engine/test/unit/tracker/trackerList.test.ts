import { beforeEach, describe, expect, test } from 'vitest'
import { TrackerSource } from '../../../src/metainfo/trackerUrl.ts'
import { TrackerList } from '../../../src/tracker/trackerList.ts'
import { FakeRandom, FakeTime } from './fakes.ts'

let list: TrackerList
beforeEach(() => {
  list = new TrackerList(new FakeTime())
})

const load = (...specs: [url: string, tier: number][]) => list.replace(specs.map(([url, tier]) => ({ url, tier })))
const urls = () => list.entries.map(({ url }) => url)
const tiers = () => list.entries.map(({ url, tier }) => `${url}${tier}`)

const LOCAL = { address: '0.0.0.0', port: 6881 }

describe('the list of trackers', () => {
  test('is ordered by tier, keeping the order within one', () => {
    load(['c', 1], ['a', 0], ['d', 1], ['b', 0])
    expect(urls()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('has no URL twice, and none that is empty; the sources are joined', () => {
    list.replace([
      { url: 'a', source: TrackerSource.torrent },
      { url: '' },
      { url: 'a', tier: 3, source: TrackerSource.magnetLink },
    ])
    expect(tiers()).toEqual(['a0'])
    expect(list.entries[0].source).toBe(TrackerSource.torrent | TrackerSource.magnetLink)
  })

  test('gets a new tracker behind those of its tier', () => {
    load(['a', 0], ['c', 2])
    expect(list.add({ url: 'b', tier: 0 })?.source).toBe(TrackerSource.client)
    list.add({ url: 'm', tier: 1 })
    list.add({ url: 'z', tier: 9 })
    expect(tiers()).toEqual(['a0', 'b0', 'm1', 'c2', 'z9'])
    expect(list.add({ url: 'a', tier: 5 })).toBeNull()
    expect(list.add({ url: '  ' })).toBeNull()
  })

  test('keeps what it knows of trackers that stay when it is replaced', () => {
    load(['a', 0], ['b', 0])
    const [a, b] = list.entries
    a.openEndpoint(LOCAL).startSent = true
    expect(load(['c', 0], ['a', 1])).toEqual([b])
    expect(tiers()).toEqual(['c0', 'a1'])
    expect(list.find('a')).toBe(a)
    expect(a.startSent).toBe(true)
    expect(list.has(b)).toBe(false)
  })

  test('moves what works to the front of its tier and what fails to the back', () => {
    load(['a', 0], ['b', 1], ['c', 1], ['d', 1], ['e', 2])
    list.moveToFront(list.entries[3])
    expect(urls()).toEqual(['a', 'd', 'b', 'c', 'e'])
    list.moveToBack(list.entries[1])
    expect(urls()).toEqual(['a', 'b', 'c', 'd', 'e'])
    list.moveToBack(list.entries[4])
    list.moveToFront(list.entries[0])
    expect(urls()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('BEP 12: is shuffled within its tiers only', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      load(['a', 0], ['b', 0], ['c', 1], ['d', 1], ['e', 2])
      list.shuffleTiers(new FakeRandom(seed))
      seen.add(urls().join(''))
    }
    expect([...seen].sort()).toEqual(['abcde', 'abdce', 'bacde', 'badce'])
  })

  test('prefers the UDP tracker of a host to its HTTP tracker, across tiers', () => {
    load(
      ['http://x/announce', 0],
      ['http://other/announce', 0],
      ['udp://x:80/announce', 1],
      ['udp://y:1', 2],
      ['nonsense', 3],
    )
    list.preferUdp()
    expect(tiers()).toEqual([
      'udp://x:80/announce0',
      'http://other/announce0',
      'http://x/announce1',
      'udp://y:12',
      'nonsense3',
    ])
  })

  test('does not let two UDP trackers of one host change places', () => {
    load(['udp://x:1', 0], ['udp://x:2', 0])
    list.preferUdp()
    expect(urls()).toEqual(['udp://x:1', 'udp://x:2'])
  })
})
