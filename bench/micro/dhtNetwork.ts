/**
 * A DHT of ten thousand nodes in virtual time: a tenth of the packets is lost, a fifth of the nodes leaves after the
 * announces. Tells how many lookups find what was announced, by how many questions, and how full the tables are.
 * Run: npx tsx bench/micro/dhtNetwork.ts [nodes] [lookups]
 */
import { Sha1Hash } from '../../packages/engine/src/util/digest.ts'
import { DhtWorld, settledNetwork } from '../../packages/engine/test/sim/dht/dhtWorld.ts'

const count = Number(process.argv[2] ?? 10_000)
const lookups = Number(process.argv[3] ?? 30)
const settings = { dhtUploadRateLimit: 1_000_000, dhtExtendedRoutingTable: false }
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1)

let begin = performance.now()
const world = new DhtWorld({ settings, loss: 0.1 })
const all = settledNetwork(world, count, 60)
console.log(`${count} nodes: ${seconds(begin)} s, ${Math.round(process.memoryUsage().rss / 1e6)} MB`)

begin = performance.now()
const announced = Array.from({ length: lookups }, (_, i) => {
  const announcement = { infoHash: new Sha1Hash(world.random.bytes(20)), peer: all[count - 1 - i], taken: 0 }
  announcement.peer.dht.announce(
    announcement.infoHash,
    { port: 6881 },
    {
      onDone: (numNodes) => {
        announcement.taken = numNodes
      },
    },
  )
  return announcement
})
world.time.run({ seconds: 40 })
const mean = (numbers: readonly number[]) => (numbers.reduce((a, b) => a + b, 0) / numbers.length).toFixed(1)
console.log(`${lookups} announces, each taken by ${mean(announced.map((a) => a.taken))} nodes: ${seconds(begin)} s`)

begin = performance.now()
const gone = Math.floor(count / 5)
for (const sim of all.slice(0, gone)) world.kill(sim)
const living = all.slice(gone)
const results = announced.map(({ infoHash, peer }) => {
  const result = { found: false, questions: 0 }
  const key = infoHash.toHex()
  const asker = living[world.random.below(living.length - lookups)]
  const { onPacket } = world
  world.onPacket = (packet) => {
    if (packet.from === asker.endpoint && Buffer.from(packet.bytes).includes(key, 'hex')) result.questions++
    onPacket?.(packet)
  }
  asker.dht.getPeers(
    infoHash,
    {},
    {
      onPeers: (peers) => {
        result.found ||= peers.some(({ address }) => address === peer.endpoint.address)
      },
    },
  )
  return result
})
world.time.run({ seconds: 30 })
world.onPacket = null
const found = results.filter((r) => r.found).length
console.log(
  `a fifth gone: ${found} of ${lookups} found, ${mean(results.map((r) => r.questions))} questions each: ${seconds(begin)} s`,
)
const tables = living.slice(0, 200).map(({ dht }) => dht.status())
console.log(
  `tables: ${mean(tables.map((t) => t.dhtNodes))} nodes, estimate of the network ${mean(tables.map((t) => t.dhtGlobalNodes))}`,
)
console.log(`${world.packets} packets`)
for (const { dht } of living) dht.stop()
