/**
 * Announces to a UDP tracker as fast as it answers, for the benchmark; plain Node, so that it can be run without a loader.
 * Usage: node udpLoad.js PORT TORRENTS SECONDS. Peers are 127.0.0.1 with any port, one of four a seed, and want 50 others.
 * Prints a JSON line when it is ready, one when it begins to count, and one with what it counted.
 */
import dgram from 'node:dgram'
import { infoHashes } from './infoHashes.ts'

const [port, torrents, seconds] = process.argv.slice(2).map(Number)
/** Announces on their way: enough to keep a tracker busy, few enough for its buffers. */
const IN_FLIGHT = 128
/** A lost packet is not waited for any longer. */
const LOSS_CHECK_MS = 100
/** Swarms fill up and code gets warm. */
const WARM_UP_SECONDS = 2
const NUM_WANT = 50
const PEERS_PER_TORRENT = 200

const hashes = infoHashes(torrents)
const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
const packet = Buffer.alloc(98)
let random = 12345
let answers = 0
let peers = 0
let errors = 0
let inFlight = 0
let answersAtCheck = -1

function next(limit: number): number {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  return Math.floor((random / 0x1_0000_0000) * limit)
}

function announce(): void {
  inFlight++
  packet.set(hashes[next(torrents)], 16)
  packet.writeUInt32BE(next(4) === 0 ? 0 : 1, 68)
  packet.writeUInt16BE(10_000 + next(PEERS_PER_TORRENT), 96)
  socket.send(packet)
}

socket.on('message', (answer) => {
  const action = answer.readUInt32BE(0)
  if (action === 0) {
    answer.copy(packet, 0, 8, 16)
    packet.writeUInt32BE(1, 8)
    packet.fill(0x2d, 36, 56)
    packet.writeUInt32BE(NUM_WANT, 92)
    while (inFlight < IN_FLIGHT) announce()
    return
  }
  if (action === 1) peers += (answer.length - 20) / 6
  else errors++
  answers++
  inFlight--
  while (inFlight < IN_FLIGHT) announce()
})

socket.connect(port, '127.0.0.1', () => {
  const hello = Buffer.alloc(16)
  hello.writeBigUInt64BE(0x41727101980n)
  socket.send(hello)
})

const losses = setInterval(() => {
  if (answers === answersAtCheck && inFlight > 0) {
    inFlight = 0
    while (inFlight < IN_FLIGHT) announce()
  }
  answersAtCheck = answers
}, LOSS_CHECK_MS)

console.log(JSON.stringify({ event: 'ready' }))
setTimeout(() => {
  const [answersBefore, peersBefore, begin] = [answers, peers, performance.now()]
  console.log(JSON.stringify({ event: 'begin' }))
  setTimeout(() => {
    clearInterval(losses)
    socket.close()
    const [counted, elapsed] = [answers - answersBefore, (performance.now() - begin) / 1000]
    console.log(
      JSON.stringify({ event: 'end', answers: counted, peers: peers - peersBefore, errors, seconds: elapsed }),
    )
  }, seconds * 1000)
}, WARM_UP_SECONDS * 1000)
