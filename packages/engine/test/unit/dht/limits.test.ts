import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { CompactPeers } from '../../../src/dht/compactPeers.ts'
import { defaultDhtSettings } from '../../../src/dht/dhtSettings.ts'
import { DefaultDhtStorage } from '../../../src/dht/dhtStorage.ts'
import { DosBlocker } from '../../../src/dht/dosBlocker.ts'
import { ItemTable } from '../../../src/dht/itemTable.ts'
import { RateBudget } from '../../../src/dht/rateBudget.ts'
import { compact, TestDht } from './testDht.ts'

const random = new SeededRandom(1)

describe('DosBlocker', () => {
  const sender = compact('60.0.0.1', 1)

  test('more than 5 packets a second over ten seconds block a sender for five minutes', () => {
    const blocker = new DosBlocker()
    const at = (now: number, from = sender) => blocker.incoming(from, now, 5, 300)
    for (let i = 0; i < 50; i++) expect(at(i * 10)).toBe(true)
    expect(at(600)).toBe(false)
    expect(at(299_000)).toBe(false)
    expect(at(600, compact('60.0.0.2', 1))).toBe(true)
    expect(at(300_601)).toBe(true)
  })

  test('5 packets a second for hours block nobody', () => {
    const blocker = new DosBlocker()
    for (let i = 0; i < 100_000; i++) expect(blocker.incoming(sender, i * 200, 5, 300)).toBe(true)
  })

  test('changing the port or the address within a /64 does not help', () => {
    const blocker = new DosBlocker()
    let refused = 0
    for (let i = 0; i < 1000; i++)
      if (!blocker.incoming(compact(`2a00:1::${i.toString(16)}`, i + 1), i, 5, 300)) refused++
    expect(refused).toBe(950)
  })
})

test('RateBudget: three seconds are saved up, a debt is waited for', () => {
  const budget = new RateBudget(100, 0)
  expect(budget.has(100, 0)).toBe(true)
  budget.spend(400)
  expect(budget.has(100, 900)).toBe(false)
  expect(budget.has(100, 1100)).toBe(true)
  expect(budget.has(100, 1_000_000)).toBe(true)
  budget.spend(300)
  expect(budget.has(100, 1_000_000)).toBe(false)
})

test('dhtUploadRateLimit: beyond it questions go unanswered, and 0 answers none', () => {
  const dht = new TestDht({ settings: { dhtUploadRateLimit: 1000 } })
  let answered = 0
  for (let i = 0; i < 100; i++) if (dht.ask('ping', {}, { address: `60.0.${i}.1`, port: 1 }).sent !== null) answered++
  expect(answered).toBeGreaterThan(20)
  expect(answered).toBeLessThan(45)
  dht.time.run({ seconds: 3 })
  expect(dht.ask('ping', {}, { address: '60.0.0.1', port: 1 }).sent).not.toBeNull()
  const silent = new TestDht({ settings: { dhtUploadRateLimit: 0 } })
  expect(silent.ask('ping', {}, { address: '60.0.0.1', port: 1 }).sent).toBeNull()
})

test('dhtIgnoreDarkInternet and the IP filter: such senders are not read', () => {
  const dht = new TestDht({ host: { isAllowed: (address) => address !== '60.9.9.9' } })
  expect(dht.ask('ping', {}, { address: '7.1.2.3', port: 1 }).sent).toBeNull()
  expect(dht.ask('ping', {}, { address: '60.9.9.9', port: 1 }).sent).toBeNull()
  const open = new TestDht({ settings: { dhtIgnoreDarkInternet: false } })
  expect(open.ask('ping', {}, { address: '7.1.2.3', port: 1 }).sent).not.toBeNull()
})

