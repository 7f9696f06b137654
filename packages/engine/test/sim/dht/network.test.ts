import { describe, expect, test } from 'vitest'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { announce, DhtWorld, grownNetwork, lookup, type SimDht, settledNetwork } from './dhtWorld.ts'

const settings = { dhtUploadRateLimit: 1_000_000 }
/** Tables that are full soon: less goes on beside what a test looks at. */
const smallTables = { ...settings, dhtExtendedRoutingTable: false }
const average = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length

/** Announces `count` info-hashes and looks for each from somewhere else. */
function findAll(world: DhtWorld, all: readonly SimDht[], count: number) {
  const pick = () => all[world.random.below(all.length)]
  const results = Array.from({ length: count }, (_, i) => {
    const infoHash = new Sha1Hash(world.random.bytes(20))
    const announcer = pick()
    const taken = announce(world, announcer, infoHash, 1000 + i)
    const { peers, questions } = lookup(world, pick(), infoHash)
    return { taken, questions, found: peers.has(`${announcer.endpoint.address}:${1000 + i}`) }
  })
  return {
    found: results.filter((r) => r.found).length,
    taken: average(results.map((r) => r.taken)),
    questions: average(results.map((r) => r.questions)),
  }
}

function stopAll(all: readonly SimDht[]): void {
  for (const { dht } of all) dht.stop()
}

test('in a network of a thousand nodes everything announced is found, by few questions', () => {
  const world = new DhtWorld({ settings })
  const all = settledNetwork(world, 1000)
  const { found, taken, questions } = findAll(world, all, 12)
  expect(found).toBe(12)
  expect(taken).toBe(8)
  expect(questions).toBeLessThan(35)
  stopAll(all)
  expect(world.time.pending).toBeLessThan(1000)
})

test('four times as many nodes take a few questions more, not four times as many', () => {
  const questions = [100, 400].map((count) => {
    const world = new DhtWorld({ settings: smallTables })
    const all = settledNetwork(world, count, 40)
    const result = findAll(world, all, 15)
    stopAll(all)
    expect(result.found).toBe(15)
    return result.questions
  })
  expect(questions[1] - questions[0]).toBeLessThan(10)
})

test('nodes that join over a few others come to know many, and find each other', () => {
  const world = new DhtWorld({ settings })
  const all = grownNetwork(world, 120, 200)
  world.time.run({ minutes: 2 })
  const known = all.map(({ dht }) => dht.status().dhtNodes)
  expect(Math.min(...known)).toBeGreaterThan(25)
  expect(findAll(world, all, 10).found).toBe(10)
  stopAll(all)
})

test.each([5, 10, 19])(
  'in a network of %i nodes everybody knows everybody after twenty seconds, by few packets',
  (count) => {
    const world = new DhtWorld({ settings })
    const router = world.add({ address: '59.0.0.1', port: 6881 })
    router.dht.start()
    // All start at about the same time, and the router knows nobody.
    const all = Array.from({ length: count }, (_, i) => {
      const sim = world.add({ address: world.newAddress(i * 300), port: 6881 })
      sim.dht.addRouter(router.endpoint)
      sim.dht.start()
      world.time.run(50)
      return sim
    })
    world.time.run({ seconds: 20 })
    expect(all.map(({ dht }) => dht.status().dhtNodes)).toEqual(all.map(() => count - 1))
    expect(router.dht.status().dhtNodes).toBe(count)
    // A question and an answer for each pair, both ways; the rest is to learn of them, and upkeep.
    expect(world.packets).toBeLessThan(count * count * 10)
    stopAll([router, ...all])
  },
)

describe('our place in the network is told once it is found, and once', () => {
  const joining = (world: DhtWorld) => {
    const sim = world.add({ address: '58.0.0.1', port: 6881 })
    let joins = 0
    return {
      sim,
      start: () => sim.dht.start(() => joins++),
      joins: () => joins,
    }
  }

  test('not while nobody is known; soon after a node has been named', () => {
    const world = new DhtWorld({ settings })
    const all = settledNetwork(world, 20)
    const { sim, start, joins } = joining(world)
    start()
    world.time.run({ minutes: 2 })
    expect(joins()).toBe(0)
    sim.dht.addNode(all[3].endpoint)
    world.time.run({ seconds: 5 })
    expect(joins()).toBe(1)
    expect(sim.dht.status().dhtNodes).toBeGreaterThan(10)
    world.time.run({ minutes: 12 })
    expect(joins()).toBe(1)
    stopAll([...all, sim])
  })

  test('not while the routers are down, nor by a router that knows nobody', () => {
    const world = new DhtWorld({ settings })
    const router = { address: '59.0.0.1', port: 6881 }
    const { sim, start, joins } = joining(world)
    sim.dht.addRouter(router)
    start()
    world.time.run({ minutes: 1 })
    expect(joins()).toBe(0)
    const up = world.add(router)
    up.dht.start()
    world.time.run({ minutes: 5 })
    expect([joins(), sim.dht.status().dhtNodes]).toEqual([0, 0])
    // Somebody else comes to the same router.
    const other = world.add({ address: '57.0.0.1', port: 6881 })
    other.dht.addRouter(router)
    other.dht.start()
    world.time.run({ seconds: 15 })
    expect([joins(), sim.dht.status().dhtNodes]).toEqual([1, 1])
    stopAll([up, other, sim])
  })

  test('not by ending', () => {
    const world = new DhtWorld({ settings })
    const all = settledNetwork(world, 20)
    const { sim, start, joins } = joining(world)
    sim.dht.addRouter(all[0].endpoint)
    start()
    world.time.run(20)
    sim.dht.stop()
    expect(joins()).toBe(0)
    stopAll(all)
  })
})

