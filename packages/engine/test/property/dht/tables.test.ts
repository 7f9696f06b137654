import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { CompactPeers } from '../../../src/dht/compactPeers.ts'
import { defaultDhtSettings } from '../../../src/dht/dhtSettings.ts'
import { contactOf, type NodeContact } from '../../../src/dht/nodeContact.ts'
import { compareDistance } from '../../../src/dht/nodeDistance.ts'
import type { NodeEntry } from '../../../src/dht/nodeEntry.ts'
import { RoutingTable } from '../../../src/dht/routingTable.ts'
import { WriteTokens } from '../../../src/dht/writeTokens.ts'

const contact = (n: number) => contactOf({ address: `60.${n >> 8}.${n & 255}.1`, port: 6881 })!
const id = fc.uint8Array({ minLength: 20, maxLength: 20 })
/** Ids that agree with 00... in many bits, so that deep buckets are reached. */
const closeId = fc.tuple(id, fc.nat(40)).map(([bytes, zeros]) => {
  const close = bytes.slice()
  for (let i = 0; i < zeros; i++) close[i >> 3] &= ~(0x80 >> (i & 7))
  return close
})

type Step =
  | { readonly do: 'seen'; readonly id: Uint8Array; readonly n: number; readonly rtt: number }
  | { readonly do: 'heard'; readonly id: Uint8Array; readonly n: number; readonly rtt: number }
  | { readonly do: 'failed'; readonly pick: number }
  | { readonly do: 'again'; readonly pick: number }
  | { readonly do: 'newId'; readonly id: Uint8Array }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('seen' as const), id: closeId, n: fc.nat(300), rtt: fc.nat(500) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('heard' as const), id: closeId, n: fc.nat(300), rtt: fc.constant(0) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('failed' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('newId' as const), id: closeId }) },
)

test('whatever happens to a table, it keeps to its limits, has each node once, and finds the closest', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), id, fc.boolean(), (steps, target, extended) => {
      let time = 1000
      const settings = {
        ...defaultDhtSettings,
        dhtPreferVerifiedNodeIds: false,
        dhtExtendedRoutingTable: extended,
        dhtMaxFailCount: 2,
      }
      const table = new RoutingTable({ settings, now: () => time, isAllowed: () => true }, new Uint8Array(20))
      for (const s of steps) {
        time += 100
        const all: NodeEntry[] = []
        table.forEachNode((node) => all.push(node))
        if (s.do === 'seen') table.nodeSeen(s.id, contact(s.n), s.rtt)
        else if (s.do === 'heard') table.heardAbout(s.id, contact(s.n))
        else if (s.do === 'newId') table.updateOwnId(s.id)
        else if ((s.do === 'failed' || s.do === 'again') && all.length > 0) {
          const node = all[s.pick % all.length]
          if (s.do === 'failed') table.nodeFailed(node.id, node.contact)
          else table.nodeSeen(node.id, node.contact, 10)
        }
      }
      const live: NodeEntry[] = []
      const waiting: NodeEntry[] = []
      table.forEachNode((node) => live.push(node))
      table.forEachReplacement((node) => waiting.push(node))
      const contacts = [...live, ...waiting].map((node) => node.contact.key)
      expect(new Set(contacts).size).toBe(contacts.length)
      for (const node of [...live, ...waiting]) expect(table.nodeAt(node.contact)).toBe(node)
      expect(live.every((node) => node.pinged)).toBe(true)
      const limits = table.bucketStatus.map((_, i) => (extended && i < 4 ? 128 >> i : 8))
      table.bucketStatus.forEach(({ numNodes, numReplacements }, i) => {
        expect(numNodes).toBeLessThanOrEqual(limits[i])
        expect(numReplacements).toBeLessThanOrEqual(8)
      })
      const found: NodeEntry[] = []
      table.closest(target, found)
      const expected = live
        .filter((n) => n.confirmed)
        .sort((a, b) => compareDistance(a.id, b.id, target))
        .slice(0, 8)
      expect(found.map((n) => n.contact.key)).toEqual(expected.map((n) => n.contact.key))
    }),
    { numRuns: 150 },
  )
})

test('peers of a torrent are those announced and not expired', () => {
  const announce = fc.record({ n: fc.nat(40), seed: fc.boolean(), wait: fc.nat(100) })
  fc.assert(
    fc.property(fc.array(announce, { maxLength: 100 }), fc.nat(2000), fc.boolean(), (announces, age, noSeeds) => {
      const peers = new CompactPeers(6)
      const model = new Map<number, { seed: boolean; at: number }>()
      let time = 10_000
      for (const { n, seed, wait } of announces) {
        time += wait
        peers.announce(contact(n).compact, seed, time, 1000)
        model.set(n, { seed, at: time })
      }
      for (const [n, { at }] of model) if (at < time - age) model.delete(n)
      peers.expire(time - age)
      const wanted = [...model].filter(([, { seed }]) => !noSeeds || !seed).map(([n]) => contact(n).key)
      const picked = peers.pick(1000, noSeeds, new SeededRandom(1)).map((c) => String.fromCharCode(...c))
      expect(picked.sort()).toEqual(wanted.sort())
      expect(peers.size).toBe(model.size)
    }),
  )
})

test('a token is accepted from its address for its target until the key after the next, and nowhere else', () => {
  const one = (c: NodeContact) => c.compact
  fc.assert(
    fc.property(fc.nat(60_000), fc.nat(60_000), id, id, fc.nat(3), (a, b, target, other, rotations) => {
      const tokens = new WriteTokens(new SeededRandom(a))
      const token = new Uint8Array(8)
      tokens.write(one(contact(a)), target, token)
      for (let i = 0; i < rotations; i++) tokens.rotate()
      expect(tokens.verify(token, one(contact(a)), target)).toBe(rotations < 2)
      if (a !== b) expect(tokens.verify(token, one(contact(b)), target)).toBe(false)
      if (compareDistance(target, other, target) !== 0) expect(tokens.verify(token, one(contact(a)), other)).toBe(false)
    }),
  )
})