describe('CompactPeers', () => {
  test('a peer that announces itself again is the same peer', () => {
    const peers = new CompactPeers(6)
    peers.announce(compact('60.0.0.1', 5), false, 10, 100)
    peers.announce(compact('60.0.0.1', 5), true, 20, 100)
    expect(peers.size).toBe(1)
    expect(peers.pick(10, true, random)).toEqual([])
  })

  test('one address has eight peers at most, all together as many as the limit', () => {
    const peers = new CompactPeers(6)
    for (let port = 1; port <= 100; port++) peers.announce(compact('60.0.0.1', port), false, 10, 20)
    expect(peers.size).toBe(8)
    for (let i = 2; i <= 100; i++) peers.announce(compact(`60.0.0.${i}`, 1), false, 10, 20)
    expect(peers.size).toBe(20)
  })

  test('a choice of many is by chance, without repetition, and each is as likely', () => {
    const peers = new CompactPeers(6)
    for (let i = 0; i < 50; i++) peers.announce(compact(`60.0.1.${i}`, 1), false, 10, 500)
    const counts = new Array<number>(50).fill(0)
    for (let round = 0; round < 2000; round++) {
      const picked = peers.pick(10, false, random).map((c) => c[3])
      expect(new Set(picked).size).toBe(10)
      for (const i of picked) counts[i]++
    }
    expect(Math.min(...counts)).toBeGreaterThan(300)
    expect(Math.max(...counts)).toBeLessThan(500)
  })
})

describe('the storage', () => {
  function storage(settings = {}) {
    const host = { settings: { ...defaultDhtSettings, ...settings }, random, time: 1000, now: () => host.time }
    return { host, storage: new DefaultDhtStorage(host) }
  }
  const none = new Uint8Array(0)

  test('a peer is forgotten after 45 minutes, and the torrent with its last peer', () => {
    const { host, storage: s } = storage()
    s.announcePeer(random.bytes(20), compact('60.0.0.1', 1), none, false)
    host.time += 44 * 60_000
    s.tick()
    expect(s.counters()).toMatchObject({ torrents: 1, peers: 1 })
    host.time += 3 * 60_000
    s.tick()
    expect(s.counters()).toMatchObject({ torrents: 0, peers: 0 })
  })

  test('dhtMaxTorrents: a full storage takes no new torrent, and gives no token for one', () => {
    const { storage: s } = storage({ dhtMaxTorrents: 3 })
    const hashes = Array.from({ length: 5 }, () => random.bytes(20))
    for (const hash of hashes) s.announcePeer(hash, compact('60.0.0.1', 1), none, false)
    expect(s.counters().torrents).toBe(3)
    const query = { noSeeds: false, scrape: false, requester: compact('60.0.0.9', 1), limit: 10 }
    expect(s.getPeers(hashes[4], query)?.full).toBe(true)
    expect(s.getPeers(hashes[0], query)?.full).toBe(false)
  })

  test('dhtItemLifetime: an item nobody puts again is dropped, after two hours at the earliest', () => {
    const { host, storage: s } = storage({ dhtItemLifetime: 60 })
    const target = random.bytes(20)
    s.putImmutableItem(target, Uint8Array.of(0x30, 0x3a), Uint8Array.of(1, 2, 3, 4))
    host.time += 119 * 60_000
    s.tick()
    expect(s.getImmutableItem(target)).not.toBeNull()
    host.time += 2 * 60_000
    s.tick()
    expect(s.getImmutableItem(target)).toBeNull()
  })
})

describe('ItemTable', () => {
  const ownId = new Uint8Array(20)
  const target = (firstByte: number, n: number) => {
    const id = random.bytes(20)
    id[0] = firstByte
    id[1] = n
    return id
  }

  test('when it is full, the item farthest from our ids goes', () => {
    const table = new ItemTable<number>()
    table.updateNodeIds([ownId])
    const far = target(0xff, 1)
    const close = target(0x01, 2)
    table.put(far, 1, 2)
    table.put(close, 2, 2)
    table.put(target(0x03, 3), 3, 2)
    expect(table.get(far)).toBeNull()
    expect(table.get(close)).toBe(2)
  })

  test('five announcers outweigh one bit of distance', () => {
    const table = new ItemTable<number>()
    table.updateNodeIds([ownId])
    const popular = target(0x80, 1)
    table.put(popular, 1, 2)
    for (let i = 0; i < 30; i++) table.touch(popular, Uint8Array.of(60, 0, 0, i), 1)
    const lonely = target(0x40, 2)
    table.put(lonely, 2, 2)
    table.put(target(0x01, 3), 3, 2)
    expect(table.get(lonely)).toBeNull()
    expect(table.get(popular)).toBe(1)
  })
})