test('with a fifth of the nodes gone and a tenth of the packets lost, almost everything is found', () => {
  const world = new DhtWorld({ settings: smallTables, loss: 0.1 })
  const all = settledNetwork(world, 200)
  const hashes = Array.from({ length: 20 }, () => new Sha1Hash(world.random.bytes(20)))
  for (const [i, infoHash] of hashes.entries()) announce(world, all[199 - i], infoHash, 5000 + i)
  for (const sim of all.slice(0, 40)) world.kill(sim)
  const living = all.slice(40)
  const found = hashes.filter((infoHash, i) => {
    const { peers } = lookup(world, living[world.random.below(100)], infoHash)
    return peers.has(`${all[199 - i].endpoint.address}:${5000 + i}`)
  })
  expect(found.length).toBeGreaterThanOrEqual(19)
  stopAll(living)
})

test('nodes that are gone leave the tables', () => {
  const world = new DhtWorld({ settings: { ...settings, dhtMaxFailCount: 2 } })
  const all = settledNetwork(world, 60)
  for (const sim of all.slice(0, 20)) world.kill(sim)
  const living = all.slice(20)
  world.time.run({ minutes: 20 })
  const dead = new Set(all.slice(0, 20).map(({ endpoint }) => endpoint.address))
  for (const { node } of living) {
    node.table.forEachNode(({ contact }) => expect(dead.has(contact.endpoint.address)).toBe(false))
  }
  expect(average(living.map(({ dht }) => dht.status().dhtNodes))).toBeGreaterThan(30)
  stopAll(living)
})

test('a node that was off comes back over the nodes of its last run, under its old id, without a router', () => {
  const world = new DhtWorld({ settings })
  const all = settledNetwork(world, 50)
  const state = all[0].dht.saveState()
  world.kill(all[0])
  const again = world.add(all[0].endpoint, { state })
  let joined = false
  again.dht.start(() => {
    joined = true
  })
  world.time.run({ seconds: 30 })
  expect(joined).toBe(true)
  expect(again.node.ownId).toEqual(all[0].node.ownId)
  expect(again.dht.status().dhtNodes).toBeGreaterThan(10)
  stopAll([...all.slice(1), again])
})

test('a node whose routers are all down tries again until one is there', () => {
  const world = new DhtWorld({ settings })
  const router = { address: '59.0.0.1', port: 6881 }
  const lonely = world.add({ address: '58.0.0.1', port: 6881 })
  lonely.dht.addRouter(router)
  lonely.dht.start()
  world.time.run({ minutes: 3 })
  expect(lonely.dht.status().dhtNodes).toBe(0)
  const all = settledNetwork(world, 20)
  const up = world.add(router)
  for (const { endpoint } of all) up.dht.addRouter(endpoint)
  up.dht.start()
  world.time.run({ minutes: 6 })
  expect(lonely.dht.status().dhtNodes).toBeGreaterThan(5)
  stopAll([...all, up, lonely])
})

test('an idle node asks one question in five seconds once its table is full', () => {
  const world = new DhtWorld({ settings: smallTables })
  const all = settledNetwork(world, 100)
  world.time.run({ minutes: 10 })
  const before = world.packets
  world.time.run({ minutes: 5 })
  // each question has an answer
  expect((world.packets - before) / 2 / 100 / 60).toBeLessThan(1.2)
  stopAll(all)
})

describe('a node of both families (BEP 32)', () => {
  test('joins the IPv6 network over IPv4 nodes', () => {
    const world = new DhtWorld({ settings })
    const v4 = settledNetwork(world, 20)
    // Nodes of both families, which know each other over IPv6.
    for (let i = 0; i < 8; i++) {
      const local = { address: `2a00:${i + 1}::1`, port: 6881 }
      const node = v4[i].dht.addSocket({ local, send: (packet, to) => world.send(packet, local, to) })
      world.listen(local, node)
    }
    for (let i = 0; i < 8; i++) v4[i].dht.addNode({ address: `2a00:${((i + 1) % 8) + 1}::1`, port: 6881 })
    world.time.run({ minutes: 1 })

    const dual = world.add({ address: '58.0.0.1', port: 6881 })
    const local = { address: '2a00:ff::1', port: 6881 }
    const six = dual.dht.addSocket({ local, send: (packet, to) => world.send(packet, local, to) })
    world.listen(local, six)
    for (const { endpoint } of v4.slice(0, 3)) dual.dht.addRouter(endpoint)
    dual.dht.start()
    world.time.run({ minutes: 1 })
    expect(six.table.counts().nodes).toBeGreaterThan(3)
    stopAll([...v4, dual])
  })
})
