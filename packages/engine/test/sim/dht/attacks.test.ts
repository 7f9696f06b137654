import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import { decodeKrpc } from '../../../src/dht/krpcMessage.ts'
import { contactOf } from '../../../src/dht/nodeContact.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { announce, DhtWorld, lookup, type SimDht, settledNetwork } from './dhtWorld.ts'

/**
 * An attacker who wants one info-hash for himself: nodes with ids next to it, each of which tells of the others, takes
 * announces and never tells of a peer.
 */
class Sybils {
  readonly nodes: { readonly id: Uint8Array; readonly endpoint: Endpoint }[] = []
  asked = 0

  constructor(world: DhtWorld, target: Uint8Array, addresses: readonly string[]) {
    addresses.forEach((address, i) => {
      const id = target.slice()
      id[18] ^= 1 + (i >> 8)
      id[19] = i
      const endpoint = { address, port: 6881 }
      this.nodes.push({ id, endpoint })
      world.listen(endpoint, { incoming: (packet, from) => this.answer(world, packet, from, id, endpoint) })
    })
  }

  get compactNodes(): Uint8Array {
    return concatBytes(...this.nodes.slice(0, 16).flatMap(({ id, endpoint }) => [id, contactOf(endpoint)!.compact]))
  }

  private answer(world: DhtWorld, packet: Uint8Array, from: Endpoint, id: Uint8Array, endpoint: Endpoint): void {
    const message = decodeKrpc(packet)
    if (message?.type !== 'query') return
    this.asked++
    const r = { id, nodes: this.compactNodes, token: 'thanks' }
    world.send(bencode({ r, t: message.transaction, y: 'r' }), endpoint, from)
  }
}

/** Everybody hears of the attacker's nodes: they ask each node something. */
function introduce(world: DhtWorld, sybils: Sybils, all: readonly SimDht[]): void {
  for (const { id, endpoint } of sybils.nodes) {
    const query = bencode({ a: { id }, q: 'ping', t: 'xx', y: 'q' })
    for (let k = 0; k < 60; k++) world.send(query, endpoint, all[world.random.below(all.length)].endpoint)
  }
  world.time.run({ minutes: 2 })
}

/** How an info-hash fares that somebody wants for himself. */
function attacked(enforce: boolean, addresses: readonly string[]) {
  const settings = { dhtUploadRateLimit: 1_000_000, dhtExtendedRoutingTable: false, dhtEnforceNodeId: enforce }
  const world = new DhtWorld({ settings })
  const all = settledNetwork(world, 120)
  const infoHash = new Sha1Hash(world.random.bytes(20))
  const sybils = new Sybils(world, infoHash.bytes, addresses)
  introduce(world, sybils, all)
  announce(world, all[3], infoHash, 4321)
  let found = 0
  for (let i = 0; i < 10; i++) {
    if (lookup(world, all[100 + i], infoHash).peers.has(`${all[3].endpoint.address}:4321`)) found++
  }
  for (const { dht } of all) dht.stop()
  return { found, inTables: tablesWith(all, sybils) }
}

function tablesWith(all: readonly SimDht[], sybils: Sybils): number {
  return all.filter(({ node }) => sybils.nodes.some(({ endpoint }) => node.table.nodeAt(contactOf(endpoint)!)?.pinged))
    .length
}

const spread = Array.from({ length: 30 }, (_, i) => `90.${i}.7.7`)
const oneNetwork = Array.from({ length: 200 }, (_, i) => `90.0.7.${i + 1}`)

describe('many nodes of one attacker around one info-hash', () => {
  test('with dhtEnforceNodeId (BEP 42) get nowhere: everybody finds the peer, and no table has them', () => {
    expect(attacked(true, spread)).toEqual({ found: 10, inTables: 0 })
  })

  test('without it and in networks of their own they succeed, so that the test above shows something', () => {
    expect(attacked(false, spread).found).toBeLessThan(5)
  })

  test('in one network they are one node to each lookup: everybody finds the peer', () => {
    expect(attacked(false, oneNetwork).found).toBe(10)
  })
})

test('a poisoned table: nodes somebody made up are asked and forgotten, never told on', () => {
  const world = new DhtWorld({ settings: { dhtUploadRateLimit: 1_000_000 } })
  const all = settledNetwork(world, 50)
  const victim = all[0]
  // One liar answers every question with eight nodes that do not exist.
  const liar = { address: '90.0.0.1', port: 6881 }
  const liarId = world.random.bytes(20)
  const invented = new Set<string>()
  world.listen(liar, {
    incoming: (packet, from) => {
      const message = decodeKrpc(packet)
      if (message?.type !== 'query') return
      const nodes = Array.from({ length: 8 }, () => {
        const address = `91.${world.random.below(250)}.${world.random.below(250)}.1`
        invented.add(address)
        return concatBytes(world.random.bytes(20), contactOf({ address, port: 6881 })!.compact)
      })
      world.send(
        bencode({ r: { id: liarId, nodes: concatBytes(...nodes) }, t: message.transaction, y: 'r' }),
        liar,
        from,
      )
    },
  })
  for (const { dht } of all) dht.addNode(liar)
  world.time.run({ minutes: 15 })
  expect(invented.size).toBeGreaterThan(50)
  victim.node.table.forEachNode(({ contact }) => expect(invented.has(contact.endpoint.address)).toBe(false))
  const told: string[] = []
  world.onPacket = ({ bytes, from }) => {
    const message = from === victim.endpoint ? decodeKrpc(bytes) : null
    const nodes = message?.type === 'reply' ? message.values?.getString('nodes') : null
    for (let at = 20; nodes && at < nodes.length; at += 26) told.push([...nodes.subarray(at, at + 4)].join('.'))
  }
  for (let i = 0; i < 20; i++) {
    const query = bencode({
      a: { id: world.random.bytes(20), target: world.random.bytes(20) },
      q: 'find_node',
      t: 'aa',
      y: 'q',
    })
    world.send(query, { address: '92.0.0.1', port: 1 }, victim.endpoint)
  }
  world.time.run({ seconds: 5 })
  expect(told.length).toBeGreaterThan(50)
  expect(told.filter((address) => invented.has(address))).toEqual([])
  for (const { dht } of all) dht.stop()
})
