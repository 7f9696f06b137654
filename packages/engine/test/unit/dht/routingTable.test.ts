import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { addressToBytes } from '../../../src/address/addressBytes.ts'
import { generateNodeId } from '../../../src/address/secureNodeId.ts'
import { type DhtSettings, defaultDhtSettings } from '../../../src/dht/dhtSettings.ts'
import { contactOf, type NodeContact } from '../../../src/dht/nodeContact.ts'
import { randomIdWithPrefix } from '../../../src/dht/nodeDistance.ts'
import { UNKNOWN_RTT } from '../../../src/dht/nodeEntry.ts'
import { RoutingTable } from '../../../src/dht/routingTable.ts'

const random = new SeededRandom(3)
const ownId = new Uint8Array(20)

/** A table that can be told the time. */
function table(settings: Partial<DhtSettings> = {}) {
  const host = {
    settings: { ...defaultDhtSettings, dhtPreferVerifiedNodeIds: false, ...settings },
    time: 1000,
    blocked: '',
    now: () => host.time,
    isAllowed: (contact: NodeContact) => contact.endpoint.address !== host.blocked,
  }
  return { host, table: new RoutingTable(host, ownId) }
}

/** A contact in a network of its own. */
const contact = (n: number, port = 6881) => contactOf({ address: `60.${n >> 8}.${n & 255}.1`, port })!
/** An id that shares exactly `bits` bits with ours. */
function idIn(bits: number): Uint8Array {
  const id = randomIdWithPrefix(ownId, bits, random)
  id[bits >> 3] |= 0x80 >> (bits & 7)
  return id
}

describe('who gets in', () => {
  test('a node that answered is in a bucket; one that was heard of waits', () => {
    const { table: t } = table()
    t.nodeSeen(idIn(0), contact(1), 50)
    t.heardAbout(idIn(0), contact(2))
    expect(t.counts()).toEqual({ nodes: 1, replacements: 1, confirmed: 1 })
  })

  test('one that was heard of gets in by answering', () => {
    const { table: t } = table()
    const id = idIn(0)
    t.heardAbout(id, contact(1))
    t.heardAbout(id, contact(1))
    expect(t.counts().nodes).toBe(0)
    t.nodeSeen(id, contact(1), 50)
    expect(t.counts()).toEqual({ nodes: 1, replacements: 0, confirmed: 1 })
  })

  test('neither routers, nor ourselves, nor who the IP filter blocks', () => {
    const { table: t, host } = table()
    t.addRouter(contact(1))
    t.nodeSeen(idIn(0), contact(1), 50)
    t.nodeSeen(ownId, contact(2), 50)
    host.blocked = contact(3).endpoint.address
    t.nodeSeen(idIn(0), contact(3), 50)
    expect(t.counts().nodes).toBe(0)
  })

  test('dhtRestrictRoutingIps: one node of an address, one of a /24 in a bucket', () => {
    const { table: t } = table()
    t.nodeSeen(idIn(0), contactOf({ address: '60.0.0.1', port: 1 })!, 50)
    t.nodeSeen(idIn(3), contactOf({ address: '60.0.0.1', port: 2 })!, 50)
    t.nodeSeen(idIn(0), contactOf({ address: '60.0.0.2', port: 1 })!, 50)
    expect(t.counts().nodes).toBe(1)
    const { table: free } = table({ dhtRestrictRoutingIps: false })
    for (let port = 1; port <= 5; port++) free.nodeSeen(idIn(0), contactOf({ address: '60.0.0.1', port })!, 50)
    expect(free.counts().nodes).toBe(5)
  })

  test('of IPv6 one node of a /64', () => {
    const { table: t } = table()
    t.nodeSeen(idIn(0), contactOf({ address: '2a00:1::1', port: 1 })!, 50)
    t.nodeSeen(idIn(0), contactOf({ address: '2a00:1::2', port: 1 })!, 50)
    t.nodeSeen(idIn(0), contactOf({ address: '2a00:1:0:1::1', port: 1 })!, 50)
    expect(t.counts().nodes).toBe(2)
  })

  test('dhtEnforceNodeId: only ids that fit their address (BEP 42)', () => {
    const { table: t } = table({ dhtEnforceNodeId: true })
    t.nodeSeen(random.bytes(20), contact(1), 50)
    expect(t.counts().nodes).toBe(0)
    t.nodeSeen(generateNodeId(addressToBytes('60.0.1.1')!, random), contact(1), 50)
    expect(t.counts().nodes).toBe(1)
  })

  test('a node that answers under another id than before goes, and its neighbours are looked at soon', () => {
    const { table: t, host } = table()
    t.nodeSeen(idIn(0), contact(1), 50)
    const neighbour = idIn(0)
    t.nodeSeen(neighbour, contact(2), 50)
    host.time += 6 * 60_000
    t.nodeSeen(idIn(0), contact(1), 50)
    expect(t.nodeAt(contact(1))).toBeNull()
    expect(t.nextRefresh()?.id).toEqual(neighbour)
  })

  test('a node that was only heard of, and under a wrong id, is taken under the one it answers with', () => {
    const { table: t } = table()
    const id = idIn(0)
    t.heardAbout(idIn(0), contact(1))
    t.nodeSeen(id, contact(1), 50)
    expect(t.counts()).toEqual({ nodes: 1, replacements: 0, confirmed: 1 })
    expect(t.nodeAt(contact(1))?.id).toEqual(id)
  })

  test('a node somebody merely says has another id stays', () => {
    const { table: t } = table()
    const id = idIn(0)
    t.nodeSeen(id, contact(1), 50)
    t.heardAbout(idIn(0), contact(1))
    expect(t.nodeAt(contact(1))?.id).toEqual(id)
  })
})

