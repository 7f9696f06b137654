/**
 * Asks a DHT node for peers as fast as it answers; plain Node, so that it can be run without a loader.
 * Usage: node dhtLoad.js PORT SECONDS. Prints a JSON line when it begins to count, and one with what it counted.
 */
import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'

const [port, seconds] = process.argv.slice(2).map(Number)
const IN_FLIGHT = 64
const LOSS_CHECK_MS = 100
const WARM_UP_MS = 2000

const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
const head = Buffer.from('d1:ad2:id20:')
const middle = Buffer.from('9:info_hash20:')
const tail = Buffer.from('e1:q9:get_peers1:t2:aa1:y1:qe')
const packet = Buffer.concat([head, randomBytes(20), middle, randomBytes(20), tail])
const hashAt = head.length + 20 + middle.length
let answers = 0
let bytes = 0
let inFlight = 0
let answersAtCheck = -1

function ask(): void {
  inFlight++
  packet.writeUInt32BE(Math.floor(Math.random() * 0x1_0000_0000), hashAt)
  socket.send(packet)
}

function fill(): void {
  while (inFlight < IN_FLIGHT) ask()
}

socket.on('message', (answer) => {
  // Questions of the node's own begin with their arguments.
  if (answer.length < 4 || answer.toString('latin1', 0, 4) === 'd1:a') return
  answers++
  bytes += answer.length
  inFlight--
  fill()
})
const losses = setInterval(() => {
  if (answers === answersAtCheck) {
    inFlight = 0
    fill()
  }
  answersAtCheck = answers
}, LOSS_CHECK_MS)

console.log(JSON.stringify({ event: 'ready' }))
socket.connect(port, '127.0.0.1', fill)
setTimeout(() => {
  const [answersBefore, bytesBefore, begin] = [answers, bytes, performance.now()]
  console.log(JSON.stringify({ event: 'begin' }))
  setTimeout(() => {
    clearInterval(losses)
    socket.close()
    const elapsed = (performance.now() - begin) / 1000
    const counted = { answers: answers - answersBefore, bytes: bytes - bytesBefore, seconds: elapsed }
    console.log(JSON.stringify({ event: 'end', ...counted }))
    process.exit(0)
  }, seconds * 1000)
}, WARM_UP_MS)
