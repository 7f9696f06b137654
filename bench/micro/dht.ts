/**
 * Messages a second one DHT node answers: a mix of pings, find_node and get_peers from strangers, with a full table and
 * one torrent of 500 peers. No sockets: the way from the packet to the answer's bytes.
 * Run: npx tsx bench/micro/dht.ts
 */
import { SeededRandom } from '../../packages/engine/sim/seededRandom.ts'
import { bencode } from '../../packages/engine/src/bencode/bencode.ts'
import type { Entry } from '../../packages/engine/src/bencode/entry.ts'
import { Dht } from '../../packages/engine/src/dht/dht.ts'
import { defaultDhtSettings } from '../../packages/engine/src/dht/dhtSettings.ts'
import { contactOf } from '../../packages/engine/src/dht/nodeContact.ts'

const MESSAGES = 20_000
const random = new SeededRandom(1)
let now = 1000
const clock = {
  now: () => {
    now += 0.02
    return now
  },
  unixTime: () => 1,
}
const timers = { after: () => ({ cancel: () => {} }) }
const settings = { ...defaultDhtSettings, dhtUploadRateLimit: 1e9, dhtPreferVerifiedNodeIds: false }
const dht = new Dht({ clock, timers, random, settings })
let answers = 0
let bytes = 0
const local = { address: '50.0.0.1', port: 6881 }
const node = dht.addSocket({
  local,
  send: (packet) => {
    answers++
    bytes += packet.length
  },
})
dht.start()

const endpoint = (i: number) => ({ address: `${60 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.7`, port: 6881 })
for (let i = 0; i < 20_000; i++) node.table.nodeSeen(random.bytes(20), contactOf(endpoint(i))!, 50)
const hot = random.bytes(20)
for (let i = 0; i < 500; i++) {
  dht.storage.announcePeer(hot, Uint8Array.of(71, 2, i >> 8, i, 5, 5), new Uint8Array(0), false)
}

const query = (q: string, args: Record<string, Entry>) =>
  Buffer.from(bencode({ a: { id: random.bytes(20), ...args }, q, t: random.bytes(2), v: 'LT20', y: 'q' }))
const packets = Array.from({ length: MESSAGES }, (_, i) => {
  if (i % 4 === 0) return query('ping', {})
  if (i % 4 === 1) return query('find_node', { target: random.bytes(20) })
  return query('get_peers', { info_hash: i % 8 === 3 ? hot : random.bytes(20) })
})
const senders = packets.map((_, i) => endpoint(100_000 + i))

for (let round = 0; round < 5; round++) {
  answers = 0
  bytes = 0
  const begin = performance.now()
  for (let i = 0; i < MESSAGES; i++) node.incoming(packets[i], senders[i])
  const perSecond = Math.round((MESSAGES / (performance.now() - begin)) * 1000)
  console.log(`${perSecond} messages/s, ${answers} answers of ${Math.round(bytes / answers)} bytes`)
}
dht.stop()