describe('buckets', () => {
  test('the first hold 128, 64, 32 and 16 nodes, the others 8', () => {
    const { table: t } = table()
    for (let i = 0; i < 20_000; i++) t.nodeSeen(random.bytes(20), contact(i), 50)
    const sizes = t.bucketStatus.map((b) => b.numNodes)
    expect(sizes.slice(0, 4)).toEqual([128, 64, 32, 16])
    expect(sizes.slice(4).every((size) => size <= 8)).toBe(true)
    expect(t.bucketStatus.every((b) => b.numReplacements <= 8)).toBe(true)
  })

  test('without dhtExtendedRoutingTable all hold 8', () => {
    const { table: t } = table({ dhtExtendedRoutingTable: false })
    for (let i = 0; i < 2000; i++) t.nodeSeen(random.bytes(20), contact(i), 50)
    expect(t.bucketStatus.every((b) => b.numNodes <= 8)).toBe(true)
    expect(t.bucketCount).toBeGreaterThan(5)
  })

  test('the size of the network is estimated within a factor of two', () => {
    for (const size of [500, 5000, 50_000]) {
      const { table: t } = table({ dhtRestrictRoutingIps: false })
      for (let i = 0; i < size; i++) t.nodeSeen(random.bytes(20), contact(i % 65_536), 50)
      expect(t.globalNodes / size).toBeGreaterThan(0.5)
      expect(t.globalNodes / size).toBeLessThan(2.1)
    }
  })

  test('with dhtPreferVerifiedNodeIds nodes whose id does not fit do not make the table grow', () => {
    const { table: t } = table({ dhtPreferVerifiedNodeIds: true })
    for (let i = 0; i < 5000; i++) t.nodeSeen(random.bytes(20), contact(i), 50)
    expect(t.bucketCount).toBe(1)
    for (let i = 5000; i < 10_000; i++) {
      t.nodeSeen(generateNodeId(addressToBytes(contact(i).endpoint.address)!, random), contact(i), 50)
    }
    expect(t.bucketCount).toBeGreaterThan(3)
  })

  test('a deeper table than any real one is not made', () => {
    const { table: t } = table({ dhtRestrictRoutingIps: false })
    for (let bits = 0; bits < 160; bits++)
      for (let i = 0; i < 20; i++) t.nodeSeen(idIn(bits), contact(bits * 20 + i), 50)
    expect(t.bucketCount).toBeLessThanOrEqual(50)
  })

  test('a new id sorts all nodes in anew and keeps them', () => {
    const { table: t } = table()
    for (let i = 0; i < 100; i++) t.nodeSeen(random.bytes(20), contact(i), 50)
    t.updateOwnId(random.bytes(20))
    expect(t.counts().nodes).toBe(100)
    expect(t.nodeAt(contact(42))).not.toBeNull()
  })
})

describe('a node that fails', () => {
  function fullBucket(settings: Partial<DhtSettings> = {}) {
    const made = table({ dhtExtendedRoutingTable: false, ...settings })
    // Two buckets: the farther one is full.
    for (let i = 0; i < 8; i++) made.table.nodeSeen(idIn(1), contact(i), 50)
    const ids = Array.from({ length: 8 }, () => idIn(0))
    for (const [i, id] of ids.entries()) made.table.nodeSeen(id, contact(100 + i), 50)
    return { ...made, ids }
  }

  test('is replaced at once by one that has answered', () => {
    const { table: t, ids } = fullBucket()
    t.nodeSeen(idIn(0), contact(200), 900)
    expect(t.counts().replacements).toBe(1)
    t.nodeFailed(ids[0], contact(100))
    expect(t.nodeAt(contact(100))).toBeNull()
    expect(t.counts()).toMatchObject({ nodes: 16, replacements: 0 })
  })

  test('stays for dhtMaxFailCount failures when there is none', () => {
    const { table: t, ids } = fullBucket({ dhtMaxFailCount: 3 })
    t.heardAbout(idIn(0), contact(200))
    t.nodeFailed(ids[0], contact(100))
    t.nodeFailed(ids[0], contact(100))
    expect(t.nodeAt(contact(100))?.failCount).toBe(2)
    t.nodeFailed(ids[0], contact(100))
    expect(t.nodeAt(contact(100))).toBeNull()
  })

  test('is not told to others, and gives its place to the next that answers', () => {
    const { table: t, ids } = fullBucket()
    t.nodeFailed(ids[3], contact(103))
    const told: { id: Uint8Array }[] = []
    t.closest(ids[3], told as never)
    expect(told.some(({ id }) => id === ids[3])).toBe(false)
    t.nodeSeen(idIn(0), contact(200), 900)
    expect(t.nodeAt(contact(103))).toBeNull()
    expect(t.nodeAt(contact(200))).not.toBeNull()
  })

  test('is forgiven when it answers', () => {
    const { table: t, ids } = fullBucket()
    t.nodeFailed(ids[0], contact(100))
    t.nodeSeen(ids[0], contact(100), 50)
    expect(t.nodeAt(contact(100))?.failCount).toBe(0)
  })

  test('counts only if it is the one in the table', () => {
    const { table: t, ids } = fullBucket()
    t.nodeFailed(ids[0], contact(101))
    t.nodeFailed(idIn(0), contact(100))
    expect(t.counts().confirmed).toBe(16)
  })
})

describe('a full bucket', () => {
  test('takes a faster node for a slower one of the same part of its range', () => {
    const { table: t } = table({ dhtExtendedRoutingTable: false })
    for (let i = 0; i < 8; i++) t.nodeSeen(idIn(1), contact(i), 50)
    // Ids 1000..., 1001..., ... 1111...: one for each part of the range of bucket 0.
    const inPart = (part: number) => {
      const id = random.bytes(20)
      id[0] = 0x80 | (part << 4) | (id[0] & 0x0f)
      return id
    }
    for (let part = 0; part < 8; part++) t.nodeSeen(inPart(part), contact(100 + part), part === 5 ? 900 : 100)
    t.nodeSeen(inPart(5), contact(200), 500)
    expect(t.nodeAt(contact(105))).toBeNull()
    t.nodeSeen(inPart(2), contact(201), 500)
    expect(t.nodeAt(contact(102))).not.toBeNull()
  })

  test('takes a node for a part of its range that has none', () => {
    const { table: t } = table({ dhtExtendedRoutingTable: false })
    for (let i = 0; i < 8; i++) t.nodeSeen(idIn(1), contact(i), 50)
    for (let i = 0; i < 8; i++) {
      const id = random.bytes(20)
      id[0] = 0x80 | (id[0] & 0x0f)
      t.nodeSeen(id, contact(100 + i), 100 + i)
    }
    const id = random.bytes(20)
    id[0] = 0xf0
    t.nodeSeen(id, contact(200), UNKNOWN_RTT - 1)
    expect(t.nodeAt(contact(200))).not.toBeNull()
    // the slowest of the crowded part made room
    expect(t.nodeAt(contact(107))).toBeNull()
  })
})

describe('refreshing', () => {
  test('asks the node asked longest ago, each in turn', () => {
    const { table: t, host } = table()
    for (let i = 0; i < 5; i++) {
      host.time += 1000
      t.nodeSeen(idIn(0), contact(i), 50)
    }
    const order = Array.from({ length: 6 }, () => {
      host.time += 5000
      return t.nextRefresh()!.contact.port + t.nextRefresh()!.contact.compact[2]
    })
    expect(new Set(order).size).toBeGreaterThan(2)
  })

  test('looks at replacements nobody has asked while there is room for them', () => {
    const { table: t, host } = table()
    t.nodeSeen(idIn(0), contact(1), 50)
    const id = idIn(0)
    t.heardAbout(id, contact(2))
    expect(t.isHungry).toBe(true)
    host.time += 5000
    expect(t.nextRefresh()?.id).toEqual(id)
    expect(t.isHungry).toBe(false)
  })

  test('an empty table has nobody to ask', () => expect(table().table.nextRefresh()).toBeNull())
})
